"""Records by what people call them, one name at a time; `transfer/records_by_name.py` finds those of a whole file."""

import sqlalchemy as sa

from portal.fields.record_titles import is_called
from portal.records.policy import Policy


def find_named(connection: sa.Connection, policy: Policy, module: str, name: str) -> list[int]:
    """Ids of the records that a unique field, else the reference, else the title calls `name`: the first two."""
    table = policy.tables.module(module)
    title = [table.info["title"]] if table.info["title"] else []
    for columns in (table.info["unique"], ["reference"], title):
        same = is_called([table.c[column] for column in columns], name)
        ids = list(connection.scalars(sa.select(table.c["id"]).where(same).order_by(table.c["id"]).limit(2)))
        if ids:
            return ids
    return []

"""Options of choices that bear a new name: the values that are stored follow."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.migration.snapshot import renamed_names
from portal.fields.base import Field

BATCH = 1000


def renamed_options(entry: Mapping[str, Any], after: Field) -> dict[str, str]:
    """New name → old name, of the options of one field that were renamed since `entry` was remembered."""
    formerly = {name: option.formerly for name, option in getattr(after, "options", {}).items()}
    return renamed_names(entry.get("options", {}), formerly)


def rename_options(connection: sa.Connection, table: str, before: Field, renames: Mapping[str, str]) -> None:
    """Changes the stored values."""
    names = {was: name for name, was in renames.items()}
    column = before.columns()[0]
    source = sa.table(table, sa.column("id", sa.BigInteger()), sa.column(column.name, column.type))
    value = source.c[column.name]
    if not before.multiple:
        for was, name in names.items():
            connection.execute(sa.update(source).where(value == was).values({column.name: name}))
        return
    last = 0
    while True:
        some = sa.select(source).where(source.c["id"] > last, value.is_not(None)).order_by(source.c["id"]).limit(BATCH)
        rows = connection.execute(some).mappings().all()
        if not rows:
            return
        last = rows[-1]["id"]
        for row in rows:
            chosen = tuple(names.get(each, each) for each in before.load(row))
            if chosen != tuple(before.load(row)):
                changed = before.store(chosen)
                connection.execute(sa.update(source).where(source.c["id"] == row["id"]).values(changed))

"""The texts of the conversations on records, for the search: public comments for everybody, internal ones for staff."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.records.policy import Policy


def readable_texts(
    connection: sa.Connection, policy: Policy, module: Module, ids: Sequence[int]
) -> dict[int, list[str]]:
    """Each record of `ids` → what its conversation says to this reader: internal comments to staff alone."""
    texts: dict[int, list[str]] = defaultdict(list)
    for internal in (False, True) if policy.staff else (False,):
        for record_id, written in conversation_texts(connection, policy.tables, module, ids, internal).items():
            texts[record_id] += written
    return texts


def conversation_texts(
    connection: sa.Connection, tables: Tables, module: Module, ids: Sequence[int], internal: bool = False
) -> dict[int, list[str]]:
    """Each record of `ids` → its public comments, or its internal ones, newest first; only if there are some."""
    texts: dict[int, list[str]] = defaultdict(list)
    if module.comments and ids:
        table = tables.comment
        on_records = (table.c["module"] == module.name, table.c["record"].in_(ids), table.c["internal"].is_(internal))
        newest_first = sa.select(table.c["record"], table.c["text"]).where(*on_records).order_by(table.c["id"].desc())
        for record_id, text in connection.execute(newest_first):
            texts[record_id].append(text)
    return texts

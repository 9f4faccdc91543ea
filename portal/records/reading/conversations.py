"""The texts of the conversations on records, for the search: public comments for everybody, internal ones for staff."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.database.sql import AmongIds
from portal.declaration.shapes import Module
from portal.records.policy import Policy
from portal.records.statement_cache import IDS, id_list


def readable_texts(
    connection: sa.Connection, policy: Policy, module: Module, ids: Sequence[int]
) -> dict[int, list[str]]:
    """Each record of `ids` → what its conversation says to this reader: internal comments to staff alone."""
    public, internal = conversation_texts(connection, policy.tables, module, ids)
    if not policy.staff:
        return public
    return {record_id: public.get(record_id, []) + internal.get(record_id, []) for record_id in {**public, **internal}}


def conversation_texts(
    connection: sa.Connection, tables: Tables, module: Module, ids: Sequence[int]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Each record of `ids` → its public comments; and its internal ones. Newest first, only if there are some."""
    public: dict[int, list[str]] = defaultdict(list)
    internal: dict[int, list[str]] = defaultdict(list)
    if module.comments and ids:
        statement = tables.statement("conversations", lambda: _select_texts(tables.comment))
        for record_id, text, is_internal in connection.execute(statement, {"module_name": module.name, IDS: list(ids)}):
            (internal if is_internal else public)[record_id].append(text)
    return public, internal


def _select_texts(table: sa.Table) -> sa.Select[tuple[int, str, bool]]:
    on_records = table.c["module"] == sa.bindparam("module_name"), AmongIds(table.c["record"], id_list())
    columns = table.c["record"], table.c["text"], table.c["internal"]
    return sa.select(*columns).where(*on_records).order_by(table.c["id"].desc())

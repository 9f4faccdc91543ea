"""The rows of `lines` fields, read for a whole page of records at once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.sql import AmongIds
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.table_names import join_name
from portal.records.policy import Policy
from portal.records.reading.titles import add_linked_records
from portal.records.statement_cache import IDS, id_list_parameter


def add_rows(
    connection: sa.Connection,
    policy: Policy,
    module: str,
    fields: Sequence[Field],
    ids: Sequence[int],
    values: list[dict[str, Any]],
) -> None:
    """Completes `values`, one mapping per record of `ids`, with the rows of each `lines` field among `fields`.

    One query for each such field, and one for each module that its columns link to.
    """
    for field in fields:
        if field.row_fields and ids:
            rows = _rows(connection, policy, join_name(module, field.name), list(policy.columns(field).values()), ids)
            for record_id, of_record in zip(ids, values, strict=True):
                of_record[field.name] = tuple(rows[record_id])


def _rows(
    connection: sa.Connection, policy: Policy, name: str, columns: Sequence[Field], ids: Sequence[int]
) -> dict[int, list[Row]]:
    key = f"rows of {name}: {' '.join(column.name for column in columns)}"
    statement = policy.tables.statement(key, lambda: _statement(policy.tables.module(name), columns))
    stored = fetch(connection, statement, {IDS: list(ids)})
    values = [{column.name: column.load(row) for column in columns} for row in stored]
    add_linked_records(connection, policy, name, columns, [row["id"] for row in stored], values)
    rows: dict[int, list[Row]] = defaultdict(list)
    for row, of_row in zip(stored, values, strict=True):
        rows[row["_record"]].append(Row(of_row, row["id"]))
    return rows


def _statement(table: sa.FromClause, columns: Sequence[Field]) -> sa.Select[Any]:
    """These columns of the rows of the records IDS, in their order."""
    selected = [table.c["id"], table.c["_record"], *(part for column in columns for part in column.selected(table))]
    order = table.c["_record"], table.c["_position"], table.c["id"]
    among = AmongIds(table.c["_record"], id_list_parameter())
    return sa.select(*{part.name: part for part in selected}.values()).where(among).order_by(*order)

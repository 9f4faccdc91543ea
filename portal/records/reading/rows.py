"""Reads the rows of `lines` fields for a whole page of records at once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.sql import AmongIds
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.table_names import join_name
from portal.records.reading.titles import PartialRecords, add_linked_records
from portal.records.statement_cache import IDS, id_list_parameter


def add_rows(records: PartialRecords) -> None:
    """Adds the rows of each `lines` field to records that are being read.

    One query for each such field, and one for each module that its columns link to.
    """
    for field in records.fields:
        if field.row_fields and records.ids:
            rows = _rows(records, join_name(records.module, field.name), list(records.policy.columns(field).values()))
            for record_id, of_record in zip(records.ids, records.values, strict=True):
                of_record[field.name] = tuple(rows[record_id])


def _rows(records: PartialRecords, name: str, columns: Sequence[Field]) -> dict[int, list[Row]]:
    connection, policy = records.connection, records.policy
    key = f"rows of {name}: {' '.join(column.name for column in columns)}"
    statement = policy.tables.statement(key, lambda: _statement(policy.tables.module(name), columns))
    stored = fetch(connection, statement, {IDS: list(records.ids)})
    values = [{column.name: column.load(row) for column in columns} for row in stored]
    add_linked_records(PartialRecords(connection, policy, name, columns, [row["id"] for row in stored], values))
    rows: dict[int, list[Row]] = defaultdict(list)
    for row, of_row in zip(stored, values, strict=True):
        rows[row["_record"]].append(Row(of_row, row["id"]))
    return rows


def _statement(table: sa.FromClause, columns: Sequence[Field]) -> sa.Select[Any]:
    """The statement for the rows of a `lines` field: these columns, of the records IDS, in their order."""
    selected = [table.c["id"], table.c["_record"], *(part for column in columns for part in column.selected(table))]
    order = table.c["_record"], table.c["_position"], table.c["id"]
    among = AmongIds(table.c["_record"], id_list_parameter())
    return sa.select(*{part.name: part for part in selected}.values()).where(among).order_by(*order)

"""Inserts, updates and deletes the row of a record in its module's table. Only the writer, imports and the erasure of
people use this; rows of existing tables are written by existing_rows.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from portal.database.schema.existing_tables import ExistingTable
from portal.declaration.references import reference
from portal.records.indexing.formulas import computed_columns
from portal.records.indexing.rollups import RollupsOver, rolling_up
from portal.records.indexing.stopwatches import first_stopwatches
from portal.records.reading.records import Records
from portal.records.writing.deadlines import first_deadlines
from portal.records.writing.errors import unique_violations_retried
from portal.records.writing.existing_rows import ExistingRowWriter
from portal.records.writing.history import Author, author_of
from portal.records.writing.sequence import next_numbers

StoredRow = Mapping[str, Any]  # columns of one of the portal's own tables


class RowWriter(Protocol):
    """Writes the rows of a module."""

    def insert(self, values: Mapping[str, Any], author: Author, /) -> int:
        """Inserts the row of a new record; returns its id."""

    def update(self, record_id: int, version: int, row: StoredRow, /) -> bool:
        """Writes the columns `row` if the row has this version; returns whether so."""

    def touch(self, record_id: int, row: StoredRow, /) -> None:
        """Writes columns of a record's row, regardless of its version."""

    def delete(self, record_id: int, /) -> None:
        """Deletes the row."""


def row_writer(records: Records) -> RowWriter:
    """The writer of a module's rows. That of an existing table may always raise Refused."""
    table = records.table
    return ExistingRowWriter(records, table.over) if isinstance(table, ExistingTable) else OwnRowWriter(records)


@dataclass(frozen=True)
class OwnRowWriter:
    """Writes the rows of a module in the portal's own table."""

    records: Records

    def insert(self, values: Mapping[str, Any], author: Author) -> int:
        """Inserts the row of a new record with the next number; returns its id."""
        records, table = self.records, self.records.table
        (number,) = next_numbers(records.connection, records.policy.tables, records.name)
        insert = sa.insert(table).values(new_row(records, values, number, author)).returning(table.c["id"])
        with unique_violations_retried():
            record_id: int = records.connection.execute(insert).scalar_one()
        over = RollupsOver(records)
        over.note_after([record_id])
        over.roll_up()
        return record_id

    def update(self, record_id: int, version: int, row: StoredRow) -> bool:
        """Writes the columns `row` if the row has this version; returns whether so."""
        table = self.records.table
        update = sa.update(table).values(row).where(table.c["id"] == record_id, table.c["_version"] == version)
        with rolling_up(self.records, [record_id], row), unique_violations_retried():
            return self.records.connection.execute(update).rowcount == 1

    def touch(self, record_id: int, row: StoredRow) -> None:
        """Writes columns of a record's row, regardless of its version."""
        table = self.records.table
        with rolling_up(self.records, [record_id], row):
            self.records.connection.execute(sa.update(table).values(row).where(table.c["id"] == record_id))

    def delete(self, record_id: int) -> None:
        """Deletes the row."""
        table = self.records.table
        with rolling_up(self.records, [record_id]):
            self.records.connection.execute(sa.delete(table).where(table.c["id"] == record_id))


def new_row(records: Records, values: Mapping[str, Any], number: int, author: Author) -> dict[str, Any]:
    """The columns of a new record's own row, including the engine's."""
    now, zone = records.policy.reader.now, records.policy.reader.time_zone
    created = values.get("created") or now
    row: dict[str, Any] = {
        "number": number,
        **records.module.field("reference").store(
            reference(records.module.reference, number, created.astimezone(zone))
        ),
        "created": created,
        **author_of(records, author, "created_by"),
        "modified": created,
        **author_of(records, author, "modified_by"),
        "channel": author.channel,
        "comments": 0,
        "attachments": 0,
        "_version": 1,
    }
    for field in records.module.fields.values():
        row |= field.store(values.get(field.name))
    module, currency = records.module, records.policy.reader.currency
    known = {**values, "number": number, "created": created}
    row |= computed_columns(module.formulas.values(), known, currency)
    if deadlines := first_deadlines(records.as_system, row):
        row |= deadlines
        known |= {field.name: field.load(row) for field in module.deadlines}
        row |= computed_columns(module.formulas.values(), known, currency)  # formulas may read the above
    return row | first_stopwatches(module, row)

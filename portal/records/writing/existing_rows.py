"""Writes rows of existing tables: only the declared columns. See module_rows.py, which has those of the portal's own.

An existing table has no columns for what the portal adds: its counts are counted (schema/existing_tables.py), the
version is made from its values, and a refusal by the database is shown to the person who typed the values.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.errors import Failure, classify, driver_error
from portal.database.schema.existing_tables import ExistingModule
from portal.fields.link import KEY
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.texts import _

LONGEST_REASON = 200  # characters of what the database says
REFUSED = _("The database does not accept this: ${reason}")


@dataclass(frozen=True)
class ExistingRowWriter:
    """Writes the rows of a module over an existing table. Every method raises Refused for what the database refuses."""

    records: Records
    over: ExistingModule

    def insert(self, values: Mapping[str, Any], _author: Author) -> int:
        """Inserts the row of a new record; returns its id."""
        fields = self.records.module.fields.values()
        stored = {name: value for field in fields for name, value in field.store(values.get(field.name)).items()}
        source = self.over.source_table()
        native = self._native_values({name: value for name, value in stored.items() if value is not None})
        insert = sa.insert(source).values(native).returning(self.over.record_id(source).label("id"))
        with _refusals_explained(self.records):
            record_id: int | None = self.records.connection.execute(insert).scalar_one()
            if record_id is None:  # SQLite accepts a row without a key
                raise Refused(_(REFUSED, mapping={"reason": ", ".join(self.over.key)}))
        return record_id

    def update(self, record_id: int, version: int, row: Mapping[str, Any]) -> bool:
        """Writes the declared columns among `row` if the row has this version; returns whether so."""
        return self._write(record_id, row, version)

    def touch(self, record_id: int, row: Mapping[str, Any]) -> None:
        """Writes the declared columns among `row`, regardless of its version."""
        self._write(record_id, row)

    def delete(self, record_id: int) -> None:
        """Deletes the row."""
        source = self.over.source_table()
        with _refusals_explained(self.records):
            self.records.connection.execute(sa.delete(source).where(self.over.is_record(source, record_id)))

    def _write(self, record_id: int, row: Mapping[str, Any], version: int | None = None) -> bool:
        source, values = self.over.source_table(), self._native_values(row)
        if not values:  # none of them is in the existing table
            return bool(self.records.by_ids([record_id], []))
        update = sa.update(source).values(values).where(self.over.is_record(source, record_id))
        if version is not None:
            update = update.where(self.over.version(source) == version)
        with _refusals_explained(self.records):
            return self.records.connection.execute(update).rowcount == 1

    def _native_values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of the existing table for the fields among `row`."""
        values = {}
        for field in self.records.module.fields.values():
            column = self.over.column_of(field)
            if field.name not in row or column is None:
                continue
            value = row[field.name]
            if field.targets and value is not None and not self.over.links_by_integer(field):
                target = self.records.policy.tables.module(field.targets[0])
                value = self.records.connection.scalar(sa.select(target.c[KEY]).where(target.c["id"] == value))
            values[column] = self.over.native_value(field, value)
        return values


@contextmanager
def _refusals_explained(records: Records) -> Iterator[None]:
    """Raises Refused for what the constraints of an existing table refuse, and undoes only that."""
    try:
        with records.connection.begin_nested():
            yield
    except sa.exc.DBAPIError as error:
        if classify(error) is not Failure.OTHER:
            raise
        reason = str(driver_error(error)).partition("\n")[0][:LONGEST_REASON]
        raise Refused(_(REFUSED, mapping={"reason": reason})) from None

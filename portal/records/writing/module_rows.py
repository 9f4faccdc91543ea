"""Inserts, updates and deletes the row of a record in its module's table; in an existing table only declared columns.

Only the writer uses this. An existing table has no columns for what the portal adds: its counts are counted
(schema/existing_tables.py), the version is made from its values, and a refusal by the database is shown to the person
who typed the values.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from portal.database.errors import Failure, classify, driver_error
from portal.database.schema.existing_tables import ExistingTable
from portal.declaration.references import reference
from portal.fields.link import KEY
from portal.fields.refused import Refused
from portal.records.indexing.formulas import computed_columns
from portal.records.indexing.rollups import RollupsOver, rolling_up
from portal.records.indexing.stopwatches import first_stopwatches
from portal.records.reading.records import Records
from portal.records.writing.deadlines import first_deadlines
from portal.records.writing.errors import unique_violations_retried
from portal.records.writing.history import Author, author_of
from portal.records.writing.sequence import next_numbers
from portal.texts import _

LONGEST_REASON = 200  # characters of what the database says
StoredRow = Mapping[str, Any]  # columns of one of the portal's own tables


def insert_row(records: Records, values: Mapping[str, Any], author: Author) -> int:
    """Inserts the row of a new record; returns its id. Raises Refused if an existing table does not accept it."""
    table = records.table
    if isinstance(table, ExistingTable):
        fields = records.module.fields.values()
        stored = {name: value for field in fields for name, value in field.store(values.get(field.name)).items()}
        return _insert_into_others(records, table, {name: value for name, value in stored.items() if value is not None})
    (number,) = next_numbers(records.connection, records.policy.tables, records.name)
    insert = sa.insert(table).values(new_row(records, values, number, author))
    record_id: int = _write_row_or_retry(records, insert.returning(table.c["id"])).scalar_one()
    over = RollupsOver(records)
    over.note_after([record_id])
    over.roll_up()
    return record_id


def update_row(records: Records, record_id: int, version: int, row: StoredRow) -> bool:
    """Writes the columns `row` if the row has this version; returns whether so. Raises Refused, as `insert_row`."""
    table = records.table
    if isinstance(table, ExistingTable):
        return _update_others(records, table, record_id, row, version)
    statement = sa.update(table).values(row).where(table.c["id"] == record_id, table.c["_version"] == version)
    with rolling_up(records, [record_id], row):
        return _write_row_or_retry(records, statement).rowcount == 1


def touch_row(records: Records, record_id: int, row: StoredRow) -> None:
    """Writes columns of a record's own row, regardless of its version."""
    table = records.table
    if isinstance(table, ExistingTable):
        _update_others(records, table, record_id, row)
    else:
        with rolling_up(records, [record_id], row):
            records.connection.execute(sa.update(table).values(row).where(table.c["id"] == record_id))


def delete_row(records: Records, record_id: int) -> None:
    """Deletes the row of a record in its module's table. Raises Refused if other existing tables need it."""
    table = records.table
    if isinstance(table, ExistingTable):
        source = table.over.source_table()
        with _refusals_explained(records):
            records.connection.execute(sa.delete(source).where(table.over.is_record(source, record_id)))
    else:
        with rolling_up(records, [record_id]):
            records.connection.execute(sa.delete(table).where(table.c["id"] == record_id))


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


def _write_row_or_retry(records: Records, statement: sa.Insert | sa.Update) -> sa.CursorResult[Any]:
    with unique_violations_retried():
        return records.connection.execute(statement)


def _insert_into_others(records: Records, table: ExistingTable, row: StoredRow) -> int:
    over = table.over
    source = over.source_table()
    values = _native_values(records, table, row)
    with _refusals_explained(records):
        inserted = records.connection.execute(
            sa.insert(source).values(values).returning(over.record_id(source).label("id"))
        )
        record_id: int | None = inserted.scalar_one()
        if record_id is None:  # SQLite accepts a row without a key
            raise Refused(_("The database does not accept this: ${reason}", mapping={"reason": ", ".join(over.key)}))
    return record_id


def _update_others(
    records: Records, table: ExistingTable, record_id: int, row: StoredRow, version: int | None = None
) -> bool:
    over = table.over
    source = over.source_table()
    values = _native_values(records, table, row)
    conditions = [over.is_record(source, record_id)]
    if version is not None:
        conditions.append(over.version(source) == version)
    if not values:  # none of them is in the existing table
        return bool(records.by_ids([record_id], []))
    with _refusals_explained(records):
        return records.connection.execute(sa.update(source).values(values).where(*conditions)).rowcount == 1


def _native_values(records: Records, table: ExistingTable, row: StoredRow) -> dict[str, Any]:
    """The columns of the existing table for the fields among `row`."""
    over, values = table.over, {}
    for field in records.module.fields.values():
        column = over.column_of(field)
        if field.name not in row or column is None:
            continue
        value = row[field.name]
        if field.targets and value is not None and not over.links_by_integer(field):
            target = records.policy.tables.module(field.targets[0])
            value = records.connection.scalar(sa.select(target.c[KEY]).where(target.c["id"] == value))
        values[column] = over.native_value(field, value)
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
        raise Refused(_("The database does not accept this: ${reason}", mapping={"reason": reason})) from None

"""The files of a record and of its comments that the reader may have."""

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.fields.file import FileValue
from portal.records.reading.records import Record, Records


@dataclass(frozen=True)
class StoredFile:
    """One file; `size` in bytes, `stored` and `preview` its names in the store, `comment` the one that it came with.

    `field`: the field whose value it is; None for an attachment.
    """

    id: int
    name: str
    size: int
    media_type: str
    stored: str
    preview: str | None
    comment: int | None
    field: str | None
    account: int | None
    author: str
    staff: bool
    internal: bool
    created: datetime.datetime


def files(records: Records, record: Record) -> list[StoredFile]:
    """The files of a record that the reader may have, newest first. `record` comes from `records`, and is theirs."""
    tables, staff = records.policy.tables, records.policy.staff
    statement = tables.statement("all files" if staff else "files", lambda: _readable(tables, staff))
    rows = fetch(records.connection, statement, {"module_name": records.name, "record_id": record.id})
    return [StoredFile(**row) for row in rows]


def file(records: Records, record: Record, file_id: int) -> StoredFile | None:
    """One of `files`, or the file of a field that the reader may read; None for any other, and if it is missing."""
    if any(value.id == file_id for value in _field_files(records, record)):
        return _one(records, record, file_id)
    return next((file for file in files(records, record) if file.id == file_id), None)


def _field_files(records: Records, record: Record) -> list[FileValue]:
    fields = records.module.fields.items()
    return [file for name, field in fields for file in field.files_in(record.values.get(name))]


def _one(records: Records, record: Record, file_id: int) -> StoredFile | None:
    """One of the record's files by its id; None for any other."""
    table = records.policy.tables.file
    whose = table.c["module"] == records.name, table.c["record"] == record.id, table.c["id"] == file_id
    row = records.connection.execute(_columns(table).where(*whose)).mappings().first()
    return None if row is None else StoredFile(**row)


def _readable(tables: Tables, staff: bool) -> sa.Select[Any]:
    """The files of one record that one side may have, newest first."""
    table = tables.file
    on_record = table.c["module"] == sa.bindparam("module_name"), table.c["record"] == sa.bindparam("record_id")
    query = _columns(table).where(*on_record, table.c["field"].is_(None)).order_by(table.c["id"].desc())
    return query if staff else query.where(table.c["internal"].is_(False))


def _columns(table: sa.Table) -> sa.Select[Any]:
    return sa.select(*[table.c[name] for name in StoredFile.__dataclass_fields__])

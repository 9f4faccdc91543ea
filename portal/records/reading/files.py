"""The files of a record, those of its comments included, as far as the reader may have them."""

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.records.reading.records import Record, Records


@dataclass(frozen=True)
class StoredFile:
    """One file; `size` in bytes, `stored` and `preview` its names in the store, `comment` the one that it came with."""

    id: int
    name: str
    size: int
    media_type: str
    stored: str
    preview: str | None
    comment: int | None
    account: int | None
    author: str
    staff: bool
    internal: bool
    created: datetime.datetime


def files(records: Records, record: Record) -> list[StoredFile]:
    """The files of a record that the reader may have, newest first. `record` comes from `records`, and is theirs."""
    tables, staff = records.policy.tables, records.policy.staff
    statement = tables.statement("all files" if staff else "files", lambda: _readable(tables, staff))
    rows = records.connection.execute(statement, {"module_name": records.name, "record_id": record.id}).mappings()
    return [StoredFile(**row) for row in rows]


def file(records: Records, record: Record, file_id: int) -> StoredFile | None:
    """One of `files`; None for a foreign one, an internal one and a missing one alike."""
    return next((file for file in files(records, record) if file.id == file_id), None)


def _readable(tables: Tables, staff: bool) -> sa.Select[Any]:
    """The files of one record that one side may have, newest first."""
    table = tables.file
    on_record = table.c["module"] == sa.bindparam("module_name"), table.c["record"] == sa.bindparam("record_id")
    columns = [table.c[name] for name in StoredFile.__dataclass_fields__]
    query = sa.select(*columns).where(*on_record).order_by(table.c["id"].desc())
    return query if staff else query.where(table.c["internal"].is_(False))

"""The rows of records' files, and who may add and remove them. Which files are accepted: upload_checks.py.

The bytes are stored first (pending_files.py): a crash in between leaves bytes that no row names, which `portal files`
removes, and never a row without bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.shapes import Attachments, Module
from portal.fields.base import Field
from portal.fields.file import FileValue
from portal.records.reading.files import StoredFile, files
from portal.records.reading.records import Record, Records
from portal.records.writing.comments import is_correctable
from portal.records.writing.history import Author, add_event
from portal.records.writing.pending_files import PendingFile, drop_pending, pending_files


def attachment_limits(module: Module) -> Attachments | None:
    """The limits of a module's attachments; None if it accepts none."""
    declared = module.attachments
    if isinstance(declared, bool):
        return Attachments() if declared else None
    return declared


def may_attach(records: Records) -> bool:
    """Whether the module accepts files and the profile may add some."""
    return bool(records.module.attachments) and records.policy.may(records.name, "attach")


def may_detach(records: Records, file: StoredFile, author: Author) -> bool:
    """Whether a file may be removed: by staff who may attach, and by its author, for as long as the module allows
    corrections if it limits them."""
    if not may_attach(records):
        return False
    mine = file.account is not None and file.account == author.account
    in_time = records.module.conversation.correct is None or is_correctable(records, file.created)
    return records.policy.staff or (mine and in_time)


def insert_files(
    records: Records,
    record_id: int,
    files: Sequence[PendingFile],
    author: Author,
    *,
    internal: bool,
    comment_id: int | None,
) -> None:
    """Adds stored files to a record, each with its event. The caller checks rights.

    Files of an internal comment are internal.
    """
    for file in files:
        file_id = insert_file(records, file, author, record=record_id, comment=comment_id, internal=internal)
        with_comment = {"comment": comment_id} if comment_id else {}
        add_event(records, record_id, "attached", author, {"file": file_id, "internal": internal, **with_comment})
    drop_pending(records, [file.key for file in files])


def insert_field_files(
    records: Records, values: Mapping[str, Any], author: Author, record_id: int | None = None
) -> dict[str, Any]:
    """`values` with the ids of their new files, whose rows are added; without `record_id`, call `assign_files` later.

    Raises KeyError for the key of a file that this account has not uploaded for this field.
    """
    stored = dict(values)
    for name, field in records.module.fields.items():
        files = field.files_in(values.get(name))
        if keys := [file.key for file in files if file.key]:
            pending = pending_files(records, author.account, name, keys)
            whose = {"record": record_id, "field": name, "internal": field.internal}
            new = {key: _inserted(records, pending[key], author, **whose) for key in keys}
            stored[name] = field.of_files([new.get(file.key, file) for file in files])
            drop_pending(records, keys)
    return stored


def insert_file(records: Records, file: PendingFile, author: Author, **whose: Any) -> int:
    """Adds the row of a record's file, without an event; `whose`: record, comment, field, internal. Returns its id."""
    table = records.policy.tables.file
    row = {
        "module": records.name,
        "name": file.name,
        "size": file.size,
        "media_type": file.media_type,
        "stored": file.stored,
        "preview": file.preview,
        "account": author.account,
        "author": author.name,
        "staff": records.policy.staff,
        "created": records.policy.reader.now,
        **whose,
    }
    return records.connection.execute(sa.insert(table).values(row).returning(table.c["id"])).scalar_one()


def assign_files(records: Records, values: Mapping[str, Any], record_id: int) -> None:
    """Assigns the files that `insert_field_files` added for a new record to that record."""
    table = records.policy.tables.file
    ids = [file.id for name, value in values.items() for file in _field(records, name).files_in(value)]
    if ids:
        records.connection.execute(sa.update(table).values(record=record_id).where(table.c["id"].in_(ids)))


def fill_in_file(records: Records, record_id: int, field: Field, file: PendingFile, author: Author) -> None:
    """Gives a new record a file in an empty field, as part of creating the record: without an event."""
    value = _inserted(records, file, author, record=record_id, field=field.name, internal=field.internal)
    columns, table = field.store(field.of_files([value])), records.table
    records.connection.execute(sa.update(table).values(columns).where(table.c["id"] == record_id))


def delete_replaced_files(records: Records, values: Mapping[str, Any], record_id: int) -> None:
    """Removes the rows of a record's files that are not among the new `values` of their fields."""
    fields = [field for name in values if (field := _field(records, name)).by_upload]
    if not fields:
        return
    columns = [column for field in fields for column in field.selected(records.table)]
    query = sa.select(*columns).where(records.table.c["id"] == record_id)
    rows = [dict(row) for row in records.connection.execute(query).mappings()]
    gone = {file.id for row in rows for field in fields for file in field.files_in(field.load(row))}
    gone -= {file.id for field in fields for file in field.files_in(values[field.name])}
    table = records.policy.tables.file
    records.connection.execute(sa.delete(table).where(table.c["id"].in_(gone), table.c["record"] == record_id))


def delete_files_of_comment(records: Records, record: Record, comment_id: int) -> list[StoredFile]:
    """Removes the rows of the files that came with a comment; returns these files."""
    came_with = [file for file in files(records, record) if file.comment == comment_id]
    table = records.policy.tables.file
    records.connection.execute(sa.delete(table).where(table.c["id"].in_([file.id for file in came_with])))
    return came_with


def delete_file(records: Records, record: Record, file: StoredFile, author: Author) -> None:
    """Removes a file's row, and adds the event. The caller checks rights."""
    table = records.policy.tables.file
    records.connection.execute(sa.delete(table).where(table.c["id"] == file.id))
    add_event(records, record.id, "detached", author, {"file": file.id, "internal": file.internal})


def stored_file_names(connection: sa.Connection, tables: Tables) -> set[str]:
    """Every name in the store that a row refers to, of a record's file or a pending one."""
    names = [sa.select(table.c["stored"], table.c["preview"]) for table in (tables.file, tables.pending_file)]
    return {name for row in connection.execute(sa.union_all(*names)) for name in row if name}


def _inserted(records: Records, file: PendingFile, author: Author, **whose: Any) -> FileValue:
    return FileValue(insert_file(records, file, author, **whose), name=file.name, size=file.size)


def _field(records: Records, name: str) -> Field:
    return records.module.everything[name]

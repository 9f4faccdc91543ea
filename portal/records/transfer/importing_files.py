"""Finds the files of imported rows in a bundle, checks them like uploads, and stores them with their records."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Attachments
from portal.fields.file import FileValue
from portal.fields.refused import Refused
from portal.records.reading.files import files
from portal.records.reading.records import Record, Records
from portal.records.transfer.file_bundle import FileBundle, is_internal
from portal.records.transfer.import_row import ImportRow
from portal.records.transfer.records_by_name import split_names
from portal.records.writing.files import assign_files, attachment_limits, insert_file
from portal.records.writing.history import Author
from portal.records.writing.pending_files import store_file
from portal.records.writing.upload_checks import Upload, check_uploads
from portal.store.media_type import media_type
from portal.store.store import Store
from portal.store.thumbnail import make_thumbnail
from portal.texts import _


@dataclass(frozen=True)
class FileImport:
    """The files next to a CSV file, and the store for them."""

    bundle: FileBundle
    store: Store

    def read_field(self, field: Any, cell: str, present: Any, system: Records) -> Any:
        """The files that a cell names; those of `present`, the record's value, that are the same. Raises Refused."""
        paths = split_names(cell) if field.multiple else list(filter(None, [cell.strip()]))
        there = list(field.files_in(present))
        files = [self._read_file(field, path, system) for path in paths]
        return field.of_files([_taken_from(there, file) for file in files])

    def _read_file(self, field: Any, path: str, system: Records) -> FileValue:
        limit = Attachments(max_size=field.max_size, max_count=1, types=field.accepted)
        file = self._check(path, limit, system)
        if field.needs_preview and not self._is_picture(file):
            raise Refused(_("“${name}” was not added: this picture cannot be read.", mapping={"name": file.name}))
        return file

    def read_attachments(self, cell: str, record: Record | None, system: Records) -> list[FileValue]:
        """The attachments that a cell names and the record lacks. Raises Refused."""
        limit = attachment_limits(system.module)
        paths = split_names(cell)
        if paths and limit is None:
            raise Refused(_("This module does not accept attachments."))
        checked = [self._check(path, limit or Attachments(), system) for path in paths]
        present = {(file.name, file.size) for file in files(system, record)} if record and checked else set()
        return [file for file in checked if (file.name, file.size) not in present]

    def _check(self, path: str, limit: Attachments, system: Records) -> FileValue:
        """The file at `path`, which identifies it until it is stored. Raises Refused."""
        size = self.bundle.size(path)
        if size is None:
            raise Refused(_("There is no file “${path}” next to the CSV file.", mapping={"path": path[:200]}))
        name = PurePosixPath(path).name
        with self.bundle.open(path) as source:
            checked = check_uploads([Upload(name, source, size)], limit, system.policy.reader)
        if checked.refused:
            raise Refused(checked.refused[0])
        return FileValue(key=path, name=name, size=size)

    def _is_picture(self, file: FileValue) -> bool:
        with self.bundle.open(file.key) as source:
            kind = media_type(source, file.name)
            return make_thumbnail(source, kind) is not None

    def store_fields(self, system: Records, rows: Iterable[ImportRow], author: Author) -> None:
        """Stores the files of fields, whose values have ids afterwards. Raises StoreError and OSError."""
        for row in rows:
            for name, field in system.module.fields.items():
                files = field.files_in(row.values.get(name))
                if any(file.key for file in files):
                    whose = {"field": name, "internal": field.internal}
                    stored = [self._stored(system, file, author, **whose) if file.key else file for file in files]
                    row.values[name] = field.of_files(stored)

    def store_attachments(self, system: Records, rows: Iterable[ImportRow], author: Author) -> None:
        """Stores the attachments of rows that are now records and counts them; assigns files of fields to records.

        Raises StoreError and OSError.
        """
        table = system.table
        for row in rows:
            assign_files(system, row.values, row.id)
            for value in row.attachments:
                internal = is_internal(value.key)
                self._store(system, value, author, record=row.id, internal=internal)
                if not internal:
                    count = sa.func.coalesce(table.c["attachments"], 0) + 1
                    statement = sa.update(table).values(attachments=count).where(table.c["id"] == row.id)
                    system.connection.execute(statement)

    def _stored(self, system: Records, value: FileValue, author: Author, **whose: Any) -> FileValue:
        return replace(value, id=self._store(system, value, author, **whose), key="")

    def _store(self, system: Records, value: FileValue, author: Author, **whose: Any) -> int:
        with self.bundle.open(value.key) as source:
            kind = media_type(source, value.name)
            pending = store_file(self.store, source, value.name, kind, system.name)
        return insert_file(system, pending, author, **whose)


def _taken_from(there: list[FileValue], file: FileValue) -> FileValue:
    """The record's own file if an imported one is the same, which is then no longer `there`; otherwise the new one."""
    same = next((own for own in there if (own.name, own.size) == (file.name, file.size)), None)
    if same is None:
        return file
    there.remove(same)
    return same


def same_names(field: Any, text: str, present: Any) -> Any:
    """The record's files if a cell names the same and no files come with the CSV file. Raises Refused."""
    if not text.strip():
        return field.of_files([])
    if text.strip() == field.write(present):
        return present
    raise Refused(_("This is a file. Use --files to say where the files are."))

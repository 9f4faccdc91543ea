"""Files on their way to a record: which are refused, with one sentence each, and what the others become in the store.

The bytes are stored first, in the open transaction of their rows: a crash in between leaves bytes that no row names,
which `portal files` removes, and never a row without bytes.
"""

import io
import logging
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import sqlalchemy as sa
from babel.units import format_unit

from portal.declaration.shapes import Attachments, Module
from portal.fields.reader import Reader
from portal.records.reading.files import StoredFile
from portal.records.reading.records import Record, Records
from portal.records.writing.history import Author, add_event
from portal.store import Store
from portal.store.media_type import media_type
from portal.store.preview import make_preview
from portal.store.scanner import ScannerError
from portal.texts import _

LONGEST_NAME = 200  # characters
FORBIDDEN_IN_NAMES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # Unicode's categories: controls, direction marks, line ends

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """A file that was sent: its name, an open stream, its size in bytes."""

    name: str
    source: BinaryIO
    size: int


@dataclass(frozen=True)
class Checked:
    """What was sent, sorted: what can be taken, with its media type, and one sentence for each that cannot."""

    taken: tuple[tuple[Upload, str], ...] = ()
    refused: tuple[str, ...] = ()
    internal: bool = False  # for staff alone, as the comment that they came with


def limits(module: Module) -> Attachments | None:
    """The limits of a module's attachments; None where it takes none."""
    declared = module.attachments
    if isinstance(declared, bool):
        return Attachments() if declared else None
    return declared


def may_attach(records: Records) -> bool:
    """Whether the module takes files and the profile may add some."""
    return bool(records.module.attachments) and records.policy.may(records.name, "attach")


def may_detach(records: Records, file: StoredFile, author: Author) -> bool:
    """Whether a file may be removed: by its author, and by staff who may attach."""
    return may_attach(records) and (
        records.policy.staff or (file.account is not None and file.account == author.account)
    )


def check_uploads(
    uploads: Sequence[Upload], limit: Attachments, reader: Reader, scan: Callable[[BinaryIO], str | None] | None = None
) -> Checked:
    """Which of the `uploads` keep the limits, and are clean for `scan` where there is one. Reads their bytes."""
    taken: list[tuple[Upload, str]] = []
    refused: list[str] = []
    for upload in uploads:
        upload.source.seek(0)
        kind = media_type(upload.source, upload.name)
        problem = (
            _problem(upload, kind, limit, reader) or _too_many(upload, len(taken), limit) or _unclean(upload, scan)
        )
        if problem:
            refused.append(problem)
        else:
            taken.append((upload, kind))
    return Checked(tuple(taken), tuple(refused))


def shown_size(size: int, reader: Reader) -> str:
    """A size in bytes as people read it: 84 kB, 1.2 MB."""
    unit, bytes_per_unit, places = ("megabyte", 1_000_000, 1) if size >= 999_500 else ("kilobyte", 1_000, 0)
    number = max(round(size / bytes_per_unit, places), 1 if size else 0)
    return format_unit(number, f"digital-{unit}", "short", locale=reader.locale)


def insert_files(
    records: Records, record_id: int, checked: Checked, store: Store, author: Author, comment_id: int | None = None
) -> int:
    """Stores what was taken, bytes first, and adds its rows and events; returns how many. Raises StoreError.

    Files of an internal comment are internal. Rights are the caller's to check.
    """
    table = records.policy.tables.file
    for upload, kind in checked.taken:
        upload.source.seek(0)
        preview = make_preview(upload.source, kind)
        upload.source.seek(0)
        stored = store.put(upload.source)
        row = {
            "module": records.name,
            "record": record_id,
            "comment": comment_id,
            "name": upload.name,
            "size": stored.size,
            "media_type": kind,
            "stored": stored.name,
            "preview": store.put(io.BytesIO(preview)).name if preview else None,
            "account": author.account,
            "author": author.name,
            "staff": records.policy.staff,
            "internal": checked.internal,
            "created": records.policy.reader.now,
        }
        file_id = records.connection.execute(sa.insert(table).values(row).returning(table.c["id"])).scalar_one()
        add_event(records, record_id, "attached", author, {"file": file_id, "internal": checked.internal})
    return len(checked.taken)


def delete_file(records: Records, record: Record, file: StoredFile, author: Author) -> None:
    """Removes a file's row, and adds the event. Rights are the caller's to check."""
    table = records.policy.tables.file
    records.connection.execute(sa.delete(table).where(table.c["id"] == file.id))
    add_event(records, record.id, "detached", author, {"file": file.id, "internal": file.internal})


def stored_names(connection: sa.Connection, table: sa.Table) -> set[str]:
    """Every name in the store that a row of `table` (`tables.file`) bears."""
    rows = connection.execute(sa.select(table.c["stored"], table.c["preview"]))
    return {name for row in rows for name in row if name}


def _problem(upload: Upload, kind: str, limit: Attachments, reader: Reader) -> str:
    """Why this file is refused, whatever else was sent with it; empty where it is not."""
    name = upload.name
    if len(name) > LONGEST_NAME:
        shortened = {"name": name[:40], "max": LONGEST_NAME}
        return _("“${name}…” was not added: its name is longer than ${max} characters.", mapping=shortened)
    if not name.strip(". ") or any(
        character in "/\\" or unicodedata.category(character) in FORBIDDEN_IN_NAMES for character in name
    ):
        return _("A file was not added: its name contains characters that cannot be used.")
    if upload.size > limit.max_size:
        sizes = {"name": name, "size": shown_size(upload.size, reader), "max": shown_size(limit.max_size, reader)}
        return _("“${name}” was not added: it is ${size}, and the limit is ${max}.", mapping=sizes)
    if limit.types and not any(_is_of(kind, wanted) for wanted in limit.types):
        return _("“${name}” was not added: files of this type are not accepted.", mapping={"name": name})
    return ""


def _is_of(kind: str, wanted: str) -> bool:
    """Whether a media type is one that the declaration names: `application/pdf`, `image/*`."""
    return kind.startswith(wanted[:-1]) if wanted.endswith("/*") else kind == wanted


def _too_many(upload: Upload, taken: int, limit: Attachments) -> str:
    if taken < limit.max_count:
        return ""
    mapping = {"name": upload.name, "max": limit.max_count}
    return _("“${name}” was not added: you can add up to ${max} at once.", mapping=mapping)


def _unclean(upload: Upload, scan: Callable[[BinaryIO], str | None] | None) -> str:
    if scan is None:
        return ""
    upload.source.seek(0)
    try:
        if scan(upload.source) is None:
            return ""
    except ScannerError as error:
        log.error("A file was refused: %s", error)
        return _("“${name}” was not added: it could not be scanned. Try again later.", mapping={"name": upload.name})
    return _("“${name}” was not added: the virus scanner rejected it.", mapping={"name": upload.name})

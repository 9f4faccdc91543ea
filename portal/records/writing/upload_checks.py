"""Which uploaded files are accepted, by name, size, type and bytes; one sentence for each that is refused."""

import logging
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO

from portal.declaration.shapes import Attachments
from portal.fields.byte_sizes import shown_beyond
from portal.fields.file_types import types_in_words
from portal.fields.reader import Reader
from portal.store.media_type import media_type
from portal.store.scanner import ScannerError
from portal.texts import JOINERS, _, is_blank

LONGEST_NAME = 200  # characters
FORBIDDEN_IN_NAMES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # Unicode's categories: controls, direction marks, line ends

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """An uploaded file: its name, an open stream, its size in bytes."""

    name: str
    source: BinaryIO
    size: int


@dataclass(frozen=True)
class CheckedUploads:
    """The result of the checks: the accepted files, with their media types, and one sentence for each refused one."""

    accepted: tuple[tuple[Upload, str], ...] = ()
    refused: tuple[str, ...] = ()


def check_uploads(
    uploads: Sequence[Upload],
    limit: Attachments,
    reader: Reader,
    scan: Callable[[BinaryIO], str | None] | None = None,
    present: int = 0,
) -> CheckedUploads:
    """Which of the `uploads` are within the limits, and clean according to `scan` if there is one. Reads their bytes.

    `present`: how many files the form already holds.
    """
    accepted: list[tuple[Upload, str]] = []
    refused: list[str] = []
    for upload in uploads:
        upload.source.seek(0)
        kind = media_type(upload.source, upload.name)
        problem = (
            _upload_problem(upload, kind, limit, reader)
            or _too_many(upload, present + len(accepted), limit)
            or _unclean(upload, scan)
        )
        if problem:
            refused.append(problem)
        else:
            accepted.append((upload, kind))
    return CheckedUploads(tuple(accepted), tuple(refused))


def _upload_problem(upload: Upload, kind: str, limit: Attachments, reader: Reader) -> str:
    """Why an uploaded file is refused, regardless of the others; empty if it is not."""
    name = upload.name
    if len(name) > LONGEST_NAME:
        shortened = {"name": name[:40], "max": LONGEST_NAME}
        return _("“${name}…” was not added: its name is longer than ${max} characters.", mapping=shortened)
    if is_blank(name.strip(". ")):
        return _("A file was not added: its name contains characters that cannot be used.")
    if any(map(_forbidden_in_name, name)):
        shown = "".join("\ufffd" if _forbidden_in_name(character) else character for character in name)
        return _("“${name}” was not added: its name contains characters that cannot be used.", mapping={"name": shown})
    if upload.size == 0:
        return _("“${name}” was not added: it is empty.", mapping={"name": name})
    if upload.size > limit.max_size:
        size, most = shown_beyond(upload.size, limit.max_size, reader)
        sizes = {"name": name, "size": size, "max": most}
        return _("“${name}” was not added: it is ${size}, and the limit is ${max}.", mapping=sizes)
    if limit.types and not any(fnmatchcase(kind, pattern) for pattern in limit.types):  # application/pdf, image/*
        facts = {"name": name, "types": types_in_words(limit.types, reader)}
        return _("“${name}” was not added: its type is not among those that are accepted (${types}).", mapping=facts)
    return ""


def _forbidden_in_name(character: str) -> bool:
    return character in "/\\" or (unicodedata.category(character) in FORBIDDEN_IN_NAMES and character not in JOINERS)


def _too_many(upload: Upload, accepted: int, limit: Attachments) -> str:
    if accepted < limit.max_count:
        return ""
    mapping = {"name": upload.name, "max": limit.max_count}
    return _("“${name}” was not added: the maximum number of files is ${max}.", mapping=mapping)


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

"""The options of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.records.transfer.import_rights import ImportRights
from portal.records.transfer.importing_files import FileImport
from portal.records.transfer.numbers_and_dates import Notation
from portal.records.writing.history import SYSTEM, Author


@dataclass(frozen=True)
class ImportOptions:
    """`columns` is header → field, or "" to ignore it; `rights` are those of a person, or None for the portal's own."""

    columns: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    dry_run: bool = False
    skip_bad: bool = False
    notation: Notation = Notation()
    files: FileImport | None = None  # that cells refer to
    rights: ImportRights | None = None
    author: Author = SYSTEM

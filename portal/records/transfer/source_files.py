"""Opens a file to import, as CSV or as a workbook, according to its bytes."""

from pathlib import Path
from typing import Protocol

from portal.lazy import LazyModule
from portal.records.transfer.csv_reading import CsvRows, UnreadableFileError, open_source
from portal.texts import _

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
LARGEST_WORKBOOK = 1_000_000_000  # bytes when unpacked

workbook_reading = LazyModule("portal.records.transfer.workbook_reading")


class Source(CsvRows, Protocol):
    """A file to import, whose headers are known; `lines`: their number, if known."""

    @property
    def lines(self) -> int | None: ...


def open_file(path: Path, delimiter: str | None = None, most_unpacked: int = LARGEST_WORKBOOK) -> Source:
    """A CSV file, with `delimiter` between its cells if that is known, or a workbook.

    Raises UnreadableFileError, also for a workbook that has more than `most_unpacked` bytes, and OSError.
    """
    start = b""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(len(ZIP))
    if start == ZIP:
        source: Source = workbook_reading.open_workbook(path, most_unpacked)
        return source
    if start == OLE:
        raise UnreadableFileError(
            _("This is an old workbook (.xls), or one with a password. Save it as .xlsx without a password.")
        )
    return open_source(path, delimiter)

"""The limits of a file imported in the browser, which waits for it and shares the server with others."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from portal.records.transfer.csv_reading import CsvRow, CsvRows, UnreadableFileError
from portal.texts import _, ngettext

MOST_ROWS = 5_000  # that are imported while a browser waits
MOST_COLUMNS, LONGEST_HEADERS = 500, 50_000  # of a file, and characters of all headers together
MOST_UNPACKED = 50_000_000  # bytes of a workbook, and of its cells, since these may share a long text or be missing
LEAST_OF_CELL = 10  # bytes that a cell counts in addition to its text


@dataclass(frozen=True)
class LimitedRows:
    """Rows of a file imported in the browser: at most MOST_ROWS and MOST_COLUMNS. Raises UnreadableFileError."""

    source: CsvRows

    def __post_init__(self) -> None:
        if len(self.headers) > MOST_COLUMNS or sum(map(len, self.headers)) > LONGEST_HEADERS:
            raise UnreadableFileError(
                ngettext(
                    "The first row has more than ${number} column, or names that are too long.",
                    "The first row has more than ${number} columns, or names that are too long.",
                    MOST_COLUMNS,
                )
            )

    @property
    def headers(self) -> tuple[str, ...]:
        return self.source.headers

    def rows(self) -> Iterator[CsvRow]:
        """The rows below the header."""
        rows, size = self.source.rows(), 0
        for row in islice(rows, MOST_ROWS):
            size += sum(map(len, row.cells)) + len(row.cells) * LEAST_OF_CELL
            if size > MOST_UNPACKED:
                facts = {"most": f"{MOST_UNPACKED // 1_000_000:,}"}
                raise UnreadableFileError(_("Uncompressed, the workbook is larger than ${most} MB.", mapping=facts))
            yield row
        if next(rows, None) is not None:
            raise UnreadableFileError(
                ngettext(
                    "The file has more than ${number} row. Divide it, or ask an administrator to import it.",
                    "The file has more than ${number} rows. Divide it, or ask an administrator to import it.",
                    MOST_ROWS,
                )
            )

"""Reads CSV files as they occur in practice: encoding, delimiter, rows, and the place of whatever is broken.

Nothing that matters is guessed: what cannot be read with certainty is reported with its line. Knows nothing of modules
and fields.
"""

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from portal.records.transfer.spreadsheet_formulas import unprotect_cell
from portal.texts import _

DELIMITERS = ",;\t|"
SAMPLED_ROWS = 50  # from which the delimiter is chosen
LARGEST_CELL = 16_000_000  # characters; the csv module's own limit of 131,072 is shorter than a long text
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .ods and other archives; .xls
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK = 1 << 20
SEPARATOR_LINE = re.compile(r'"?sep=([^"])"?[,;\t|]*\s*', re.IGNORECASE)


class UnreadableFileError(ValueError):
    """The file as a whole cannot be read; `message` says why and, if possible, at which line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class CsvRow:
    """One row of a CSV file: the physical line on which it begins, and its cells, or why they cannot be read."""

    line: int
    cells: tuple[str, ...] = ()
    problem: str | None = None


class CsvRows(Protocol):
    """The source of an import's rows."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    def rows(self) -> Iterator[CsvRow]: ...


@dataclass(frozen=True)
class CsvSource:
    """A file whose encoding, delimiter and headers are known. `lead`: the rows up to and including the header."""

    path: Path
    encoding: str
    newline: str
    delimiter: str
    lead: int
    headers: tuple[str, ...]
    lines: int

    def rows(self) -> Iterator[CsvRow]:
        """The rows below the header, without empty ones."""
        with self.path.open(encoding=self.encoding, newline=self.newline) as file:
            yield from itertools.islice(_filled_rows(file, self.delimiter), self.lead, None)


def open_source(path: Path, delimiter: str | None = None) -> CsvSource:
    """A CSV file to import, read as a whole once, so that no import starts with a file that ends in garbage.

    `delimiter`: the character between cells; None for that of a line `sep=;`, else the one that fits the first rows.
    Raises UnreadableFileError and OSError.
    """
    if not path.is_file():
        raise UnreadableFileError(_("A pipe cannot be read twice, as an import does. Write it to a file first."))
    encoding = _encoding(path)
    newline = _newline(path)
    lines = _count_lines(path, encoding, newline)
    with path.open(encoding=encoding, newline=newline) as file:
        first_line = next((line for line in file if line.strip()), "")
    separator = SEPARATOR_LINE.fullmatch(first_line)
    if separator:
        delimiter = delimiter or separator[1]
    lead = 2 if separator else 1
    if delimiter is None:
        delimiter = _likely_delimiter(path, encoding, newline)
    with path.open(encoding=encoding, newline=newline) as file:
        header = next(itertools.islice(_filled_rows(file, delimiter), lead - 1, None), None)
    if header is None:
        raise UnreadableFileError(_("The file is empty. Its first row must name the columns."))
    if header.problem:
        raise UnreadableFileError(header.problem, header.line)
    headers = tuple(unprotect_cell(cell).strip() for cell in header.cells)
    return CsvSource(path, encoding, newline, delimiter, lead, headers, lines)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start in WORKBOOKS:
        raise UnreadableFileError(_("This is a workbook or an archive, not CSV. Save it as “CSV UTF-8”."))
    if start in UTF32:
        raise UnreadableFileError(_("The file is UTF-32. Save it as “CSV UTF-8”."))
    if start[:2] in UTF16:
        return "utf-16"
    if start[1:2] == b"\0" or start[:1] == b"\0":
        raise UnreadableFileError(_("The file looks like UTF-16 without a byte order mark. Save it as “CSV UTF-8”."))
    return "utf-8-sig"


def _newline(path: Path) -> str:
    """What ends lines of a CSV file, as editors count them: a line feed, or a carriage return if there is none."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK), b"")
        ends = set(itertools.chain.from_iterable(re.findall(rb"[\r\n]", chunk) for chunk in chunks))
    return "\r" if ends == {b"\r"} else "\n"


def _count_lines(path: Path, encoding: str, newline: str) -> int:
    """The number of lines of a CSV file. Raises UnreadableFileError with the place of the first invalid byte."""
    lines, offset, decoder = 1, 0, codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                lines += decoder.decode(chunk, final=not chunk).count(newline)
            except UnicodeDecodeError as error:
                # The bytes that the decoder kept from the previous chunk come before this one.
                place = offset + len(chunk) - len(error.object) + error.start
                raise _wrong_byte(path, place, encoding, newline) from None
            if not chunk:
                return lines
            offset += len(chunk)


def _wrong_byte(path: Path, place: int, encoding: str, newline: str) -> UnreadableFileError:
    content = path.read_bytes()
    before = content[:place].decode(encoding, errors="ignore")
    text = _(
        "Character ${column} on this line is not valid ${encoding} (byte ${byte}). Save the file as “CSV UTF-8”.",
        mapping={
            "column": len(before.rpartition(newline)[2]) + 1,
            "encoding": "UTF-16" if encoding == "utf-16" else "UTF-8",
            "byte": f"0x{content[place]:02X}",
        },
    )
    return UnreadableFileError(text, before.count(newline) + 1)


def _likely_delimiter(path: Path, encoding: str, newline: str) -> str:
    """The one of DELIMITERS with which the first rows match a header of several cells; the longest header wins."""

    def fit(delimiter: str) -> tuple[bool, bool, int, int]:
        with path.open(encoding=encoding, newline=newline) as file:
            rows = list(itertools.islice(_filled_rows(file, delimiter), SAMPLED_ROWS))
        if not rows or len(_without_empty_end(rows[0].cells)) < 2:
            return False, False, 0, 0
        header, others = rows[0].cells, rows[1:]
        columns = len(_without_empty_end(header))
        agreeing = sum(
            len(row.cells) >= columns and len(_without_empty_end(row.cells)) <= len(header) for row in others
        )
        return True, agreeing == len(others), columns, agreeing

    return max(DELIMITERS, key=fit)


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _filled_rows(file: TextIO, delimiter: str) -> Iterator[CsvRow]:
    """The rows of a CSV file with a non-empty cell or a problem."""
    return (row for row in _parsed_rows(file, delimiter) if row.problem or any(map(str.strip, row.cells)))


def _parsed_rows(file: TextIO, delimiter: str) -> Iterator[CsvRow]:
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # The reader continues with the next line.
            yield CsvRow(line, problem=_problem(str(error), delimiter))
        else:
            if cells is None:
                return
            yield CsvRow(line, tuple(cells))
        line = reader.line_num + 1


def _problem(error: str, delimiter: str) -> str:
    """The csv module's error as a sentence that helps."""
    if "unexpected end of data" in error:
        return _("a quote opened here is never closed")
    if "field limit" in error:
        return _(
            "a cell has more than ${most} characters; is a closing quote missing?",
            mapping={"most": f"{LARGEST_CELL:,}"},
        )
    if "new-line character" in error:
        return _("the row contains a different kind of line break")
    mark = {"\t": "tab"}.get(delimiter, delimiter)
    return _(
        "text follows a closing quote; double the quotes inside a cell and separate cells with “${mark}”",
        mapping={"mark": mark},
    )

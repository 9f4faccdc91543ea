"""A CSV file as people have them: its encoding, its delimiter, its rows, and the place of whatever is broken.

Nothing is guessed: what cannot be read for certain is said with its line. Knows no module and no field.
"""

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from portal.texts import _

DELIMITERS = ",;\t"
LARGEST_CELL = 16_000_000  # characters; the csv module's own limit of 131,072 is shorter than a long text
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK = 1 << 20


class UnreadableFileError(ValueError):
    """The file as a whole cannot be read; `message` says why and, where there is one, at which line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class Row:
    """One row: the physical line on which it begins, and its cells, or why they cannot be read."""

    line: int
    cells: tuple[str, ...] = ()
    trouble: str | None = None


class Rows(Protocol):
    """What an import takes its rows from."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    def rows(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class Source:
    """A file whose encoding, delimiter and headers are known."""

    path: Path
    encoding: str
    newline: str
    delimiter: str
    headers: tuple[str, ...]
    lines: int

    def rows(self) -> Iterator[Row]:
        """The rows below the header; empty ones are left out."""
        with self.path.open(encoding=self.encoding, newline=self.newline) as file:
            rows = (row for row in _parsed(file, self.delimiter) if not _blank(row))
            yield from itertools.islice(rows, 1, None)


def open_source(path: Path) -> Source:
    """Reads the file once through, so that nothing is begun with one that ends in garbage.

    Raises UnreadableFileError and OSError.
    """
    encoding = _encoding(path)
    newline = _newline(path)
    lines = _check_encoding(path, encoding, newline)
    with path.open(encoding=encoding, newline=newline) as file:
        delimiter = _delimiter(next((line for line in file if line.strip()), ""))
    with path.open(encoding=encoding, newline=newline) as file:
        header = next((row for row in _parsed(file, delimiter) if not _blank(row)), None)
    if header is None:
        raise UnreadableFileError(_("The file is empty. Its first row must name the columns."))
    if header.trouble:
        raise UnreadableFileError(header.trouble, header.line)
    return Source(path, encoding, newline, delimiter, tuple(cell.strip() for cell in header.cells), lines)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start in UTF32:
        raise UnreadableFileError(_("The file is UTF-32. Save it as “CSV UTF-8”."))
    if start[:2] in UTF16:
        return "utf-16"
    if start[1:2] == b"\0" or start[:1] == b"\0":
        raise UnreadableFileError(_("The file looks like UTF-16 without a byte order mark. Save it as “CSV UTF-8”."))
    return "utf-8-sig"


def _newline(path: Path) -> str:
    """Lines end as editors count them: by line feed, or by carriage return where there is no line feed at all."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK), b"")
        found = set(itertools.chain.from_iterable(re.findall(rb"[\r\n]", chunk) for chunk in chunks))
    return "\r" if found == {b"\r"} else "\n"


def _check_encoding(path: Path, encoding: str, newline: str) -> int:
    """The number of lines. Raises UnreadableFileError with the place of the first byte that does not belong."""
    lines, before, decoder = 1, 0, codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                lines += decoder.decode(chunk, final=not chunk).count(newline)
            except UnicodeDecodeError as error:
                # What the decoder kept from the chunk before stands in front of this one.
                place = before + len(chunk) - len(error.object) + error.start
                raise _misfit(path, place, encoding, newline) from None
            if not chunk:
                return lines
            before += len(chunk)


def _misfit(path: Path, place: int, encoding: str, newline: str) -> UnreadableFileError:
    content = path.read_bytes()
    good = content[:place].decode(encoding, errors="ignore")
    text = _(
        "Character ${column} on this line is not valid ${encoding} (byte ${byte}). Save the file as “CSV UTF-8”.",
        mapping={
            "column": len(good.rpartition(newline)[2]) + 1,
            "encoding": "UTF-16" if encoding == "utf-16" else "UTF-8",
            "byte": f"0x{content[place]:02X}",
        },
    )
    return UnreadableFileError(text, good.count(newline) + 1)


def _blank(row: Row) -> bool:
    return not row.trouble and not any(map(str.strip, row.cells))


def _delimiter(header: str) -> str:
    """The one of DELIMITERS that the header line has most of, outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)


def _parsed(file: TextIO, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # The reader goes on with the next line.
            yield Row(line, trouble=_trouble(str(error), delimiter))
        else:
            if cells is None:
                return
            yield Row(line, tuple(cells))
        line = reader.line_num + 1


def _trouble(error: str, delimiter: str) -> str:
    """What the csv module says, as something that a person can act upon."""
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
        "text follows a closing quote; double the quotes inside a text and separate cells with “${mark}”",
        mapping={"mark": mark},
    )

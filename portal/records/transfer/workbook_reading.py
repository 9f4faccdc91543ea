"""Reads a workbook (.xlsx) as rows of texts, in the form that an import expects; formulas are read as their results.

The first visible sheet is read, row by row. Limits are checked before anything is unpacked, and whatever openpyxl
raises for a damaged file becomes one sentence.
"""

import datetime
import re
import warnings
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from pathlib import Path
from typing import IO, Any

import openpyxl

from portal.records.transfer.csv_reading import CsvRow, UnreadableFileError
from portal.texts import _

MOST_ROWS = 1_048_576  # of a sheet; a file may claim more
MOST_DIGITS = 15  # of a number; further ones are artifacts of floating point
HALF_SECOND = datetime.timedelta(milliseconds=500)
# A format that pads with zeros, for postal codes or personal numbers; spreadsheets support no longer ones.
ZEROS = re.compile("0{2,255}")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# No spreadsheet writes one; its entities may expand a few words into any amount of text.
DOCUMENT_TYPE = re.compile(rb"<\0?!\0?D")
CHUNK = 1 << 20
# Bytes that an element counts in addition to its own, since each costs time and memory: formats and names far more than
# elements of the parts in which many are usual.
OF_ELEMENT, OF_ELEMENT_OF_MANY = 500, 50
MANY = tuple(
    f"xl/{name}" for name in ("worksheets/", "sharedStrings", "calcChain", "pivotCache/", "charts/", "drawings/")
)

# Its warnings are about unknown styles and extensions, which do not affect values.
warnings.filterwarnings("ignore", module="openpyxl")


@dataclass(frozen=True)
class WorkbookSource:
    """A workbook whose headers are known. `has_formulas`: whether cells may lack the results of their formulas."""

    path: Path
    headers: tuple[str, ...]
    has_formulas: bool
    lines: int | None = None

    def rows(self) -> Iterator[CsvRow]:
        """The rows below the header, without empty ones. Raises UnreadableFileError."""
        rows = _filled_rows(self.path, self.has_formulas)
        next(rows, None)
        for row in rows:
            yield CsvRow(row.line, row.cells + ("",) * (len(self.headers) - len(row.cells)), row.problem)


def open_workbook(path: Path, most_unpacked: int) -> WorkbookSource:
    """Opens a workbook for import, and reads its header. Raises UnreadableFileError."""
    with _damage_explained():
        has_formulas = _check_archive(path, most_unpacked)
    with closing(_filled_rows(path, has_formulas)) as rows:
        header = next(rows, None)
    if header is None:
        raise UnreadableFileError(_("The file is empty. Its first row must name the columns."))
    if header.problem:
        raise UnreadableFileError(header.problem, header.line)
    headers = [cell.strip() for cell in header.cells]
    while headers and not headers[-1]:
        headers.pop()
    return WorkbookSource(path, tuple(headers), has_formulas)


def _check_archive(path: Path, most_unpacked: int) -> bool:
    """Whether there are formulas. Raises UnreadableFileError if it is not a workbook, or too large."""
    with zipfile.ZipFile(path) as archive:
        names, size = archive.namelist(), sum(entry.file_size for entry in archive.infolist())
        if "xl/workbook.xml" not in names:
            raise UnreadableFileError(_("This is not an Excel workbook. Save it as .xlsx, or as “CSV UTF-8”."))
        has_formulas = False
        for name in names if size <= most_unpacked else ():
            # The library truncates what unpacks to more than the archive declares.
            with archive.open(name) as part:
                elements, has_formula = _look_through(part)
            size += elements * (OF_ELEMENT_OF_MANY if name.startswith(MANY) else OF_ELEMENT)
            has_formulas |= has_formula and name.startswith("xl/worksheets/")
        if size > most_unpacked:
            facts = {"most": f"{most_unpacked // 1_000_000:,}"}
            raise UnreadableFileError(_("Uncompressed, the workbook is larger than ${most} MB.", mapping=facts))
        return has_formulas


def _look_through(part: IO[bytes]) -> tuple[int, bool]:
    """How many elements a workbook's part has, and whether one is a formula. Raises ValueError for a document type."""
    elements, has_formula, end = 0, False, b""
    while chunk := part.read(CHUNK):
        text = end + chunk
        if DOCUMENT_TYPE.search(text):
            raise ValueError("a document type")
        elements += chunk.count(b"<") - chunk.count(b"</")
        has_formula = has_formula or FORMULA.search(text) is not None
        end = chunk[-20:]
    return elements, has_formula


def _filled_rows(path: Path, has_formulas: bool) -> Generator[CsvRow, None, None]:
    """The rows of a workbook with a non-empty cell."""
    with _damage_explained(), ExitStack() as books:
        results = _rows(books.enter_context(_open(path)))
        formulas: Iterator[Sequence[Any]] = repeat(())
        if has_formulas:
            formulas = _rows(books.enter_context(_open(path, results=False)))
        for line, (row, formula_row) in enumerate(zip(results, formulas, strict=False), 1):
            problem = next(filter(None, map(_problem, row)), None) or _missing_result(row, formula_row)
            cells = tuple(map(_text, row))
            if problem or any(map(str.strip, cells)):
                yield CsvRow(line, cells, problem)


@contextmanager
def _open(path: Path, results: bool = True) -> Iterator[Any]:
    # Opened as a stream: given a name, openpyxl refuses files with another extension.
    with (
        path.open("rb") as file,
        closing(openpyxl.load_workbook(file, read_only=True, data_only=results, keep_links=False)) as book,
    ):
        yield book


def _first_sheet(book: Any) -> Any:
    visible = (sheet for sheet in book.worksheets if sheet.sheet_state == "visible")
    sheet = next(visible, None)
    if sheet is None:
        raise UnreadableFileError(_("The workbook has no sheet with cells."))
    return sheet


def _rows(book: Any) -> Iterator[Sequence[Any]]:
    sheet = _first_sheet(book)
    sheet.reset_dimensions()  # some programs write wrong ones
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(max_row=MOST_ROWS)
    return rows


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except (UnreadableFileError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever a damaged part happens to make of it
        raise UnreadableFileError(
            _("The workbook is damaged. Open it in a spreadsheet program and save it again.")
        ) from error


def _problem(cell: Any) -> str | None:
    if cell.data_type != "e":
        return None
    facts = {"cell": cell.coordinate, "error": str(cell.value)[:20]}
    return _("Cell ${cell} has the error “${error}”.", mapping=facts)


def _missing_result(row: Sequence[Any], formula_row: Sequence[Any]) -> str | None:
    """Why a row of a workbook cannot be used: a program wrote a formula that no spreadsheet has computed yet."""
    for cell, formula in zip(row, formula_row, strict=False):
        if cell.value is None and formula.data_type == "f":
            return _(
                "The formula in cell ${cell} has no result. Open the file in a spreadsheet program and save it again.",
                mapping={"cell": formula.coordinate},
            )
    return None


def _text(cell: Any) -> str:
    """The value of a workbook's cell, as machines write it."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, datetime.datetime):
        value = (value + HALF_SECOND).replace(microsecond=0)
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, datetime.time):
        return value.replace(microsecond=0).isoformat()
    return str(value)


def _number(value: float, number_format: str) -> str:
    """A number in a workbook as people see it, without artifacts of floating point."""
    number = Decimal(f"{value:.{MOST_DIGITS}g}") if isinstance(value, float) else Decimal(value)
    if "%" in number_format:
        return f"{number.scaleb(2).normalize():f}%"
    text = f"{number.normalize():f}" if number else "0"
    return text.zfill(len(number_format)) if ZEROS.fullmatch(number_format) else text

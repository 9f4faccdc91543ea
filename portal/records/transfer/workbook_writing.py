"""Writes a list as a workbook (.xlsx): numbers, dates and amounts that spreadsheets can compute with; texts stay texts.

Rows go to a temporary file as they are written, so that memory does not grow with them.
"""

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from portal.fields.reader import Reader
from portal.fields.sheet_cell import SheetCell
from portal.records.transfer.spreadsheet_formulas import protect_cell, unprotect_cell

MOST_ROWS = 1_048_576  # of a sheet
LONGEST_TEXT = 32_767  # characters in a cell
WIDEST, NARROWEST = 60, 8  # characters
FORMULA_MARKS = ("=", "+", "-", "@")
NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def write_workbook(
    file: BinaryIO, title: str, headers: Sequence[str], rows: Iterable[Sequence[SheetCell | str]], reader: Reader
) -> None:
    """Writes a whole workbook; `title` names the sheet. Rows that do not fit continue on another sheet."""
    workbook = _Workbook(file, title, headers, reader)
    for row in rows:
        workbook.add(row)
    workbook.close()


class _Workbook:
    """A workbook that is being written, row by row."""

    def __init__(self, file: BinaryIO, title: str, headers: Sequence[str], reader: Reader) -> None:
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_urls": False})
        self._title, self._headers = NO_SHEET_NAME.sub(" ", title).strip(" '") or "Export", headers
        self._from_right = reader.locale.text_direction == "rtl"
        self._header = self._book.add_format({"bold": True, "bottom": 1})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._formats: dict[str | int, Format] = {}
        self._widths = [0] * len(headers)
        self._sheets = 0
        self._sheet = self._new_sheet()

    def add(self, cells: Sequence[SheetCell | str]) -> None:
        """Writes a row."""
        if self._row == MOST_ROWS:
            self._finish_sheet()
            self._sheet = self._new_sheet()
        for column, cell in enumerate(cells):
            if isinstance(cell, SheetCell):
                self._write_value(column, cell)
            elif cell:
                self._write_text(column, cell)
        self._row += 1

    def close(self) -> None:
        """Writes the file."""
        self._finish_sheet()
        self._book.close()

    def _new_sheet(self) -> Worksheet:
        self._sheets += 1
        number = f" {self._sheets}" if self._sheets > 1 else ""
        sheet = self._book.add_worksheet(f"{self._title[: 31 - len(number)].rstrip()}{number}")
        sheet.freeze_panes(1, 0)
        if self._from_right:
            sheet.right_to_left()
        for column, header in enumerate(self._headers):
            sheet.write_string(0, column, header, self._header)
            self._widen(column, len(header) + 3)  # leaves room for the filter button
        self._row = 1
        return sheet

    def _finish_sheet(self) -> None:
        if self._headers:
            self._sheet.autofilter(0, 0, max(self._row - 1, 1), len(self._headers) - 1)
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, min(max(width + 1, NARROWEST), WIDEST))

    def _write_value(self, column: int, cell: SheetCell) -> None:
        value, number_format = cell
        look = self._formats.get(number_format)
        if look is None:
            look = self._formats[number_format] = self._book.add_format({"num_format": number_format})
        if isinstance(value, bool):
            self._sheet.write_boolean(self._row, column, value, look)
            width = 7
        elif isinstance(value, datetime.date | datetime.time | datetime.timedelta):
            self._sheet.write_datetime(self._row, column, value, look)
            width = 17 if isinstance(value, datetime.datetime) else 11
        else:
            self._sheet.write_number(self._row, column, value, look)
            width = len(f"{value:,}") + (0 if number_format == "General" else 6)
        self._widen(column, width)

    def _write_text(self, column: int, text: str) -> None:
        # An import would take such an apostrophe for the one that protects a cell in CSV.
        text = text if unprotect_cell(text) == text else protect_cell(text)
        if len(text) > LONGEST_TEXT:
            text = f"{text[: LONGEST_TEXT - 1]}…"
        self._sheet.write_string(self._row, column, text, self._quoted if text.startswith(FORMULA_MARKS) else None)
        self._widen(column, max(map(len, text[:200].splitlines()), default=0))

    def _widen(self, column: int, width: int) -> None:
        if width > self._widths[column]:
            self._widths[column] = width

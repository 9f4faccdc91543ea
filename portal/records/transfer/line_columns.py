"""The rows of `lines` fields as columns of their records' file: lines.0.product, lines.0.quantity, lines.1.product.

The number orders the rows of a record; a row with only empty cells does not count.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import machine_reader
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.transfer.csv_columns import settable
from portal.records.transfer.csv_reading import CsvRow, CsvRows
from portal.records.transfer.exporting import RawCells
from portal.texts import fold

MOST_ROWS = 200  # of a record that an export writes into columns
HEADER = re.compile(r"\s*([^.]+)\.([0-9]{1,5})\.(.+)", re.DOTALL)


class TooManyRowsError(Exception):
    """A record has too many rows for columns; the message says how many."""


@dataclass(frozen=True)
class RowColumns:
    """The rows of one `lines` field in the columns of the file `source`, as if they were in their own file."""

    source: CsvRows
    headers: tuple[str, ...]
    cells: tuple[Mapping[str, int], ...]  # by row, the place of each header's cell

    def rows(self) -> Iterator[CsvRow]:
        """The non-empty rows, each with the line of its record."""
        for record in self.source.rows():
            for places in self.cells:
                cells = tuple(_cell(record.cells, places.get(header)) for header in self.headers)
                if any(map(str.strip, cells)):
                    yield CsvRow(record.line, cells)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def row_columns(module: Module, source: CsvRows, left_out: Sequence[str]) -> dict[str, RowColumns]:
    """The rows in the columns of a file, by field; headers `left_out` belong elsewhere."""
    columns: dict[str, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for place, header in enumerate(source.headers):
        if header not in left_out and (parts := _parts(module, header)):
            name, number, column = parts
            columns[name][number][column] = place
    return {name: _columns(source, by_number) for name, by_number in columns.items()}


def _columns(source: CsvRows, by_number: Mapping[int, Mapping[str, int]]) -> RowColumns:
    headers = dict.fromkeys(header for number in sorted(by_number) for header in by_number[number])
    return RowColumns(source, tuple(headers), tuple(by_number[number] for number in sorted(by_number)))


def without_row_columns(module: Module, headers: Sequence[str], left_out: Sequence[str]) -> tuple[str, ...]:
    """The headers of a file, with "" for columns that hold rows."""
    return tuple(header if header in left_out or not _parts(module, header) else "" for header in headers)


def _parts(module: Module, header: str) -> tuple[str, int, str] | None:
    """The field, the number of the row and the header of its column; None if the column holds no rows."""
    match = HEADER.fullmatch(header)
    name = fold(match[1]) if match else ""
    field = module.fields.get(name)
    return (name, int(match[2]), match[3].strip()) if match and field and field.row_fields else None


class WrittenRowColumns:
    """The rows of a field as columns of an export: as many as the record with the most rows needs.

    Raises TooManyRowsError.
    """

    def __init__(self, system: Records, field: Field) -> None:
        of_rows = rows_of(system, field)
        self.name = field.name
        self._raw = RawCells(list(settable(of_rows.module).values()), machine_reader(system.policy.reader))
        table = system.policy.tables.module(of_rows.name)
        numbers = sa.select(sa.func.count(table.c["id"]).label("number")).group_by(table.c["_record"]).subquery()
        self._most = system.connection.scalar(sa.select(sa.func.max(numbers.c["number"]))) or 0
        if self._most > MOST_ROWS:
            raise TooManyRowsError(f"a record has {self._most:,} {field.name}, and columns hold at most {MOST_ROWS}")

    @property
    def headers(self) -> list[str]:
        return [f"{self.name}.{number}.{header}" for number in range(self._most) for header in self._raw.headers]

    def of(self, values: Mapping[str, Any]) -> list[str]:
        """The cells of a record."""
        cells = [cell for row in values[self.name] for cell in self._raw.of(row.values)]
        return cells + [""] * (len(self._raw.headers) * self._most - len(cells))

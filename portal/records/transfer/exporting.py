"""Exports records to files, page by page, so that memory does not grow with the table.

`Export` writes all of a module for `portal import` as CSV: field names and raw values. `list_export` has what a list
shows its reader: labels, titles and words in their language, but dates, numbers and amounts as programs read them; as
CSV, or as a workbook (workbook_writing.py). All of them can be imported again. Formulas are disarmed in CSV
(spreadsheet_formulas.py).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from portal.batches import batched
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.reader import Reader, machine_reader
from portal.fields.refused import Refused
from portal.fields.sheet_cell import SheetCell
from portal.lazy import LazyModule
from portal.records.reading.records import Query, Record, Records
from portal.records.transfer.csv_columns import ATTACHMENTS, CURRENCY, header_of, part_names, settable
from portal.records.transfer.exporting_files import FileExport
from portal.records.transfer.records_by_name import written_names
from portal.records.transfer.spreadsheet_formulas import protect_cell

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets assume the machine's legacy encoding
BATCH = 500

workbook_writing = LazyModule("portal.records.transfer.workbook_writing")


@dataclass(frozen=True)
class ListExport:
    """A list as it is exported for people, for any kind of file.

    `entries`: its records, or the rows in them, each with the cells that precede those of its fields.
    """

    headers: Sequence[str]
    cells: "ListCells"
    entries: Iterable[tuple[Sequence[str], Record | Row]]

    def csv_file(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        yield csv_lines([self.headers], BYTE_ORDER_MARK)
        for batch in batched(self.entries, BATCH):
            yield csv_lines([*before, *self.cells.of(entry)] for before, entry in batch)

    def write_workbook(self, file: BinaryIO, title: str) -> None:
        """Writes it as a workbook whose sheet is named `title`."""
        rows = ([*before, *self.cells.of_sheet(entry)] for before, entry in self.entries)
        workbook_writing.write_workbook(file, title, self.headers, rows, self.cells.reader)


def list_export(records: Records, query: Query, columns: Sequence[str], reader: Reader) -> ListExport:
    """The export of a list for people: all records of `query`, the readable `columns`, in the reader's language."""
    module, languages = records.module, records.policy.declaration.settings.languages
    names = [name for name in columns if name in records.policy.readable(records.name)]
    fields = [module.field(name) for name in names]
    cells = ListCells(records.policy.declaration.modules[records.name], fields, reader)
    headers = [
        header_of(module, field, reader.language, languages, part)
        for field in fields
        for part in cells.column_parts(field)
    ]
    return ListExport(headers, cells, (((), record) for record in records.iterate(query, names, size=BATCH)))


class ListCells:
    """The cells of a list's export for one reader. `module`: with the labels that an import knows."""

    def __init__(self, module: Module, fields: Sequence[Field], reader: Reader) -> None:
        self.module, self.fields, self.reader = module, fields, reader
        self._machine = machine_reader(reader)
        self._amounts = {field.name for field in fields if CURRENCY in part_names(field)}
        self._words: dict[tuple[str, Any], str] = {}

    def column_parts(self, field: Field) -> tuple[str, ...]:
        """The parts of a field that have a column, "" for the field itself: an amount has one for its currency too."""
        return ("", CURRENCY) if field.name in self._amounts else ("",)

    def of(self, record: Record | Row) -> list[str]:
        """The cells of a record or a row, as texts."""
        return [text for field in self.fields for text in self._texts(field, record.values[field.name])]

    def of_sheet(self, record: Record | Row) -> list[SheetCell | str]:
        """The cells of a record or a row for a workbook: what a spreadsheet can compute with is not text."""
        cells: list[SheetCell | str] = []
        for field in self.fields:
            value = record.values[field.name]
            cell = None if field.is_empty(value) else field.sheet_cell(value, self.reader)
            if cell is None or field.name in self._amounts:
                text, *others = self._texts(field, value)
                cells += [cell or text, *others]
            else:
                cells.append(cell)
        return cells

    def _texts(self, field: Field, value: Any) -> list[str]:
        if field.name in self._amounts:
            return _part_cells(field, value, self._machine)
        return [self._cell(field, value)]

    def _cell(self, field: Field, value: Any) -> str:
        if value is None or value == ():
            return ""
        if field.row_fields:
            return field.summary_cell(value)
        if field.targets:
            titles = [link.title for link in field.links_in(value) if link.title]
            return written_names(titles) if field.multiple else "".join(titles)
        if field.is_moment:
            return self._moment(field, value)
        return self._word(field, value) if field.offered else field.write(value)

    def _moment(self, field: Field, value: Any) -> str:
        """In the reader's zone and ISO order; the second of two equal hours in autumn also has its offset."""
        inputs = field.inputs(value, self.reader)
        texts = (str(inputs[name]) for name in (field.name, f"{field.name}.time") if name in inputs)
        local = " ".join(texts).replace("T", " ")
        return f"{local}{value.astimezone(self.reader.time_zone):%z}" if f"{field.name}.later" in inputs else local

    def _word(self, field: Field, value: Any) -> str:
        """Options in the words of the reader's profile, else the module's; the raw value if neither can be imported."""
        key = (field.name, value)
        if key not in self._words:
            declared = self.module.field(field.name)
            labels = [field.show(value, self.reader), declared.show(value, self.reader)]
            readable = (label for label in labels if _reads_as(declared, label, value, self.reader.machine))
            self._words[key] = next(readable, field.write(value))
        return self._words[key]


class RowCells(Protocol):
    """The exported rows of the field `name` in columns of their records' file."""

    name: str

    @property
    def headers(self) -> list[str]: ...

    def of(self, values: Mapping[str, Any]) -> list[str]: ...


class Export:
    """An export of all records of a module, oldest first, with every field that an import may set; `done` counts them.

    `rows`: the `lines` fields whose rows are in the same file.
    """

    def __init__(
        self,
        system: Records,
        report_progress: Callable[[int], None] = lambda done: None,
        files: FileExport | None = None,
        rows: Sequence[RowCells] = (),
    ) -> None:
        self.system, self.report_progress, self.done, self.files = system, report_progress, 0, files
        self.rows = rows
        fields = settable(system.module)
        builtin = [name for name in fields if name in system.module.builtin]
        self.fields = [fields[name] for name in dict.fromkeys([*builtin, *fields])]
        self._raw = RawCells(self.fields, machine_reader(system.policy.reader))

    def chunks(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        of_rows = [header for rows in self.rows for header in rows.headers]
        yield csv_lines([[*self._raw.headers, *of_rows, *([ATTACHMENTS] if self.files else [])]])
        names = [field.name for field in self.fields] + [rows.name for rows in self.rows]
        for chunk in _chunks(self.system.iterate(Query(sort=("id",)), names, size=BATCH), self._cells):
            yield chunk
            self.report_progress(self.done)

    def _cells(self, record: Record) -> list[str]:
        self.done += 1
        paths = self.files.cells(record) if self.files else {}
        cells = self._raw.of(record.values, paths)
        cells += [cell for rows in self.rows for cell in rows.of(record.values)]
        return [*cells, paths[ATTACHMENTS]] if self.files else cells


class RawCells:
    """The cells of exported `fields` as an import reads them, and their headers."""

    def __init__(self, fields: Sequence[Field], reader: Reader) -> None:
        self._fields, self._reader = fields, reader
        self._in_parts = {field.name for field in fields if part_names(field)}

    @property
    def headers(self) -> list[str]:
        names = [field.inputs(None, self._reader) if part_names(field) else (field.name,) for field in self._fields]
        return [name for several in names for name in several]

    def of(self, values: Mapping[str, Any], paths: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """The cells of a record or a row with `values`; `paths`: of its files, by field."""
        cells: list[str] = []
        for field in self._fields:
            value = values[field.name]
            if field.name in self._in_parts:
                cells += _part_cells(field, value, self._reader)
            elif field.multiple and field.targets:
                cells.append(written_names(link.raw for link in value or ()))
            else:
                cells.append(paths.get(field.name) or field.write(value))
        return cells


def _part_cells(field: Field, value: Any, reader: Reader) -> list[str]:
    """The exported cells of a value with parts, an amount or an address, in the order of its inputs."""
    inputs = field.inputs(value, reader)
    return [""] * len(inputs) if value is None else [str(cell) for cell in inputs.values()]


def _reads_as(field: Field, text: str, value: Any, reader: Reader) -> bool:
    try:
        return bool(field.read(text, reader) == value)
    except Refused:
        return False


def _chunks(records: Iterator[Record], cells: Callable[[Record], Iterable[str]]) -> Iterator[bytes]:
    for batch in batched(records, BATCH):
        yield csv_lines(map(cells, batch))


def csv_lines(rows: Iterable[Iterable[str]], start: str = "") -> bytes:
    """The lines of an export: rows as CSV, after `start`."""
    text = io.StringIO(start, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerows([protect_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()

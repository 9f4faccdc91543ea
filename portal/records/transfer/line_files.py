"""The rows of `lines` fields in their own files, next to that of their module: orders.csv, orders_lines.csv.

A row names its record in the column `_record`, in the same way as links. A file holds all rows of the records that it
names, and these replace the existing ones. All rows of a file are in memory at once, since those of one record may be
anywhere in it. Rows in columns of their module's own file (line_columns.py) are imported here too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from portal.batches import batched
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.link import Link
from portal.fields.reader import Reader, machine_reader
from portal.records.indexing.formulas import recomputed
from portal.records.indexing.search_entries import replace_texts
from portal.records.reading.records import Query, Records
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.transfer.checking import Checking
from portal.records.transfer.csv_columns import WrongColumnsError, find_columns, header_of, settable
from portal.records.transfer.csv_reading import CsvRows
from portal.records.transfer.exporting import BATCH, ListCells, ListExport, RawCells, csv_lines
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.import_row import BadCell, ImportRow
from portal.records.transfer.row_buffer import RowBuffer
from portal.records.writing.history import SYSTEM
from portal.records.writing.links_and_lines import with_whole_rows, write_own_tables
from portal.records.writing.module_rows import row_writer
from portal.records.writing.writer import Writer
from portal.texts import _

RECORD = "_record"
EVENT = "imported"


@dataclass(frozen=True)
class RowsReport:
    """How many rows there are, for how many records, for how many of them they differ; and every bad cell."""

    rows: int
    records: int
    changed: int
    bad: list[BadCell]

    @property
    def bad_rows(self) -> int:
        """How many rows of the file have bad cells."""
        return len({bad.line for bad in self.bad})


@dataclass(frozen=True)
class Owners:
    """The records to which the rows of a file belong.

    `new`: those imported together with their rows, which then do not count as a change. `by_line`: all of them, if a
    row is on the line of its record instead of naming it; a record without rows loses those it has. `imported`: whether
    those of the file exist. If not, rows are only checked, and may name a record that is still to be created.
    """

    new: Collection[int] = ()
    by_line: Mapping[int, int] | None = None
    imported: bool = True


def file_beside(file: Path, field: Field) -> Path:
    """The file with the rows of a field, next to that of its module."""
    return file.with_name(f"{file.stem}_{field.name}{file.suffix}")


def exported_rows(system: Records, field: Field) -> Iterator[bytes]:
    """All rows of a field as CSV, those of the oldest record first."""
    columns = list(settable(rows_of(system, field).module).values())
    raw = RawCells(columns, machine_reader(system.policy.reader))
    yield csv_lines([[RECORD, *raw.headers]])
    unique = system.module.unique_text
    names = [field.name, *([unique.name] if unique else [])]
    for batch in batched(system.iterate(Query(sort=("id",)), names, size=BATCH), BATCH):
        yield csv_lines(
            [str((unique and record.values[unique.name]) or record.reference), *raw.of(row.values)]
            for record in batch
            for row in record.values[field.name]
        )


def exported_list_rows(records: Records, field: Field, query: Query, reader: Reader) -> ListExport:
    """The exported rows of a field of `query`'s records, for people: labels, and columns their reader may read.

    The first column names the record by its reference; `import_rows` can import the file.
    """
    rows, languages = _imported_rows(records, field), records.policy.declaration.settings.languages
    record = rows.module.fields[RECORD]
    columns = [rows.module.fields[name] for name in records.policy.columns(field)]
    cells = ListCells(records.policy.declaration.row_modules[rows.name], columns, reader)
    headers = [(record, ""), *((column, part) for column in columns for part in cells.column_parts(column))]
    entries = (
        ((record.reference,), row)
        for record in records.iterate(query, [field.name], size=BATCH)
        for row in record.values[field.name]
    )
    return ListExport(
        [header_of(rows.module, column, reader.language, languages, part) for column, part in headers], cells, entries
    )


@dataclass(frozen=True)
class ImportedRows(RowRecords):
    """The rows of a file, each with the record to which it belongs."""

    @cached_property
    def module(self) -> Module:
        declared = self.policy.declaration.row_modules[self.name]
        label = self.policy.declaration.modules[self.form_of].singular
        record = Link(name=RECORD, type="link", to=(self.form_of,), required=True, label=label)
        return Module(name=self.name, fields={RECORD: record, **declared.fields}, label=declared.label)


def import_rows(
    system: Records,
    field: Field,
    source: CsvRows,
    options: ImportOptions,
    owners: Owners = Owners(),  # noqa: B008 - frozen
    on_checked: Callable[[int], None] = lambda line: None,
) -> RowsReport:
    """Imports a file of rows: checks them and gives them to the records that they name, unless one is bad.

    With `skip_bad`, the records of bad rows keep their present rows. Raises WrongColumnsError.
    """
    system = replace(system, policy=replace(system.policy, reader=machine_reader(system.policy.reader)))
    of_lines = owners.by_line
    rows = _imported_rows(system, field) if of_lines is None else rows_of(system, field)
    languages = system.policy.declaration.settings.languages
    columns = find_columns(rows.module, languages, source.headers, {}, None)
    if columns.problems:
        raise WrongColumnsError(columns.problems)
    by_record: dict[int, list[ImportRow]] = {record_id: [] for record_id in (of_lines or {}).values()}
    number = 0
    with RowBuffer() as buffer:
        checking = Checking(rows, source, columns.imported, ImportOptions(notation=options.notation))
        checking.check(buffer, on_checked)
        for row in buffer:
            number += 1
            if record_id := _record_of(row, of_lines):
                by_record.setdefault(record_id, []).append(row)
        left_out = {_record_of(row, of_lines) for row in buffer.passed_over()}
    bad_cells = checking.bad
    if not owners.imported:
        record = next((column.header for column in columns.imported if column.field.name == RECORD), None)
        bad_cells = [cell for cell in bad_cells if cell.column != record]
    bad = [*bad_cells, *_refused_rows(field, by_record), *_without_rows(field, by_record, of_lines or {})]
    refused = {cell.line for cell in bad}
    left_out |= {record for record, of_record in by_record.items() if any(row.line in refused for row in of_record)}
    left_out |= {record_id for line, record_id in (of_lines or {}).items() if line in refused}
    changed = 0
    if owners.imported and (not bad or options.skip_bad):
        complete = {record: rows for record, rows in by_record.items() if record not in left_out}
        changed = _store(system, field, complete, owners.new)
    with_rows = sum(map(bool, by_record.values()))
    return RowsReport(number, with_rows, changed, sorted(bad, key=lambda cell: cell.line))


def _imported_rows(system: Records, field: Field) -> ImportedRows:
    """The rows of a `lines` field with a column that names their record."""
    of_rows = rows_of(system, field)
    return ImportedRows(system.connection, system.policy, of_rows.name, form_of=of_rows.form_of)


def _record_of(row: ImportRow, of_lines: Mapping[int, int] | None) -> int:
    """The id of the record to which a row belongs; 0 if there is none, or it is not imported."""
    if of_lines is not None:
        return of_lines.get(row.line, 0)
    record = row.values.get(RECORD)
    return record.id if record else 0


def _without_rows(
    field: Field, by_record: Mapping[int, list[ImportRow]], of_lines: Mapping[int, int]
) -> Iterator[BadCell]:
    """Bad cells of the file of records, for those that must have rows and get none from the file of rows."""
    for line, record_id in of_lines.items():
        if not by_record[record_id] and (problem := field.wrong_number(0) or (field.required and _("Required"))):
            yield BadCell(line, field.name, problem)


def _refused_rows(field: Field, by_record: dict[int, list[ImportRow]]) -> Iterator[BadCell]:
    """Bad cells in a file of rows: too many or too few of a record, and values that two may not share."""
    for rows in filter(None, by_record.values()):
        if problem := field.wrong_number(len(rows)):
            yield BadCell(rows[0].line, "", problem)
        for line, name in field.repeated_values([(row.line, row.values) for row in rows]):
            yield BadCell(line, name, _("Another line already has this value."))


def _store(system: Records, field: Field, by_record: dict[int, list[ImportRow]], added_ids: Collection[int]) -> int:
    """Writes the rows of a file; returns for how many records they differ from the present ones."""
    writer, changed = Writer(system, SYSTEM), 0
    for ids in batched(by_record, BATCH):
        for record in system.by_ids(list(ids), [field.name]):
            rows = tuple(Row({name: row.values.get(name) for name in field.row_fields}) for row in by_record[record.id])
            if _bare(rows, field) == _bare(record.values[field.name], field):
                continue
            changed += 1
            if record.id in added_ids:
                _complete(system, record.id, {field.name: rows})
            else:
                writer.change(record, {field.name: rows}, record.version, EVENT)
    return changed


def _complete(system: Records, record_id: int, values: dict[str, Any]) -> None:
    """Gives rows to a record that was imported with them."""
    whole = with_whole_rows(system, values)
    write_own_tables(system, record_id, whole)
    if columns := recomputed(system, record_id, whole):
        row_writer(system).touch(record_id, columns)
    replace_texts(system, [record_id])


def _bare(rows: tuple[Row, ...], field: Field) -> list[list[Any]]:
    """The rows of a file to compare: without computed values, with one kind of empty value."""
    columns = [(name, column) for name, column in field.row_fields.items() if not column.computed]
    return [[None if column.is_empty(row.get(name)) else row.get(name) for name, column in columns] for row in rows]

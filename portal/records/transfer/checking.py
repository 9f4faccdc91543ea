"""Checks the rows of a file and finds every bad cell, with its line. Writes nothing.

Rows are read in batches, so that links, keys and unique values need few queries per batch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.batches import batched
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.refused import Refused
from portal.records.reading.records import Record, Records
from portal.records.transfer.csv_columns import ATTACHMENTS, SETTABLE, CsvColumn, part_names
from portal.records.transfer.csv_reading import CsvRow, CsvRows
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.import_row import BadCell, CellForm, ImportRow, changed_values
from portal.records.transfer.importing_files import same_names
from portal.records.transfer.records_by_name import LinkedLines, RowLinks, ids_by_name, records_by_key
from portal.records.transfer.row_buffer import RowBuffer
from portal.records.transfer.spreadsheet_formulas import unprotect_cell
from portal.records.writing.defaults import defaults
from portal.records.writing.form_conditions import EMPTY, hidden_values, is_locked, is_required, is_shown
from portal.records.writing.matching_values import UNFITTING, fields_to_match, mismatch_problem, without_mismatches
from portal.records.writing.values_behind_links import followed_defaults
from portal.texts import _, ngettext

BATCH = 1000
KEY_FIELDS = ("reference", "number")  # set once, when a record is created
LARGEST_NUMBER = 10**15  # of a record: the portal counts on from it, in 64-bit integers


class Checking:
    """Checks the rows of one file for one module, as the portal itself sees it, or the person who imports."""

    def __init__(
        self,
        records: Records,
        source: CsvRows,
        columns: Sequence[CsvColumn],
        options: ImportOptions,
    ) -> None:
        self._files, self._rights = options.files, options.rights
        self.records, self.source, self.columns, self.key = records, source, columns, options.key
        self.module, self.reader, self.notation = records.module, records.policy.reader, options.notation
        self.linked: LinkedLines = {}
        self.bad: list[BadCell] = []
        self._fields = {column.field.name: column.field for column in columns}
        self._headers = {column.field.name: column.header for column in reversed(columns)}
        links = [field for field in self._fields.values() if field.targets]
        self._links = RowLinks(records, links, self._refuse, as_offered=self._rights is not None)
        self._defaults = defaults(records)
        self._to_match = {
            field.name: (field.name, *fields)
            for field in self.module.fields.values()
            if (fields := fields_to_match(self.module, field))
        }
        # What new records need: for a person, no more than their form asks for.
        self._fields_of_new = self.module.fields
        if self._rights is not None:
            names = {*self._rights.new, *self._fields}
            self._fields_of_new = {name: field for name, field in self.module.fields.items() if name in names}
        # Words of other languages (“sì”) are tried if a cell has no meaning in English.
        languages = records.policy.declaration.settings.languages
        self._other_readers = [replace(self.reader, language=language) for language in languages if language != "en"]
        self._followed = [field for field in self.module.fields.values() if value_path(field.default)]
        self._bad_fields: dict[int, set[str]] = {}
        self._lines: dict[str, dict[Any, int]] = {}  # by field and value, the first that has it

    def check(self, buffer: RowBuffer, on_checked: Callable[[int], None] = lambda line: None) -> None:
        """Fills `buffer`, `linked` and `bad` from the whole file. `on_checked` gets the line reached so far."""
        for batch in batched(self.source.rows(), BATCH):
            rows = [row for source_row in batch if (row := self._import_row(source_row))]
            self._find_records(rows)
            for row in rows:
                self._read_cells(row)
            self._links.read(rows)
            for row in rows:
                self._follow_defaults(row)
                self._check_required(row)
                changed = changed_values(row)
                self._check_rights(row, changed)
                changed |= self._empty_hidden(row, changed)
                self._check_matches(row, changed)
                row.cells = {}
            for name, field in {**self.module.fields, **self._fields}.items():
                if field.unique or name in KEY_FIELDS or name == self.key:
                    self._check_unique(field, rows)
            buffer.add(rows)
            on_checked(batch[-1].line)
        self.linked = self._links.resolve(buffer, self._bad_fields)
        buffer.left_out = self._bad_fields
        self.bad.sort(key=lambda bad: bad.line)

    def _column(self, name: str) -> str:
        """How to refer to a field for which the file has no column: for a person on a page, by its label."""
        if not name or self._rights is None:
            return name
        return self.records.policy.reader.text(self.module.field(name).title)

    def _refuse(self, line: int, name: str, reason: str) -> None:
        """Notes what is wrong; `name` is that of a field, or "" for the row."""
        self.bad.append(BadCell(line, self._headers.get(name) or self._column(name), reason))
        self._bad_fields.setdefault(line, set()).add(name)

    # -- cells ------------------------------------------------------------------------------------------------------

    def _import_row(self, row: CsvRow) -> ImportRow | None:
        problem = row.problem or self._shape_problem(row)
        if problem:
            self._refuse(row.line, "", problem)
            return None
        cells: dict[str, dict[str, str]] = {}
        for column in self.columns:
            name = f"{column.field.name}.{column.part}" if column.part else column.field.name
            text = self.notation.filled(unprotect_cell(row.cells[column.index]))
            cells.setdefault(column.field.name, {})[name] = text
        return ImportRow(row.line, cells)

    def _shape_problem(self, row: CsvRow) -> str | None:
        """Why the row does not fit the header. Cells may be missing or in excess if they are empty."""
        headers = self.source.headers
        if any(cell.strip() for cell in row.cells[len(headers) :]):
            return ngettext(
                "The row has ${number} cell, the header ${headers}. Does a value contain the delimiter?",
                "The row has ${number} cells, the header ${headers}. Does a value contain the delimiter?",
                len(row.cells),
                headers=len(headers),
            )
        if any(headers[len(row.cells) :]):
            return ngettext(
                "The row has ${number} cell, the header ${headers}.",
                "The row has ${number} cells, the header ${headers}.",
                len(row.cells),
                headers=len(headers),
            )
        nameless = (cell for header, cell in zip(headers, row.cells, strict=False) if not header and cell.strip())
        return next(
            (_("“${cell}” is in a column without a header", mapping={"cell": cell[:80]}) for cell in nameless), None
        )

    def _find_records(self, rows: Iterable[ImportRow]) -> None:
        """Sets the records that `--key` finds."""
        if self.key is None:
            return
        names = {row: row.cells[self.key][self.key].strip() for row in rows}
        ids = ids_by_name(self.records, self._fields[self.key], {name for name in names.values() if name})
        found_ids = sorted({record_id for several in ids.values() for record_id in several})
        records = self._whole_records(found_ids)
        for row, name in names.items():
            matching = ids.get(name, [])
            if not name:
                self._refuse(row.line, self.key, _("Required, because it identifies the record"))
            elif len(matching) > 1:
                sentence = ngettext(
                    "${number} record has this value.", "${number} records have this value.", len(matching)
                )
                self._refuse(row.line, self.key, sentence)
            elif matching:
                row.record = records[matching[0]]

    def _whole_records(self, ids: Sequence[int]) -> dict[int, Record]:
        """The records by id, with values that a person may not read too: formulas and conditions use them."""
        names = self.module.everything
        records = {record.id: record for record in self.records.by_ids(ids, names)}
        if self._rights is None:
            return records
        stored = {record.id: record for record in self.records.as_system.by_ids(list(records), names)}
        return {
            record_id: record._replace(values={**stored[record_id].values, **record.values})
            for record_id, record in records.items()
        }

    def _read_cells(self, row: ImportRow) -> None:
        """Reads all values except links; the other values of a new record are the declared defaults."""
        if row.record is None:
            row.values |= self._defaults
            row.values |= {
                field.name: field.default_value(field.default, self.reader)
                for field in self.module.fields.values()
                if field.differs_by_default
            }
        for name, field in self._fields.items():
            if field.targets:
                continue
            try:
                if name == ATTACHMENTS:
                    if self._files is not None:
                        row.attachments = self._files.read_attachments(row.cells[name][name], row.record, self.records)
                    continue
                value = self._file(row, field) if field.by_upload else self._value(row, field)
            except Refused as refused:
                self._refuse(row.line, name, refused.message)
                continue
            # If the file is silent, the portal sets these itself.
            if value not in EMPTY or not (name == self.module.state_field or name in SETTABLE):
                row.values[name] = value

    def _file(self, row: ImportRow, field: Field) -> Any:
        text, present = row.cells[field.name][field.name], row.record.values[field.name] if row.record else None
        if self._files is None:
            return same_names(field, text, present)
        return self._files.read_field(field, text, present, self.records)

    def _value(self, row: ImportRow, field: Field) -> Any:
        cells = {name: self.notation.plain(field, text) for name, text in row.cells[field.name].items()}
        if list(cells) == [field.name] and not (row.record and part_names(field)):
            value = self._read_cell(field, cells[field.name])
        else:
            # What the file omits stays as it is: an amount alone keeps the record's currency.
            known = field.inputs(row.record.values[field.name], self.reader) if row.record else {}
            value = field.parse_form(CellForm({**known, **cells}), self.reader)
        if field.name == "number" and value is not None:
            _check_number(value)
        current = row.record.values[field.name] if row.record else None
        if row.record and (field.name in KEY_FIELDS or (field.signs and current)):
            if value not in (None, current):
                raise Refused(_("This cannot be changed. The record has ${value}.", mapping={"value": current}))
            return current if field.signs else None
        return value

    def _read_cell(self, field: Field, text: str) -> Any:
        try:
            return field.read(text, self.reader)
        except Refused as refused:
            own = self.module.field(field.name)  # with the labels of the profile, if there is one
            for reader in (self.reader, *self._other_readers):
                for labeled in (field, own):
                    try:
                        return labeled.read(text, reader)
                    except Refused:
                        continue
            raise refused from None

    # -- whole rows -------------------------------------------------------------------------------------------------

    def _follow_defaults(self, row: ImportRow) -> None:
        """Fills the fields of a new record that have no column in the file and whose default follows a link."""
        access = self.records.policy.access(self.records.name)
        settable = {*self._fields, *(access.set if access else ())}
        fields = [field for field in self._followed if field.name not in settable]
        if fields and row.record is None:
            # Not those that follow the default of a link that the file sets.
            row.values |= {field.name: None for field in fields}
            row.values |= followed_defaults(self.records, row.all_values(), fields)

    def _check_required(self, row: ImportRow) -> None:
        """Refuses empty cells of required fields, and filled ones of fields that `show_when` hides."""
        bad_fields = self._bad_fields.get(row.line, ())
        if self.key in bad_fields:
            return  # it is unknown whether this is a new record
        values = row.all_values()
        for name, field in (self._fields if row.record else self._fields_of_new).items():
            if field.computed or field.row_fields or name in bad_fields:
                continue
            unresolved = name in row.unresolved
            empty = field.is_empty(values.get(name)) and not unresolved
            if field.show_when is not None and not is_shown(self.records, field, values):
                if name in self._fields and not empty:
                    reason = _("This must be empty because of the row’s other values.")
                    self._refuse(row.line, name, reason)
                elif not row.record:
                    row.values[name] = None
            elif not unresolved and field.is_missing(values.get(name)) and is_required(self.records, field, values):
                self._refuse(row.line, name, _("Required"))

    def _check_matches(self, row: ImportRow, changed: Mapping[str, Any]) -> None:
        """Refuses values that do not match others if the row changes one of them. A default is left out instead."""
        bad_fields = self._bad_fields.get(row.line, set())
        if self.key in bad_fields:
            return
        unclear = bad_fields.union(row.unresolved)
        uncertain = {name for name, names in self._to_match.items() if not unclear.isdisjoint(names)}
        if row.record is None:
            given = {name for name, field in self.module.fields.items() if name in self._fields or field.required}
            row.values = without_mismatches(self.records, row.values, given | uncertain)
        values = row.all_values()
        for name, names in self._to_match.items():
            moved = [other for other in names if other in changed]
            if not moved or name in uncertain:
                continue
            if problem := mismatch_problem(self.records, self.module.field(name), values):
                is_readable = self._rights is None or self.records.policy.readable(self.records.name).issuperset(names)
                place = next((other for other in moved if other in self._fields), moved[0])
                self._refuse(row.line, place, problem if is_readable else UNFITTING)

    def _check_rights(self, row: ImportRow, changed: Mapping[str, Any]) -> None:
        """Refuses what a person may not set, if the file differs from the record."""
        if self._rights is None or self.key in self._bad_fields.get(row.line, ()):
            return
        names = [name for name in self._fields if name in changed]
        if row.record is None:
            names = [name for name in names if name in row.unresolved or not self._fields[name].is_empty(changed[name])]
        for name, reason in self._rights.refusals(row.record, names).items():
            self._refuse(row.line, name, reason)
        for name in names:
            if is_locked(self.records, self._fields[name], row.all_values()):
                reason = _("This cannot be changed because of the other values in this row.")
                self._refuse(row.line, name, reason)

    def _empty_hidden(self, row: ImportRow, changed: Mapping[str, Any]) -> dict[str, Any]:
        """Empties the fields of a record that have no column in the file and that the row's `changed` values hide from
        now on, and returns them."""
        if row.record is None or not changed:
            return {}
        before = {**row.record.values, "id": row.record.id}
        hidden = {name: None for name in hidden_values(self.records, before, changed) if name not in row.values}
        row.values |= hidden
        return hidden

    def _links_within(self, field: Field, row: ImportRow) -> tuple[int, ...] | None:
        """The record within which the value must be unique: () for everywhere, None if the row has no such record."""
        names = self.module.unique_within(field)
        values = row.all_values()
        links = [link for name in names for link in self.module.field(name).links_in(values.get(name))]
        return tuple(link.id for link in links) if len(links) == len(names) else None

    def _check_unique(self, field: Field, rows: Iterable[ImportRow]) -> None:
        """Compares the values with those of earlier rows and of the records."""
        rows_by_value: dict[Any, ImportRow] = {}
        lines = self._lines.setdefault(field.name, {})
        for row in rows:
            value = row.values.get(field.name)
            if field.name in KEY_FIELDS and row.record:
                value = row.record.values[field.name]
            if value in EMPTY:
                continue
            within = self._links_within(field, row)
            if within is None:
                continue
            value = (*within, field.key_of(value))
            first = lines.setdefault(value, row.line)
            if first != row.line:
                self._refuse(row.line, field.name, _("Line ${line} has the same value.", mapping={"line": first}))
            else:
                rows_by_value[value] = row
        # A person cannot give a new record a reference, and learns nothing about records they may not see.
        if field.unique or (field.name in KEY_FIELDS and self._rights is None):
            for value, record_id in records_by_key(self.records, field, rows_by_value):
                record = rows_by_value[value].record
                if record is None or record.id != record_id:
                    self._refuse(rows_by_value[value].line, field.name, field.taken)


def _check_number(number: int) -> None:
    """Raises Refused for what cannot be the number of an imported record."""
    if number < 0:
        raise Refused(_("Enter ${min} or more.", mapping={"min": 0}))
    if number > LARGEST_NUMBER:
        raise Refused(_("This number is too large."))

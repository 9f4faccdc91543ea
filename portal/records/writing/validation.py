"""Turns posted forms into values, or one message per field, for create and edit, wizard steps and transitions."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.lines import ROW_ID, UNTOUCHED, Row
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.records.indexing.formulas import computed_values
from portal.records.reading.records import Record, Records
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.writing.defaults import defaults
from portal.records.writing.form_conditions import (
    depends_on,
    hidden_values,
    is_required,
    is_shown,
    offered_records,
    put_back_locked,
    unread_values,
)
from portal.records.writing.matching_values import (
    UNFITTING,
    fields_to_match,
    mismatch_problem,
    without_mismatches,
)
from portal.records.writing.values_behind_links import followed_defaults, value_in_form
from portal.texts import _

NOT_OFFERED = _("Choose a record from the list.")


@dataclass(frozen=True)
class FormValues:
    """The values of a posted form: those that could be read, and what is wrong, by field."""

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    errors: dict[str, str] = dataclasses.field(default_factory=dict)


def typed_fields(records: Records, names: Iterable[str]) -> list[Field]:
    """The fields of a form that people type: not those that the engine, the lifecycle or the profile sets.

    The layouts ensure that fields typed only once are only in the form of new records.
    """
    module = records.module
    set_elsewhere = {*records.access.set, module.state_field}
    fields = [module.fields[name] for name in names if name in module.fields and name not in set_elsewhere]
    return [field for field in fields if not field.computed and field.read_only is not True]


def read_form(
    records: Records, fields: Iterable[Field], form: Form, known: Mapping[str, Any], record_id: int | None = None
) -> FormValues:
    """Reads `fields` from a posted form. `known`: values of its other fields; `record_id`: the record being edited.

    An input that comes back unchanged keeps the record's value, even one that no input can hold: an option that is no
    longer offered, a yes/no that was never set. So does a field that `show_when` hid before and still hides, and one
    that `read_only_when` locks; in a new record, the latter has its default.
    """
    return _FormReading(records, list(fields), known, record_id).read(form)


@dataclass(frozen=True)
class _FormReading:
    """Reads one posted form: see `read_form`."""

    records: Records
    fields: list[Field]
    known: Mapping[str, Any]
    record_id: int | None

    @property
    def is_new(self) -> bool:
        return self.record_id is None

    def read(self, form: Form) -> FormValues:
        records, (values, errors) = self.records, self._parse(form)
        locked = put_back_locked(records, self.fields, values, self.known, new=self.is_new)
        errors = _without(errors, locked)
        names, followed = {field.name for field in self.fields}, dict[str, Any]()
        if self.is_new:
            right = [field for field in self.fields if field.name not in errors]
            followed = followed_defaults_in_form(records, right, values)
            values |= followed
        hidden = self._hide(values, set() if self.is_new else locked)
        errors = _without(errors, hidden)
        if self.is_new:
            values = without_mismatches(records, values, given=names.difference(followed))
        changed = {name: values[name] for name in names if not self.is_new and values[name] != self.known.get(name)}
        unread = unread_values(records, records.module.fields, self.known) if changed else {}
        before = {**unread, **self.known}
        after = {**values, **dict.fromkeys(hidden_values(records, before, changed))}
        for field in self.fields:
            is_followed = field.name in followed and not field.is_empty(values[field.name])
            if is_followed or field.name in {*locked, *hidden, *errors}:
                continue
            problem = _problem(records, field, after, self.record_id)
            if problem and not self._may_stay(field, before, after):
                errors[field.name] = problem
        outside = self._mismatches_outside_form(before, {**unread, **after}, changed)
        errors = outside | self._taken_within(values) | errors
        return FormValues({field.name: values[field.name] for field in self.fields}, errors)

    def _hide(self, values: dict[str, Any], locked: Collection[str]) -> set[str]:
        """Gives the hidden fields of the form that are not `locked` the values that they then have, which may hide
        others; returns their names."""
        fields = [field for field in self.fields if field.name not in locked]
        hidden: set[str] = set()
        while True:
            number = len(hidden)
            for field in fields:
                if field.name not in hidden and not is_shown(self.records, field, values):
                    values[field.name] = self._hidden_value(field)
                    hidden.add(field.name)
            if len(hidden) == number:
                return hidden

    def _parse(self, form: Form) -> tuple[dict[str, Any], dict[str, str]]:
        """The values of `form` over the `known` ones, each parsed on its own, and what cannot be read."""
        values, errors = dict(self.known), dict[str, str]()
        reader = self.records.policy.reader
        for field in self.fields:
            present = None if self.is_new else self.known.get(field.name)
            if field.row_fields:
                values[field.name], wrong = _read_rows(self.records, field, form, () if self.is_new else present)
                errors |= wrong
                continue
            if not self.is_new and _comes_back(field, form, present, reader):
                values[field.name] = present
                continue
            try:
                values[field.name] = self._without_foreign(field, field.parse_form_over(form, reader, present))
            except Refused as refused:
                values[field.name] = None
                errors[field.name] = refused.message
        return values, errors

    def _without_foreign(self, field: Field, value: Any) -> Any:
        """Returns `value`. Raises Refused for a link to a record that the author may not see, unless the form showed
        it: what the form says next to it, by values of that record, would tell of them."""
        shown = field.links_in(self.known.get(field.name))
        chosen = [link for link in field.links_in(value) if link not in shown]
        for module in {link.module for link in chosen}:
            ids = list({link.id for link in chosen if link.module == module})
            if self.records.policy.access(module) is None or len(self.records.of(module).by_ids(ids, [])) < len(ids):
                raise Refused(NOT_OFFERED)
        return value

    def _hidden_value(self, field: Field) -> Any:
        """The value of a field that the form hides: it stays if it was hidden before."""
        hidden_before = not self.is_new and not is_shown(self.records, field, self.known)
        return self.known.get(field.name) if hidden_before else None

    def _may_stay(self, field: Field, before: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Whether a value that would be refused now, and all that it depends on, is unchanged in the record."""
        if self.is_new or not values[field.name]:
            return False
        module = self.records.module
        names = {field.name, *depends_on(module, field), *module.unique_within(field), *fields_to_match(module, field)}
        return all(values.get(name, before.get(name)) == before.get(name) for name in names)

    def _taken_within(self, values: Mapping[str, Any]) -> dict[str, str]:
        """A message at each link that now leads to a record within which another record has the same value of a field
        that must be unique there, and that this form does not show."""
        if self.is_new:
            return {}
        records, names = self.records, {field.name for field in self.fields}
        moved = {name for name in names if values[name] != self.known.get(name)}
        errors: dict[str, str] = {}
        for field in records.module.fields.values():
            within = records.module.unique_within(field)
            if field.name in names or not moved.intersection(within):
                continue
            after = {**values, **unread_values(records, [field.name], values)}
            if not field.is_empty(after[field.name]) and is_taken(records, field, after, self.record_id):
                label = records.policy.reader.text(field.title)
                taken = _("Another record with this selection already has the same ${field}.", mapping={"field": label})
                errors[within[0]] = taken if field.name in records.policy.readable(records.name) else UNFITTING
        return errors

    def _mismatches_outside_form(
        self, before: Mapping[str, Any], values: Mapping[str, Any], changed: Collection[str]
    ) -> dict[str, str]:
        """A message at each `changed` value that a field outside this form no longer matches: it is the lower bound of
        that field and now greater, or the chosen option there is no longer offered."""
        records, names = self.records, {field.name for field in self.fields}
        errors: dict[str, str] = {}
        for field in records.module.fields.values() if changed else ():
            others = fields_to_match(records.module, field)
            is_known = field.name not in names and others <= before.keys()  # for many records, what they share
            if not is_known or all(values[name] == before[name] for name in others):
                continue
            if mismatch_problem(records, field, values) and not mismatch_problem(records, field, before):
                errors |= dict.fromkeys(others.intersection(changed) or changed, UNFITTING)
        return errors


def _without(errors: Mapping[str, str], fields: Collection[str]) -> dict[str, str]:
    """The messages of a posted form that are not for `fields` or their rows."""
    return {key: error for key, error in errors.items() if key.partition(".")[0] not in fields}


def _read_rows(
    records: Records, field: Field, form: Form, present: Iterable[Row] | None
) -> tuple[tuple[Row, ...], dict[str, str]]:
    """The rows of a `lines` field in `form`, and what is wrong: by the name of the input, and once for the field.

    `present`: the rows of the record. One that comes back keeps what its form does not contain. A row without any
    answer does not count, nor one that was added and left as it was, unless it is complete that way.
    """
    of_rows, by_id = rows_of(records, field), {str(row.id): row for row in present or ()}
    rows: dict[int, Row] = {}
    errors: dict[str, str] = {}
    new = defaults(of_rows)
    for index, row_form in field.rows_in(form).items():
        row_id = row_form.get(ROW_ID)
        before = by_id.pop(row_id, None)
        columns = typed_columns(of_rows, new=before is None)
        is_as_shown = before is None and is_blank_row(columns, row_form, records.policy.reader, new)
        if is_as_shown and row_id == UNTOUCHED or is_blank_row(columns, row_form, records.policy.reader, {}):
            continue
        known = before.values if before else new
        filled = read_form(of_rows, columns, row_form, known, before.id if before else None)
        if is_as_shown and filled.errors:
            continue
        values = computed_values(
            of_rows.module.formulas.values(), {**known, **filled.values}, records.policy.reader.currency
        )
        rows[index] = Row(values, before.id if before else None)
        errors |= {f"{field.name}.{index}.{name}": error for name, error in filled.errors.items()}
    for index, name in field.repeated_values([(index, row.values) for index, row in rows.items()]):
        errors[f"{field.name}.{index}.{name}"] = _("Another line already has this value.")
    if errors:
        errors[field.name] = _("Check the marked lines.")
    elif problem := field.wrong_number(len(rows)):
        errors[field.name] = problem
    return tuple(rows.values()), errors


def typed_columns(of_rows: RowRecords, new: bool) -> list[Field]:
    """The columns that people type in a row: not links to modules that their profile lacks, which could offer nothing,
    and columns typed only once only in `new` rows."""
    modules = of_rows.policy.modules
    columns = [field for field in typed_fields(of_rows, of_rows.module.fields) if new or field.read_only != "once"]
    return [column for column in columns if not column.targets or any(target in modules for target in column.targets)]


def is_blank_row(columns: Iterable[Field], form: Form, reader: Reader, shown: Mapping[str, Any]) -> bool:
    """Whether nothing was typed into a row of a posted form that initially showed the values of `shown`."""
    for column in columns:
        try:
            value = column.parse_form(form, reader)
        except Refused:
            return False
        if value is not False and not column.is_empty(value) and value != shown.get(column.name):
            return False
    return True


def followed_defaults_in_form(records: Records, fields: list[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of empty `fields` of a form that follow a link, if the reader may choose the linked record."""
    paths = {field.name: path for field in fields if (path := value_path(field.default))}
    links = [field for field in fields if field.name in {path.link for path in paths.values()}]
    wrong = {link.name: None for link in links if _problem(records, link, values, None)}
    shown = [field for field in fields if field.name in paths and is_shown(records, field, values)]
    return followed_defaults(records, {**values, **wrong}, shown)


def lookup_values_in_form(records: Records, fields: list[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the lookups among `fields` through the links in `values`, as far as the reader may choose these.

    Lookups of links are left out: a form does not know a title that its reader may read.
    """
    values_in_form: dict[str, Any] = {}
    for field in fields:
        link = records.module.fields[field.link_path[0]] if field.link_path and not field.targets else None
        if link is not None and values.get(link.name) and not _problem(records, link, values, None):
            values_in_form[field.name] = value_in_form(records, values, field.name)
    return values_in_form


def _comes_back(field: Field, form: Form, value: Any, reader: Reader) -> bool:
    """Whether the inputs of `field` were posted as the form showed them for `value`."""
    shown = {name: [text] if isinstance(text, str) else text for name, text in field.inputs(value, reader).items()}
    return all(
        [_with_line_feeds(text) for text in form.getall(name) if isinstance(text, str) and text]
        == [_with_line_feeds(text) for text in shown.get(name, ()) if text]
        for name in {*shown, *field.input_names(form)}
    )


def _with_line_feeds(text: str) -> str:
    """A posted text with LF: browsers send line breaks as CR LF, whatever the page held."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _problem(records: Records, field: Field, values: Mapping[str, Any], record_id: int | None) -> str | None:
    value = values[field.name]
    if field.is_missing(value) and is_required(records, field, values):
        return _("Required")
    if field.is_empty(value):
        return None
    if field.unique and is_taken(records, field, values, record_id):
        return field.taken
    if problem := mismatch_problem(records, field, values):
        return problem
    if field.targets:
        return _link_problem(records, field, value, values)
    return None


def is_taken(records: Records, field: Field, values: Mapping[str, Any], record_id: int | None) -> bool:
    """Whether another record has a posted value that must be unique, among all records regardless of who may see them,
    or those with the same link."""
    table, stored = records.table, field.store(values[field.name])
    same = [table.c[name] == stored[name] for name in (field.key_column, field.module_column) if name]
    same.append(table.c["id"] != (record_id or 0))
    within = records.module.unique_within(field)
    values = {**unread_values(records, within, values), **values}
    for name in within:
        link = next(iter(records.module.field(name).links_in(values.get(name))), None)
        if link is None:
            return False
        same.append(table.c[name] == link.id)
    return records.connection.execute(sa.select(sa.literal(1)).where(*same).limit(1)).first() is not None


def check_set_values(records: Records, record: Record, values: Mapping[str, Any], names: Collection[str]) -> None:
    """Raises Refused if another record has a value that must be unique, once a transition has set the `names`."""
    for field in records.module.fields.values():
        if not field.unique or not {field.name, *records.module.unique_within(field)}.intersection(names):
            continue
        after = {**unread_values(records, [field.name], record.values), **record.values, **values}
        if not field.is_empty(after[field.name]) and is_taken(records, field, after, record.id):
            raise Refused(field.taken)


def without_taken(records: Records, values: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    """The values of a new record without those already taken: defaults of unique fields that another record has.

    `given`: the fields whose values are not defaults. Nobody asked for a default: the field stays empty.
    """
    taken = [
        name
        for name, field in records.module.fields.items()
        if field.unique and name not in given and not field.is_empty(values.get(name))
        and is_taken(records, field, values, None)
    ]  # fmt: skip
    return {**values, **dict.fromkeys(taken)}


def _link_problem(records: Records, field: Field, value: Any, values: Mapping[str, Any]) -> str | None:
    """Why a posted link may not lead to its record: it only allows what it offers."""
    for link in field.links_in(value):
        enabled = records.policy.access(link.module) is not None
        offered = offered_records(records, field, link.module, values) if enabled else None
        if offered is None or not offered.exists(link.id):
            return NOT_OFFERED
    return None

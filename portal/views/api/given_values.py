"""JSON values as the inputs of a form, so that the writes of programs are processed like people's input.

Fields missing from a body keep what a form would show: the record's own value, or the default of a new record.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webob.multidict import MultiDict

from portal.conditions import Comparison, ParsedValue
from portal.fields.base import Field
from portal.fields.lines import ROW_ID, Row
from portal.fields.linked_value import Linked
from portal.fields.record_titles import RECORD_ID
from portal.fields.refused import Refused, json_text
from portal.records.reading.named_records import name_problem, naming_fields
from portal.records.reading.records import Query, Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.writing.form_conditions import depends_on, is_locked, is_shown, offered_records
from portal.records.writing.validation import typed_columns
from portal.texts import _, ngettext
from portal.views.api.input_error import UNEXPECTED, UNKNOWN, InputError
from portal.views.forms.drafts import as_form
from portal.views.forms.form_content import inputs_of
from portal.views.forms.line_buttons import new_row_inputs
from portal.web.form_limits import MOST_FIELDS, TOO_LARGE

MOST_ROWS = 1_000  # in one field
MOST_LINKS = MOST_FIELDS  # in one field, as in a form: each name is looked up, which takes 2 ms
Inputs = dict[str, Any]


@dataclass
class Given:
    """The values in a body for the `fields` of a form: their inputs, field by field, and errors."""

    records: Records
    fields: list[Field]
    body: Mapping[str, Any]
    present: Mapping[str, Any]  # the values of the record or the row; empty for a new one
    inputs: dict[str, Inputs] = dataclasses.field(default_factory=dict)
    errors: dict[str, str] = dataclasses.field(default_factory=dict)
    links: dict[str, Any] = dataclasses.field(default_factory=dict)  # the linked records

    def __post_init__(self) -> None:
        names = {field.name for field in self.fields}
        unknown = (name for name in self.body if name not in names and not self._is_as_read(name))
        self.errors |= dict.fromkeys(unknown, UNKNOWN)
        # Fields that the offers of others depend on come first.
        for field in sorted(self.fields, key=lambda field: bool(depends_on(self.records.module, field))):
            if field.name in self.body:
                try:
                    self.inputs[field.name] = self._inputs_of(field, self.body[field.name])
                except Refused as refused:
                    self.errors[field.name] = refused.message

    def over(self, shown: Mapping[str, Any]) -> MultiDict:
        """The form `shown`, with the given values instead."""
        replaced = {name for field in self.fields if field.name in self.inputs for name in field.input_names(shown)}
        inputs = {name: texts for name, texts in shown.items() if name not in replaced}
        for of_field in self.inputs.values():
            inputs |= of_field
        return as_form(inputs)

    def check(self, values: Mapping[str, Any], errors: Mapping[str, str]) -> None:
        """Raises InputError for unreadable values, for the `errors` of the form, and for a field that a form with
        `values` would not show, or would show as locked."""
        for field in self.fields:
            is_new = field.name in self.body and not self._is_as_read(field.name)
            is_set = self.body.get(field.name) not in (None, [], "")
            locked = is_new and is_locked(self.records, field, values)
            if locked or (is_new and is_set and not is_shown(self.records, field, values)):
                self.errors.setdefault(field.name, UNKNOWN)
        if wrong := {**errors, **self.errors}:
            raise InputError(wrong)

    def _is_as_read(self, name: str) -> bool:
        """Whether a value that cannot be set is returned as it was read."""
        if name not in self.present:
            return False
        return bool(self.records.module.everything[name].to_json(self.present[name]) == self.body[name])

    def _inputs_of(self, field: Field, given: Any) -> Inputs:
        reader = self.records.policy.reader
        if field.row_fields:
            return self._inputs_of_rows(field, given)
        if field.targets:
            items = (given or []) if field.multiple else [given]
            if not isinstance(items, list):
                raise Refused(UNEXPECTED)
            if len(items) > MOST_LINKS:
                raise Refused(TOO_LARGE)
            links = tuple(link for item in items if (link := self._link(field, item)) is not None)
            self.links[field.name] = links if field.multiple else next(iter(links), None)
            return field.inputs(self.links[field.name], reader)
        return field.json_inputs(given, self.present.get(field.name), reader)

    # -- rows -----------------------------------------------------------------------------------------------------

    def _inputs_of_rows(self, lines: Field, given: Any) -> Inputs:
        """The inputs of all rows. One with the number of a row in the record keeps the values that it does not name."""
        rows = given or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Refused(UNEXPECTED)
        if len(rows) > MOST_ROWS:
            raise Refused(ngettext("Enter at most ${number} line.", "Enter at most ${number} lines.", MOST_ROWS))
        by_id = {str(row.id): row for row in self.present.get(lines.name) or ()}
        inputs: Inputs = {}
        for index, row in enumerate(rows):
            prefix = f"{lines.name}.{index}."
            of_row = self._inputs_of_row(lines, row, by_id.get(str(row.get(ROW_ID))), prefix)
            inputs |= {prefix + name: texts for name, texts in of_row.items()}
        return inputs

    def _inputs_of_row(self, lines: Field, given: Mapping[str, Any], before: Row | None, prefix: str) -> Inputs:
        of_rows, reader = rows_of(self.records, lines), self.records.policy.reader
        columns = typed_columns(of_rows, new=before is None)
        shown = inputs_of(columns, before.values, reader) if before else new_row_inputs(self.records, lines)
        values = {name: value for name, value in given.items() if name != ROW_ID}
        of_row = Given(of_rows, columns, values, before.values if before else {})
        self.errors |= {prefix + name: error for name, error in of_row.errors.items()}
        inputs = of_row.over(shown).dict_of_lists()
        return inputs | {ROW_ID: str(before.id)} if before else inputs

    # -- links ----------------------------------------------------------------------------------------------------

    def _link(self, link: Field, given: Any) -> Linked | None:
        """The record given by id, as read, or by name as in an import: a unique field, the reference, the title, as
        far as its reader may know them. Raises Refused."""
        module = None
        if isinstance(given, dict):
            module, given = given.get("module"), given.get("id")
            if given is None:
                raise Refused(_("Choose a record from the list."))
        text = json_text(given).strip()
        if not text:
            return None
        targets = [target for target in link.targets if module in (None, target)]
        if link.several_targets and module is None and ":" in text:
            before, _colon, rest = text.partition(":")
            targets, text = ([before], rest.strip()) if before in link.targets else (targets, text)
        if isinstance(given, int) and len(targets) == 1:
            if not RECORD_ID.fullmatch(text):
                raise Refused(_("Choose a record from the list."))
            return Linked(given, targets[0])
        return self._link_named(link, targets, text)

    def _link_named(self, link: Field, targets: list[str], name: str) -> Linked:
        ids = {target: _ids_named(self._offered(link, target), name) for target in targets}
        links = [Linked(record_id, target) for target, of_target in ids.items() for record_id in of_target]
        if len(links) == 1:
            return links[0]
        raise Refused(name_problem(len(links), ", ".join(targets), name))

    def _offered(self, link: Field, target: str) -> Records | None:
        """The records that a form with the values so far would offer; all if that depends on something empty."""
        if self.records.policy.access(target) is None:
            return None
        values = {**self.present, **self.links}
        return offered_records(self.records, link, target, values) or self.records.of(target)


def _ids_named(records: Records | None, name: str) -> list[int]:
    """The first two of `records` that a program's value names by `name`, by the most reliable field."""
    if records is None:
        return []
    for key in _known_keys(records):
        try:
            value = key.read(name, records.policy.reader)
        except Refused:
            continue
        condition = Comparison((key.name,), "equal", ParsedValue(key.constant(value, records.policy.reader)))
        if matching := records.page(Query(condition=condition, size=2), []).records:
            return [record.id for record in matching]
    return []


def _known_keys(records: Records) -> Iterator[Field]:
    readable = records.policy.readable(records.name)
    return (key for key in naming_fields(records.module) if key.name in readable)

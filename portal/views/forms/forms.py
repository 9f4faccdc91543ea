"""What the forms for new and for existing records share: their fields, their hidden inputs, where they lead."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pyramid.request import Request
from pyramid.response import Response

from portal.declaration.shapes import FormLayout, Step
from portal.fields.base import Field, Refused
from portal.fields.linked import Linked
from portal.fields.row import Row
from portal.records.reading.records import Records
from portal.records.writing.validation import names_in, typed_fields
from portal.texts import translate
from portal.views.forms.form_parts import FormPage
from portal.views.forms.submissions import one_time_key
from portal.views.lists.return_to_list import back_to_list
from portal.web.addresses import record_address
from portal.web.form_input import posted_text

FIND = "_find."
FormAnswer: TypeAlias = dict[str, FormPage] | Response


def form_fields(records: Records, layout: FormLayout) -> list[Field]:
    """The fields that a page's form asks for, those of all its steps."""
    return typed_fields(records, names_in(layout))


def step_names(step: Step) -> set[str]:
    """The fields of one step."""
    return set(names_in(FormLayout(fields=step.fields)))


def errors_of(refused: Refused, fields: Sequence[Field]) -> dict[str, str]:
    """What a table that others made refused, at the field that its sentence names, else at the first of the form."""
    sentence = translate(refused.message, "en").casefold()
    named = [field for field in fields if (field.column or field.name).casefold() in sentence]
    return {field.name: refused.message for field in (*named, *fields)[:1]}


def once_key(request: Request) -> str:
    """The form's one-time key, the same while it is shown again."""
    return posted_text(request, "_once") or one_time_key()


def record_or_list(resource: Any, record_id: int, request: Request) -> str:
    """Where a saved form leads: to the record, or to the list where its author cannot see it."""
    if resource.records.exists(record_id):
        return record_address(resource.module_name, record_id)
    return back_to_list(resource, request)


def finds(request: Request) -> dict[str, str]:
    """Without JavaScript: what to find in a link with many records, when the button beside it was pressed."""
    pressed = posted_text(request, "_find")
    return {pressed: posted_text(request, FIND + pressed)} if pressed else {}


def with_titles(records: Records, field: Field, value: Any) -> Any:
    """A value of a form; its links, which a form knows by id alone, with their titles, as far as they may be seen."""
    if isinstance(value, Linked):
        return _with_title(records, value)
    if field.row_fields:
        return tuple(replace(row, values=_titled_row(records, field, row)) for row in value or ())
    if field.multiple and value and isinstance(value[0], Linked):
        return tuple(_with_title(records, link) for link in value)
    return value


def _titled_row(records: Records, lines: Field, row: Row) -> dict[str, Any]:
    return {name: with_titles(records, lines.row_fields[name], value) for name, value in row.values.items()}


def _with_title(records: Records, link: Linked) -> Linked:
    if link.title or not records.policy.access(link.module):
        return link
    rows = records.of(link.module).by_ids([link.id], [])
    return replace(link, title=rows[0].title) if rows else link

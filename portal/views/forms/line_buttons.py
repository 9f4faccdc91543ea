"""The buttons of lines in forms, without a script: add, remove, up, down. Each saves the form as a draft."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyramid.request import Request

from portal.accounts.drafts import DraftContent
from portal.fields.base import Field
from portal.fields.protocols import Form
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.writing.defaults import defaults
from portal.views.forms.drafts import as_form, drafts_of, form_name
from portal.views.forms.form_content import inputs_of
from portal.web.form_input import posted_text

PRESSED = re.compile(r"([a-z][a-z0-9_]*)\.(?:(add)|(\d{1,5})\.(up|down|remove))")


def form_after_button(
    request: Request, records: Records, fields: Iterable[Field], content: DraftContent
) -> Form | None:
    """The form after the line button that sent it, saved as its draft; None if no such button did."""
    pressed = posted_text(request, "_lines")
    if not pressed:
        return None
    inputs = _with_lines_changed(records, fields, content.inputs, pressed)
    drafts_of(request).save(form_name(request), replace(content, inputs=inputs))
    return as_form(inputs)


def _with_lines_changed(
    records: Records, fields: Iterable[Field], inputs: Mapping[str, Sequence[str]], pressed: str
) -> dict[str, Sequence[str]]:
    """The inputs of a form after a line button; unchanged if the form has no such line."""
    match = PRESSED.fullmatch(pressed)
    field = next((field for field in fields if match and field.row_fields and field.name == match[1]), None)
    if match is None or field is None:
        return dict(inputs)
    prefixes = [f"{field.name}.{index}." for index in field.rows_in(as_form(inputs))]
    rows = [_without_prefix(inputs, prefix) for prefix in prefixes]
    if match[2]:
        new = new_row_inputs(records, field)
        rows.append({name: [text] if isinstance(text, str) else text for name, text in new.items()})
    else:
        prefix = f"{field.name}.{match[3]}."
        rows = _moved(rows, prefixes.index(prefix), match[4]) if prefix in prefixes else rows
    others = {name: texts for name, texts in inputs.items() if not name.startswith(f"{field.name}.")}
    numbered = {f"{field.name}.{index}.{name}": texts for index, row in enumerate(rows) for name, texts in row.items()}
    return {**others, **numbered}


def new_row_inputs(records: Records, field: Field) -> dict[str, Any]:
    """The inputs of a new row of a `lines` field, with their defaults."""
    of_rows = rows_of(records, field)
    return inputs_of(list(of_rows.module.fields.values()), defaults(of_rows), records.policy.reader)


def _without_prefix(inputs: Mapping[str, Sequence[str]], prefix: str) -> dict[str, Sequence[str]]:
    return {name.removeprefix(prefix): texts for name, texts in inputs.items() if name.startswith(prefix)}


def _moved(rows: list[Any], place: int, how: str) -> list[Any]:
    """The rows of a form after a line button has moved or removed one of them."""
    row, others = rows[place], rows[:place] + rows[place + 1 :]
    if how != "remove":
        others.insert(max(place - 1, 0) if how == "up" else place + 1, row)
    return others

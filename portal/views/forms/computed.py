"""The computed parts of a form, for its current content: columns of lines, their totals, the formulas of the record,
and which fields and options the form shows, requires and locks if no script can tell.

A page draws them, and a script fetches them while the reader types (`/MODULE/computed`, `/MODULE/ID/computed`).
Nothing is stored: the writer computes all of it again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request

from portal.accounts import attempts
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.protocols import Form
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.writing.form_conditions import asks_server, is_locked, is_offered, is_required, is_shown
from portal.records.writing.validation import typed_columns
from portal.views.forms.rows_in_form import rows_in_form

Rules = tuple[bool, bool, bool, list[str]]

NOTHING = "—"
LARGEST = 500_000  # bytes of a form that is computed while the reader types; a larger one only when it is sent


def check_computing(request: Request) -> None:
    """Refuses to compute forms that are too large, or come more often than people type.

    Raises HTTPRequestEntityTooLarge and TooManyAttemptsError.
    """
    if (request.content_length or 0) > LARGEST:
        raise HTTPRequestEntityTooLarge
    attempts.check_attempt(
        request.connection, request.portal.tables, attempts.COMPUTED, str(request.visitor.own_account), request.now
    )


def total_texts(records: Records, field: Field, rows: Iterable[Row]) -> dict[str, str]:
    """The totals of the rows in a form, for each column of its `lines` field that has a total and that the reader may
    read."""
    policy, rows = records.policy, tuple(rows)
    return {
        name: " · ".join(column.show(total, policy.reader) for total in field.totals_of(rows, name)) or NOTHING
        for name, column in policy.columns(field).items()
        if field.has_total(name)
    }


def with_formulas(records: Records, values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The `values` of a form with the record's formulas, computed; `stored`: the record's values, empty for a new one.

    A formula keeps its stored value if it depends on something that this reader may not read.
    """
    known = dict(values)
    for name, formula in records.module.formulas.items():
        if formula.rollup and stored:  # depends on records outside the form
            known |= {name: stored[name]} if name in stored else {}
        elif not stored or all(source in known for source in formula.sources):
            known[name] = formula.compute(known, records.policy.reader.currency)
    return known


def computed_in_form(
    records: Records, fields: list[Field], form: Form, values: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """The computed texts of a form with `fields`, by name: `lines.0.amount`, `lines.amount` for a total, `total`; and
    as `_rules`, what only the server can tell about its fields.

    `values`: those of the form; `stored`: those of the record, empty for a new one.
    """
    reader, texts, known = records.policy.reader, dict[str, str](), dict(values)
    rules = _rules(records, fields, {**stored, **values})
    for field in fields:
        if field.row_fields:
            rows = rows_in_form(records, field, form, stored.get(field.name))
            known[field.name] = tuple(rows.values())
            totals = total_texts(records, field, rows.values())
            texts |= _row_texts(records, field, rows)
            of_rows = rows_of(records, field)
            for index, row in rows.items():
                rules |= _rules(of_rows, of_rows.module.fields.values(), row.values, f"{field.name}.{index}.")
            texts |= {f"{field.name}.{name}": text for name, text in totals.items()}
    known, readable = with_formulas(records, known, stored), records.policy.readable(records.name)
    shown = {name: field for name, field in records.module.formulas.items() if name in readable}
    texts |= {name: field.show(known.get(name), reader) or NOTHING for name, field in shown.items()}
    return {**texts, "_rules": rules} if rules else {**texts}


def _rules(records: Records, fields: Iterable[Field], values: Mapping[str, Any], prefix: str = "") -> dict[str, Rules]:
    """What a form's script asks the server about the `fields` that depend on it: whether a form with `values` shows,
    requires and locks them now, and which options it does not offer."""
    return {
        prefix + field.name: (
            is_shown(records, field, values),
            is_required(records, field, values),
            is_locked(records, field, values),
            [name for name in field.option_conditions if not is_offered(records, field, name, values)],
        )
        for field in fields
        if asks_server(records, field)
    }


def _row_texts(records: Records, field: Field, rows: Mapping[int, Row]) -> dict[str, str]:
    of_rows, reader = rows_of(records, field), records.policy.reader
    texts: dict[str, str] = {}
    for index, row in rows.items():
        columns = {column.name for column in typed_columns(of_rows, new=row.id is None)}
        for name, column in of_rows.module.fields.items():
            if name not in columns:
                texts[f"{field.name}.{index}.{name}"] = column.show(row.get(name), reader) or NOTHING
    return texts

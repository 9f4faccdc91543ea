"""What nobody types in a form, for what it holds now: columns of lines, their totals, and the formulas of the record.

A page draws it, and a script asks for it while one types (`/MODULE/computed`, `/MODULE/ID/computed`), as often as
people type. Nothing is stored: the writer works all of it out again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request

from portal.accounts import attempts
from portal.fields.base import Field, Refused
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.row import ROW_ID, UNTOUCHED, Row
from portal.records.indexing.formulas import computed_values
from portal.records.reading.records import Records
from portal.records.reading.row_records import RowRecords, rows_of
from portal.records.writing.validation import (
    followed_in_form,
    is_blank_row,
    looked_up_in_form,
    row_defaults,
    typed_columns,
)

NOTHING = "—"
LARGEST = 500_000  # bytes of a form that is computed while one types; a larger one when it is sent


def check_computing(request: Request) -> None:
    """Refuses forms to compute that are larger, or come more often, than people type.

    Raises HTTPRequestEntityTooLarge and TooManyAttemptsError.
    """
    if (request.content_length or 0) > LARGEST:
        raise HTTPRequestEntityTooLarge
    attempts.check(
        request.connection, request.portal.tables, attempts.COMPUTED, str(request.visitor.own_account), request.now
    )


def row_values(of_rows: RowRecords, form: Form, before: Row | None) -> dict[str, Any]:
    """The values of a row as its inputs have them, with what follows from these; what cannot be read is empty.

    `before`: the row as it is stored, None for a new one.
    """
    reader, new = of_rows.policy.reader, before is None
    inputs = {column.name: column for column in typed_columns(of_rows, new)}
    values = {**(before.values if before else row_defaults(of_rows))}
    values |= {name: _parsed(column, form, reader) for name, column in inputs.items()}
    columns = list(of_rows.module.fields.values())
    if new:
        values |= followed_in_form(of_rows, columns, values)
    values |= looked_up_in_form(of_rows, columns, values)
    return computed_values(of_rows.module.formulas.values(), values, reader.currency)


def rows_in_form(records: Records, field: Any, form: Form, stored: Any) -> dict[int, Row]:
    """The rows of a `lines` field by their index in `form`, without those in which nobody has typed."""
    of_rows, by_id = rows_of(records, field), {str(row.id): row for row in stored or ()}
    columns, new = typed_columns(of_rows, new=True), row_defaults(of_rows)
    rows: dict[int, Row] = {}
    for index, row_form in field.rows_in(form).items():
        before = by_id.get(row_form.get(ROW_ID))
        shown = new if row_form.get(ROW_ID) == UNTOUCHED else {}
        if before or not is_blank_row(columns, row_form, records.policy.reader, shown):
            rows[index] = Row(row_values(of_rows, row_form, before), before.id if before else None)
    return rows


def total_texts(records: Records, field: Any, rows: Iterable[Row]) -> dict[str, str]:
    """The total of each column of a `lines` field that has one, and that the reader may read."""
    policy, rows = records.policy, tuple(rows)
    return {
        name: " · ".join(column.show(total, policy.reader) for total in field.totals_of(rows, name)) or NOTHING
        for name, column in policy.columns(field).items()
        if name in field.total
    }


def with_formulas(records: Records, values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of a form with the formulas of the record, of which `stored` are the values; none of a new one.

    A formula keeps its stored value where it reads what this reader may not.
    """
    known = dict(values)
    for name, formula in records.module.formulas.items():
        if not stored or all(source in known for source in formula.sources):
            known[name] = formula.compute(known, records.policy.reader.currency)
    return known


def computed_texts(
    records: Records, fields: list[Field], form: Form, values: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, str]:
    """What is computed in a form with `fields`, by name: `lines.0.amount`, `lines.amount` for a total, `total`.

    `values`: those of the form; `stored`: those of the record, empty for a new one.
    """
    reader, texts, known = records.policy.reader, dict[str, str](), dict(values)
    for field in fields:
        if field.row_fields:
            rows = rows_in_form(records, field, form, stored.get(field.name))
            known[field.name] = tuple(rows.values())
            totals = total_texts(records, field, rows.values())
            texts |= _row_texts(records, field, rows)
            texts |= {f"{field.name}.{name}": text for name, text in totals.items()}
    known, readable = with_formulas(records, known, stored), records.policy.readable(records.name)
    shown = {name: field for name, field in records.module.formulas.items() if name in readable}
    return texts | {name: field.show(known.get(name), reader) or NOTHING for name, field in shown.items()}


def _row_texts(records: Records, field: Any, rows: Mapping[int, Row]) -> dict[str, str]:
    of_rows, reader = rows_of(records, field), records.policy.reader
    texts: dict[str, str] = {}
    for index, row in rows.items():
        columns = {column.name for column in typed_columns(of_rows, new=row.id is None)}
        for name, column in of_rows.module.fields.items():
            if name not in columns:
                texts[f"{field.name}.{index}.{name}"] = column.show(row.get(name), reader) or NOTHING
    return texts


def _parsed(column: Field, form: Form, reader: Reader) -> Any:
    try:
        return column.parse_form(form, reader)
    except Refused:
        return None

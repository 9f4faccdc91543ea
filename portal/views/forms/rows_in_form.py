"""The rows of `lines` fields in the inputs of a form, with their computed values."""

from typing import Any

from portal.fields.base import Field
from portal.fields.lines import ROW_ID, UNTOUCHED, Row
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.records.indexing.formulas import computed_values
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.writing.defaults import defaults
from portal.records.writing.form_conditions import put_back_locked
from portal.records.writing.validation import (
    followed_defaults_in_form,
    is_blank_row,
    lookup_values_in_form,
    typed_columns,
)


def row_values_in_form(of_rows: RowRecords, form: Form, before: Row | None) -> dict[str, Any]:
    """The values of one row of `lines` in the inputs of a form, with its computed values; unreadable ones are empty.

    `before`: the stored row, None for a new one.
    """
    reader, new = of_rows.policy.reader, before is None
    inputs = {column.name: column for column in typed_columns(of_rows, new)}
    values = {**(before.values if before else defaults(of_rows))}
    known = {**values}
    values |= {name: _parsed(column, form, reader) for name, column in inputs.items()}
    put_back_locked(of_rows, inputs.values(), values, known, new=new)
    columns = list(of_rows.module.fields.values())
    if new:
        values |= followed_defaults_in_form(of_rows, columns, values)
    values |= lookup_values_in_form(of_rows, columns, values)
    return computed_values(of_rows.module.formulas.values(), values, reader.currency)


def rows_in_form(records: Records, field: Field, form: Form, stored: Any) -> dict[int, Row]:
    """The rows of a `lines` field by their index in `form`, without empty ones."""
    of_rows, by_id = rows_of(records, field), {str(row.id): row for row in stored or ()}
    columns, new = typed_columns(of_rows, new=True), defaults(of_rows)
    rows: dict[int, Row] = {}
    for index, row_form in field.rows_in(form).items():
        before = by_id.get(row_form.get(ROW_ID))
        shown = new if row_form.get(ROW_ID) == UNTOUCHED else {}
        if before or not is_blank_row(columns, row_form, records.policy.reader, shown):
            rows[index] = Row(row_values_in_form(of_rows, row_form, before), before.id if before else None)
    return rows


def _parsed(column: Field, form: Form, reader: Reader) -> Any:
    try:
        return column.parse_form(form, reader)
    except Refused:
        return None

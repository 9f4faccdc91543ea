"""The filters of fields: how they are typed, in the parameters of an address or in a search, and what they mean.

Only fields that the reader may read can be filtered by.
"""

from collections.abc import Iterator
from typing import NamedTuple

from portal.conditions import AllOf, AnyOf, Comparison, Condition, ParsedValue, joined_conditions
from portal.declaration.references import whole_reference
from portal.fields.base import Field
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.fields.text import at_most
from portal.records.reading.records import Records
from portal.texts import _

MOST_VALUES = 100  # of one filter
LONGEST_VALUE = 1_000  # characters; SQLite refuses patterns of 50,000 bytes


class Filter(NamedTuple):
    """The filter of one field, as it was typed."""

    name: str
    values: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()  # of the linked records
    minimum: str = ""
    maximum: str = ""
    above: str = ""  # as `minimum`, without the bound itself
    below: str = ""
    empty: bool = False
    error: str = ""

    @property
    def used(self) -> bool:
        bounds = self.minimum or self.maximum or self.above or self.below
        return bool(self.values or self.ids or self.empty or bounds)

    @property
    def bounds(self) -> dict[str, str]:
        """The bounds of a range, by their comparison operators."""
        return {"min": self.minimum, "max": self.maximum, "after": self.above, "before": self.below}


def filterable(records: Records) -> Iterator[Field]:
    """The fields that can be filtered by: the readable ones whose type has a filter."""
    readable = records.policy.readable(records.name)
    return (field for name, field in records.module.everything.items() if name in readable and field.filter)


def filter_inputs(field: Field) -> tuple[str, ...]:
    """The parameters of an address that make up the filter of a field."""
    parts = ("empty", *(("id",) if field.targets else ()), *(("min", "max") if field.ranged else ()))
    return (field.name, *(f"{field.name}.{part}" for part in parts))


def read_filter(records: Records, field: Field, form: Form) -> tuple[Filter, list[Condition]]:
    """The filter of a field in the parameters of an address, and its conditions; none if it cannot be parsed."""
    requested = Filter(
        field.name,
        values=_values(form, field.name),
        ids=_values(form, f"{field.name}.id") if field.targets else (),
        minimum=form.get(f"{field.name}.min", "").strip(),
        maximum=form.get(f"{field.name}.max", "").strip(),
        empty=form.get(f"{field.name}.empty", "") == "1",
    )
    return parse_filter(records, field, requested)


def parse_filter(records: Records, field: Field, requested: Filter) -> tuple[Filter, list[Condition]]:
    """A filter as it was typed, with the error if it cannot be parsed, and its conditions."""
    try:
        _check_size(requested)
        conditions = list(_conditions(records, field, requested))
        for part in joined_conditions(AllOf(tuple(conditions))):
            records.statements.sql(part)
    except Refused as refused:
        return requested._replace(error=refused.message), []
    if field.offered:
        reader = records.policy.reader
        requested = requested._replace(
            values=tuple(_name_of_option(field, value, reader) for value in requested.values)
        )
    return requested, conditions


def _name_of_option(field: Field, value: str, reader: Reader) -> str:
    """The option that a value in a filter means, as a form posts it."""
    _operator, constant = field.parse_filter(value, reader)
    return constant if isinstance(constant, str) else field.option_of(constant)


def _values(form: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in form.getall(name) if value.strip()))


def _check_size(requested: Filter) -> None:
    if len(requested.values) + len(requested.ids) > MOST_VALUES:
        raise Refused(_("This form has too many fields."))
    for value in (*requested.values, *requested.ids):
        at_most(value, LONGEST_VALUE)


def _conditions(records: Records, field: Field, requested: Filter) -> Iterator[Condition]:
    """The conditions of a filter with several values: any of them. Raises Refused."""
    path, reader = (field.name,), records.policy.reader
    if requested.values or requested.ids or requested.empty:
        parsed = [field.parse_filter(value, reader) for value in requested.values]
        parsed += [("equal", field.parse_filter_id(record_id)) for record_id in requested.ids]
        ways = [Comparison(path, operator, ParsedValue(value)) for operator, value in parsed]
        if field.name == "reference":
            whole = filter(None, (whole_reference(records.module.reference, value) for value in requested.values))
            ways += [Comparison(path, "equal", ParsedValue(reference)) for reference in whole]
        yield AnyOf((*ways, Comparison(path, "empty", ParsedValue(True))) if requested.empty else tuple(ways))
    for operator, bound in requested.bounds.items():
        if bound and field.ranged:
            yield Comparison(path, operator, ParsedValue(field.bound(bound, reader)))

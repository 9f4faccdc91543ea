"""What was posted → values, or one message per field. Used by create and edit, by wizard steps and by transitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, Comparison, Condition, FormValue, comparisons, holds, replace_form_values
from portal.database.sql import period_bounds
from portal.declaration.shapes import FormLayout
from portal.fields.base import Field, Form, Refused
from portal.fields.link import ids_by_title, ids_named
from portal.fields.linked import Linked
from portal.records.reading.records import Records
from portal.texts import _


@dataclass(frozen=True)
class Filled:
    """A form as it was understood: the values that could be read, and what is wrong, by field."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def names_in(layout: FormLayout) -> list[str]:
    """The fields of a form, those of all its steps."""
    rows = [row for step in layout.steps or () for row in step.fields] if layout.steps else (layout.fields or ())
    return [name for row in rows for name in ([row] if isinstance(row, str) else row)]


def typed_fields(records: Records, names: Iterable[str]) -> list[Field]:
    """Those of `names` that people type: not what the engine, the lifecycle or the profile sets."""
    module = records.module
    fixed = {module.lifecycle.field} if module.lifecycle else set()
    fixed |= set(records.access.set)
    chosen = [module.fields[name] for name in names if name in module.fields and name not in fixed]
    return [each for each in chosen if each.stored and not each.computed and not each.read_only]


def read_form(
    records: Records, fields: Iterable[Field], form: Form, known: Mapping[str, Any], identity: int | None = None
) -> Filled:
    """Reads `fields` from `form`. `known`: values of the form's other fields; `identity`: the record being edited."""
    reader, fields = records.policy.reader, list(fields)
    values, errors = dict(known), {}
    for each in fields:
        try:
            values[each.name] = each.parse_form(form, reader)
        except Refused as refused:
            values[each.name] = None
            errors[each.name] = refused.message
    for each in fields:
        if not asked(records, each, values):
            values[each.name] = None
            errors.pop(each.name, None)
        elif each.name not in errors and (problem := _problem(records, each, values, identity)):
            # A link may stay where it is, though it would not be offered any more, as long as what it depends on stays.
            unchanged = all(values.get(name) == known.get(name) for name in (each.name, *depends_on(each)))
            if identity is None or not values[each.name] or not unchanged:
                errors[each.name] = problem
    return Filled({each.name: values[each.name] for each in fields}, errors)


def asked(records: Records, each: Field, values: Mapping[str, Any]) -> bool:
    """Whether `show_when` holds for the values of the form."""

    def compare(test: Comparison) -> bool:
        other = records.module.field(test.path[0])
        return _matches(other, values.get(other.name), test, records)

    return holds(each.show_when, compare)


def choices(records: Records, each: Field, target: str, values: Mapping[str, Any]) -> Records | None:
    """The records that a link offers, given the form's other values; None while one that it depends on is empty."""
    if each.target_condition is None:
        return records.of(target)
    if any(values.get(name) in (None, (), "") for name in depends_on(each)):
        return None
    condition: Condition = replace_form_values(each.target_condition, lambda name: values.get(name))
    return records.of(target, condition)


def depends_on(each: Field) -> list[str]:
    """The fields of the same form whose values `where` takes up as `$field`."""
    found = [test.value for test in comparisons(each.target_condition or ALWAYS)]
    typed = [item for value in found for item in (value if isinstance(value, tuple) else (value,))]
    return [item.field for item in typed if isinstance(item, FormValue)]


def _matches(other: Field, value: Any, test: Comparison, records: Records) -> bool:
    """The twin of `comparison` in database/sql.py, for a value that is not stored yet."""
    reader = records.policy.reader.machine  # what the declaration says is machine-written, whoever reads
    if test.operator == "empty":
        return other.matches(value, "empty", test.value)
    if test.operator == "within":
        earliest, latest = period_bounds(other, test.value, reader)
        return other.matches(value, "min", earliest) and other.matches(value, "max", latest)
    operator = "equal" if test.operator == "one_of" else test.operator
    for raw in test.value if isinstance(test.value, tuple) else (test.value,):
        if raw is None or raw == "":
            found = other.matches(value, "empty", True)
        elif other.targets:  # a form knows a linked record by its id alone
            found = other.matches(value, "equal", linked_records(records, other, operator, raw))
        else:
            found = other.matches(value, operator, other.constant(raw, reader))
        if found:
            return True
    return False


def linked_records(records: Records, link: Field, operator: str, raw: Any) -> list[Linked]:
    """The records that a condition on `link` means by `raw`: `me`, a name; for `contains` a part of a title."""
    constant = link.constant(raw, records.policy.reader.machine)
    if not isinstance(constant, str):
        return [each if isinstance(each, Linked) else Linked(each, link.targets[0]) for each in constant]
    find = ids_by_title if operator == "contains" else ids_named
    return [
        Linked(identity, module)
        for module in link.targets
        for identity in records.connection.scalars(find(records.policy.tables.module(module), constant))
    ]


def _problem(records: Records, each: Field, values: Mapping[str, Any], identity: int | None) -> str | None:
    value = values[each.name]
    if each.required and each.is_missing(value):
        return _("Required")
    if each.is_empty(value):
        return None
    if each.unique and _taken(records, each, value, identity):
        return _("This value is already in use.")
    if each.targets:
        return _link_problem(records, each, value, values)
    return None


def _taken(records: Records, each: Field, value: Any, identity: int | None) -> bool:
    """Whether another record has the value; asked of all records, since the value must be the only one of all."""
    table = records.table
    same = sa.select(sa.literal(1)).where(each.compare(table, "equal", value), table.c["id"] != (identity or 0))
    return records.connection.execute(same.limit(1)).first() is not None


def _link_problem(records: Records, each: Field, value: Any, values: Mapping[str, Any]) -> str | None:
    """A link may lead only to what it offers."""
    for link in each.links_in(value):
        enabled = records.policy.access(link.module) is not None
        offered = choices(records, each, link.module, values) if enabled else None
        if offered is None or not offered.exists(link.id):
            return _("Choose a record from the list.")
    return None

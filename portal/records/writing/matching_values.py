"""Values that must match those of other fields: lower bounds, and options that depend on other fields."""

from collections.abc import Collection, Mapping
from typing import Any

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.writing.form_conditions import is_offered, options_depend_on, unread_values
from portal.texts import _

UNFITTING = _("This conflicts with other values of this record.")


def fields_to_match(module: Module, field: Field) -> set[str]:
    """The fields whose values that of `field` must match; itself if its profile does not offer all its options."""
    itself = field.name if field.withheld else None
    return {*filter(None, [field.lower_bound_field, itself]), *options_depend_on(module, field)}


def mismatch_problem(records: Records, field: Field, values: Mapping[str, Any]) -> str | None:
    """Why the value does not match those of other fields, or None."""
    return _lower_bound_problem(records, field, values) or _option_problem(records, field, values)


def without_mismatches(records: Records, values: Mapping[str, Any], given: Collection[str] = ()) -> dict[str, Any]:
    """The values of a new record without defaults that do not match others; leaving one out may break the next.

    `given`: the fields whose values are not defaults.
    """
    values, module = dict(values), records.module
    fields = [field for name, field in module.fields.items() if name not in given and fields_to_match(module, field)]
    while names := [field.name for field in fields if mismatch_problem(records, field, values)]:
        values |= dict.fromkeys(names)
    return values


def _lower_bound_problem(records: Records, field: Field, values: Mapping[str, Any]) -> str | None:
    """Why a value does not match the lower bound in another field, that in `at_least` or `after`; None if it does."""
    value, name = values.get(field.name), field.lower_bound_field or ""
    unread = unread_values(records, [name], values) if name and value is not None else {}
    least = values.get(name, unread.get(name))
    if value is None or least is None:
        return None
    try:
        field.check_lower_bound(value, least, records.policy.reader)
    except Refused as refused:  # its sentence has the least value
        access = records.policy.access(records.name)  # None for rows, whose forms only have what may be read
        is_default = not values.get("id") and access is not None and name not in access.readable
        return UNFITTING if unread or is_default else refused.message
    return None


def _option_problem(records: Records, field: Field, values: Mapping[str, Any]) -> str | None:
    """Why an option chosen in `field` does not match the values of the fields that it depends on, or None."""
    if not field.option_conditions:
        return None
    value, reader = values.get(field.name), records.policy.reader
    for name in (value or ()) if field.multiple else (value,):
        if not name or is_offered(records, field, name, values):
            continue
        label = reader.text(field.declared_options[name].label)
        if name not in field.withheld:
            return _("“${option}” is not available with the other values.", mapping={"option": label})
        if not _has_already(records, field, name, values):
            return _("“${value}” is not one of the options.", mapping={"value": label})
    return None


def _has_already(records: Records, field: Field, option: str, values: Mapping[str, Any]) -> bool:
    """Whether the record of a form with `values` holds the option, among others that may have changed."""
    stored = unread_values(records, [field.name], {"id": values.get("id")}).get(field.name)
    return option in ((stored or ()) if field.multiple else (stored,))

"""Warns about `options:` of a profile that do nothing, or leave records without a value."""

from collections.abc import Collection
from typing import Any

from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Access, Module
from portal.declaration.source.cursor import Cursor
from portal.fields.base import Field


def check_withheld_options(module: Module, own_access: Access, using: Collection[Access], at: Cursor) -> None:
    """Checks `options` and `set` of one profile; `using`: its resolved access and that of profiles that extend it."""
    for name, labels in own_access.options.items():
        if any(name in access.readable for access in using):
            if False in labels.values() and (sentence := _objection(module.fields[name], using)):
                at["options"][name].key.warn(sentence)
        else:
            at["options"][name].key.warn(f'has no effect: this profile cannot read "{name}"')
    for name in {**own_access.set, **own_access.options}:
        if all(withholds(access, name, access.set.get(name)) for access in using):
            place = at["set"][name] if name in own_access.set else at["options"][name].key
            place.warn("the field stays empty: set names an option that this profile does not offer")


def withholds(access: Access, name: str, value: Any) -> bool:
    """Whether a profile does not offer an option of a field, or one of several."""
    options = access.options.get(name, {})
    return any(options.get(option) is False for option in (value if isinstance(value, list | tuple) else (value,)))


def _objection(field: Field, using: Collection[Access]) -> str | None:
    """What is wrong with not offering some options of a field."""
    if not any(access.can for access in using):
        return "has no effect: this profile only reads, and chooses nothing"
    if all(_offers_nothing(access, field) for access in using):
        return "no option is left to choose: leave the field out of create and edit instead"
    if all(_has_no_default(access, field) for access in using):
        return f"new records have no {field.name}: its default is not offered, and the create form does not ask for it"
    return None


def _offers_nothing(access: Access, field: Field) -> bool:
    return all(withholds(access, field.name, option) for option in field.declared_options if option)


def _has_no_default(access: Access, field: Field) -> bool:
    """Whether the records that this profile creates lack the declared default, and nobody is asked for a value."""
    is_filled = field.name in form_layout_fields(access.create) or field.name in access.set or field.required
    return "create" in access.can and not is_filled and withholds(access, field.name, field.default)

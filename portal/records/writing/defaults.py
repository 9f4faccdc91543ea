"""Values from the declaration: defaults, and `set` of profiles, buttons and transitions, for one reader."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.linked_value import Linked
from portal.records.reading.named_records import find_named
from portal.records.reading.records import Records
from portal.records.writing.form_conditions import is_shown
from portal.records.writing.matching_values import without_mismatches
from portal.records.writing.values_behind_links import followed_defaults


def defaults(records: Records) -> dict[str, Any]:
    """The initial values of a new record: declared defaults, the first state, the profile's `set`."""
    module, access = records.module, records.policy.access(records.name)
    values = {
        name: value_from_declaration(records, field, field.default)
        for name, field in module.fields.items()
        if not field.computed and not value_path(field.default)
    }
    if module.lifecycle:
        values[module.lifecycle.field] = module.lifecycle.start
    for name, raw in (access.set if access else {}).items():
        values[name] = value_from_declaration(records, module.field(name), raw)
    values |= followed_defaults(records, values, module.fields.values())
    return without_mismatches(records, values)


def value_from_declaration(records: Records, field: Field, raw: Any) -> Any:
    """The value of a default or `set`: `me`, `now`, `nothing`, a record's name, or a value of the field's type."""
    if is_nothing(raw):
        return None
    if not field.targets:
        return field.default_value(raw, records.policy.reader)
    items = raw if isinstance(raw, list | tuple) else [raw]
    links = tuple(link for item in items for link in _links(records, field, item))
    return links if field.multiple else next(iter(links), None)


def _links(records: Records, field: Field, raw: Any) -> Iterator[Linked]:
    """The record that a default or `set` names with `raw`, if it exists; if several have the name, the first, which was
    meant before there was another. `portal check --data` reports both cases to administrators."""
    constant = field.constant(raw, records.policy.reader)
    if isinstance(constant, list):
        yield from (item if isinstance(item, Linked) else Linked(item, field.targets[0]) for item in constant[:1])
        return
    for module in field.targets:
        if ids := find_named(records.connection, records.policy, module, constant):
            yield Linked(ids[0], module)
            return


def follow_again(records: Records, values: Mapping[str, Any], keep: Collection[str]) -> dict[str, Any]:
    """The `values` of a new form, with defaults that follow one of its links set again; those in `keep` stay."""
    names = [name for name, field in records.module.fields.items() if (path := value_path(field.default)) and path.link]
    emptied = {**values, **{name: None for name in names if name not in {*keep, *records.access.set}}}
    return {**emptied, **_missing_defaults(records, emptied)}


def _missing_defaults(records: Records, values: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that follow a link of the record, for fields that nobody filled in."""
    fields = [field for field in records.module.fields.values() if value_path(field.default)]
    shown = [field for field in fields if is_shown(records, field, values)]
    return followed_defaults(records, values, shown)

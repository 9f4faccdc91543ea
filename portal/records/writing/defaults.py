"""Values that the declaration gives: defaults, and `set` of profiles, buttons and transitions, for one reader."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from portal.conditions import is_nothing
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.linked_value import Linked
from portal.records.policy import Policy
from portal.records.reading.named_records import find_named
from portal.records.reading.records import Records
from portal.records.writing.form_conditions import is_shown
from portal.records.writing.values_behind_links import followed_defaults


def defaults(connection: sa.Connection, policy: Policy, module: Module) -> dict[str, Any]:
    """The values of a new record that nobody types: declared defaults, the first state, the profile's `set`."""
    values = {
        name: value_from_declaration(connection, policy, field, field.default)
        for name, field in module.fields.items()
        if not field.computed and not value_path(field.default)
    }
    if module.lifecycle:
        values[module.lifecycle.field] = module.lifecycle.start
    access = policy.access(module.name)
    for name, raw in (access.set if access else {}).items():
        values[name] = value_from_declaration(connection, policy, module.field(name), raw)
    return values | followed_defaults(connection, policy, module, values, module.fields.values())


def value_from_declaration(connection: sa.Connection, policy: Policy, field: Field, raw: Any) -> Any:
    """What `raw` of the YAML means: `me`, `now`, `nothing`, a record's name, or a value of the field's type."""
    if is_nothing(raw):
        return None
    if not field.targets:
        return field.default_value(raw, policy.reader)
    items = raw if isinstance(raw, list | tuple) else [raw]
    links = tuple(link for item in items for link in _links(connection, policy, field, item))
    return links if field.multiple else next(iter(links), None)


def _links(connection: sa.Connection, policy: Policy, field: Field, raw: Any) -> Iterator[Linked]:
    """The record that `raw` means, if there is one; of several that are called so the first, which was meant before
    there was another one. `portal check --data` tells administrators of both."""
    constant = field.constant(raw, policy.reader)
    if isinstance(constant, list):
        yield from (item if isinstance(item, Linked) else Linked(item, field.targets[0]) for item in constant[:1])
        return
    for module in field.targets:
        if ids := find_named(connection, policy, module, constant):
            yield Linked(ids[0], module)
            return


def follow_again(records: Records, values: Mapping[str, Any], keep: Collection[str]) -> dict[str, Any]:
    """`values` of a new form with the defaults that follow one of its links anew; those of `keep` stay."""
    names = [name for name, field in records.module.fields.items() if (path := value_path(field.default)) and path.link]
    emptied = {**values, **{name: None for name in names if name not in {*keep, *records.access.set}}}
    return {**emptied, **_missing_defaults(records, emptied)}


def _missing_defaults(records: Records, values: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that follow a link of the record, of the fields that nobody filled in."""
    fields = [field for field in records.module.fields.values() if value_path(field.default)]
    shown = [field for field in fields if is_shown(records, field, values)]
    return followed_defaults(records.connection, records.policy, records.module, values, shown)

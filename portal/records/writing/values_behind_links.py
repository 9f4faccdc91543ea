"""Values read from a linked record: defaults such as `$caller.company` and `me.phone`, lookups of an unsaved form.

They are read as the portal itself sees the records: a declared default applies to everyone who creates a record.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from portal.fields.base import Field
from portal.fields.default_paths import ValuePath, value_path
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.records.policy import system_policy
from portal.records.reading.records import Records


def followed_defaults(records: Records, values: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, Any]:
    """The `fields` that are empty in `values` and whose default follows a link, with the value behind it."""
    defaults: dict[str, Any] = {}
    waiting = [field for field in fields if field.is_empty(values.get(field.name))]
    # A default may begin at a link that another one fills in.
    while filled := dict(_filled_in(records, {**values, **defaults}, waiting)):
        defaults |= filled
        waiting = [field for field in waiting if field.name not in filled]
    return defaults


def _filled_in(records: Records, values: Mapping[str, Any], fields: Iterable[Field]) -> Iterator[tuple[str, Any]]:
    """The names of the `fields` whose default leads to a value, given `values`, and that value."""
    for field in fields:
        if path := value_path(field.default):
            value = _value_at(records, field, _start(records, path, values), path.path)
            if not field.is_empty(value):
                yield field.name, value


def value_in_form(records: Records, values: Mapping[str, Any], name: str) -> Any:
    """The value of the field `name` in a form with `values`; for a lookup, the value behind its link."""
    module = records.module
    field = module.field(name)
    if not field.link_path:
        return values.get(name)
    link = next(iter(module.field(field.link_path[0]).links_in(values.get(field.link_path[0]))), None)
    followed = _follow(records, link, field.link_path[1:]) if link else None
    return followed and followed[1]


def _follow(start: Records, link: Linked, path: Sequence[str]) -> tuple[Field, Any] | None:
    """The last field of `path`, which begins at the record of `link`, and its value; None if a link is empty."""
    records = Records(start.connection, system_policy(start.policy.tables, start.policy.reader), link.module)
    for place, name in enumerate(path):
        record = next(iter(records.by_ids([link.id], [name])), None)
        if record is None:
            return None
        field, value = records.module.field(name), record.values.get(name)
        if place == len(path) - 1:
            return field, value
        following = next(iter(field.links_in(value)), None)
        if following is None:
            return None
        link, records = following, records.of(following.module)
    return None


def _start(records: Records, path: ValuePath, values: Mapping[str, Any]) -> Linked | None:
    reader = records.policy.reader
    if path.link:
        return next(iter(records.module.field(path.link).links_in(values.get(path.link))), None)
    if path.who == "me":
        return Linked(reader.person, reader.people) if reader.person and reader.people else None
    return Linked(reader.companies[0], reader.organizations) if reader.companies and reader.organizations else None


def _value_at(records: Records, field: Field, start: Linked | None, path: Sequence[str]) -> Any:
    followed = _follow(records, start, path) if start else None
    if followed is None:
        return None
    source, value = followed
    if field.targets:
        links = tuple(Linked(link.id, link.module) for link in source.links_in(value) if link.module in field.targets)
        return links if field.multiple else next(iter(links), None)
    try:
        return field.read(source.write(value), records.policy.reader.machine)
    except Refused:  # too long, out of bounds: the field stays empty
        return None

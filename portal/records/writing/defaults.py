"""Values that the declaration gives (defaults, `set` of profiles, buttons and transitions), resolved for one reader."""

from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.base import Field, Refused
from portal.fields.link import is_called
from portal.fields.linked import Linked
from portal.records.policy import Policy


def declared_value(connection: sa.Connection, policy: Policy, field: Field, raw: Any) -> Any:
    """What `raw` of the YAML stands for: `me`, `now`, `nothing`, a record's name, or a value of the field's type."""
    if raw is None or raw == "nothing":
        return None
    targets = field.targets
    if not targets:
        return field.default_value(raw, policy.reader)
    found = [_linked(connection, policy, targets, field.constant(item, policy.reader)) for item in _as_list(raw)]
    links = tuple(link for link in found if link)
    return links if field.multiple else next(iter(links), None)


def defaults(connection: sa.Connection, policy: Policy, module: Module) -> dict[str, Any]:
    """The value of a new record's fields that nobody typed; the lifecycle's start among them."""
    values = {}
    for name, field in module.fields.items():
        if field.stored and not field.computed:
            values[name] = declared_value(connection, policy, field, field.default)
    if module.lifecycle:
        values[module.lifecycle.field] = module.lifecycle.start
    access = policy.access(module.name)
    for name, raw in (access.set if access else {}).items():
        values[name] = declared_value(connection, policy, module.field(name), raw)
    return values


def find_named(connection: sa.Connection, policy: Policy, module: str, name: str) -> list[int]:
    """Ids of the records that a unique field, else the reference, else the title calls `name`; two at most."""
    table = policy.tables.module(module)
    title = [table.info["title"]] if table.info["title"] else []
    for columns in (table.info["unique"], ["reference"], title):
        same = is_called([table.c[column] for column in columns], name)
        found = list(connection.execute(sa.select(table.c["id"]).where(same).limit(2)).scalars())
        if found:
            return found
    return []


def _as_list(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _linked(connection: sa.Connection, policy: Policy, targets: tuple[str, ...], found: Any) -> Linked | None:
    if isinstance(found, list):
        first = found[0] if found else None
        return first if first is None or isinstance(first, Linked) else Linked(first, targets[0])
    for module in targets:
        ids = find_named(connection, policy, module, found)
        if len(ids) > 1:
            raise Refused(f'several records of {module} are called "{found}"')
        if ids:
            return Linked(ids[0], module)
    return None

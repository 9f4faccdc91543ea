"""Portals of one process that differ in nothing but their settings keep the rest in memory once.

Where many customers have copies of one portal, each with its own name, logo and address, a portal takes a third of what
it would take alone.
"""

import dataclasses
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

from portal.database.schema.inspection import ExistingTables
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration
from portal.fields.base_shape import Shape

OWN = ("settings", "folder")  # what every portal has of its own

_guard = threading.Lock()
# Of the portals in memory with the same names, the tables that were made last.
_made: WeakValueDictionary[tuple[Any, ...], Tables] = WeakValueDictionary()


def shared_tables(declaration: Declaration, existing: ExistingTables) -> Tables:
    """What `build` makes; of a declaration and tables that are in memory already, if another portal's are the same.

    What modules read of the tables of others differs from database to database, and is not shared.
    """
    if any(module.table is not None for module in declaration.modules.values()):
        return build(declaration, existing)
    key = (*declaration.modules, *declaration.profiles, *declaration.buttons)
    with _guard:
        other = _made.get(key)
    if other is not None and _are_the_same(declaration, other.declaration):
        own = {name: getattr(declaration, name) for name in OWN}
        return dataclasses.replace(other, declaration=other.declaration.model_copy(update=own))
    tables = build(declaration, existing)
    with _guard:
        _made[key] = tables
    return tables


def _are_the_same(one: Declaration, other: Declaration) -> bool:
    alike = one.model_copy(update={name: getattr(other, name) for name in OWN})
    return alike == other and list(_orders(alike)) == list(_orders(other))


def _orders(part: Any) -> Iterator[tuple[Any, ...]]:
    """The keys of every mapping in a declaration: that of menus, columns and options is their order, and mappings are
    equal in any."""
    if isinstance(part, Shape):
        part = tuple(getattr(part, name) for name in type(part).model_fields)
    if isinstance(part, Mapping):
        yield tuple(part)
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        for inner in part:
            yield from _orders(inner)

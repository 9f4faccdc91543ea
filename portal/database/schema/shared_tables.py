"""Portals of one process that differ in nothing but their settings keep the rest in memory once.

Where many customers have copies of one portal, each with its own name, logo and address, a portal takes a third of what
it would take alone.
"""

import dataclasses
import threading
from typing import Any
from weakref import WeakValueDictionary

from portal.database.schema.inspection import ExistingTables
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration

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
    """Equal also in the order of names, which is that of menus and columns, and in `1` and `true`: texts show both."""
    alike = one.model_copy(update={name: getattr(other, name) for name in OWN})
    return alike == other and repr(alike) == repr(other)

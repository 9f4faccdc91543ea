"""Portals of one process that only differ in their settings share everything else in memory.

If many customers have copies of one portal, each with its own name, logo and address, a portal takes a third of the
memory that it would take alone.
"""

import dataclasses
import threading
from typing import Any
from weakref import WeakValueDictionary

from portal.database.schema.inspection import ExistingTables
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration

OWN = ("settings", "folder")  # what is not shared

_guard = threading.Lock()
# By names, the most recent tables of the portals in memory.
_made: WeakValueDictionary[tuple[Any, ...], Tables] = WeakValueDictionary()


def shared_tables(declaration: Declaration, existing: ExistingTables) -> Tables:
    """The result of `build`, with the declaration and tables already in memory if another portal's are the same.

    Existing tables differ from database to database, so modules over them are not shared.
    """
    if any(module.table is not None for module in declaration.modules.values()):
        return build(declaration, existing)
    key = (*declaration.modules, *declaration.profiles, *declaration.buttons)
    with _guard:
        other = _made.get(key)
    if other is not None and _are_the_same(declaration, other.declaration):
        own = {name: getattr(declaration, name) for name in OWN}
        tables = dataclasses.replace(other, declaration=other.declaration.model_copy(update=own))
    else:
        tables = build(declaration, existing)
    with _guard:
        _made[key] = tables
    return tables


def _are_the_same(one: Declaration, other: Declaration) -> bool:
    """Whether declarations are equal, also in the order of names, as in menus and columns, and in `1` versus `true`."""
    alike = one.model_copy(update={name: getattr(other, name) for name in OWN})
    return alike == other and repr(alike) == repr(other)

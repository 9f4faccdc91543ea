"""What is slow with many records: sorts, conditions and scopes that no index of the tables covers.

For `portal check --data`: warnings with their places, each saying what to add. Changes and measures nothing: the
indexes alone decide.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from portal.conditions import Comparison, Condition, joined_conditions
from portal.database.schema.indexes import sort_column
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.declaration.source.places import Places
from portal.declaration.source.problems import KeyPath, Problem
from portal.records.indexing.search_entries import indexed_modules
from portal.records.reading.index_scan import RANKS, best_indexed_condition

MANY = 20_000  # records; fewer are read quickly enough


def check_speed(connection: sa.Connection, tables: Tables, places: Places) -> Iterator[Problem]:
    """A warning for each sort, condition and scope of lists with many records that no index covers."""
    for module in indexed_modules(tables.declaration):
        table = tables.module(module.name)
        few = sa.select(sa.literal(1)).select_from(table).limit(MANY + 1).subquery()
        if connection.execute(sa.select(sa.func.count()).select_from(few)).scalar_one() > MANY:
            yield from _orders(tables.declaration, module, table, places)
            yield from _conditions(module, table, places)
            yield from _scopes(tables.declaration, module, places)


def _orders(declaration: Declaration, module: Module, table: sa.Table, places: Places) -> Iterator[Problem]:
    shown = {name for _profile, access in declaration.accesses(module.name) for name in access.list.columns or ()}
    indexed = {column for index in table.indexes for column in index.columns.keys()[:2]}
    for name in sorted(shown):
        field = module.field(name)
        if not field.sortable:
            continue
        column = sort_column(field, table)
        if column is not None and column.name in indexed:
            continue
        keys: KeyPath = ("modules", module.name, "fields", name)
        if field.index is False:
            how = f"remove `index: false` from {name}"
        elif field.virtual or field.multiple:
            how = "it is computed for every record: take it out of the list, or store the value in a field"
        else:
            how = "it is too long for an index: take it out of the list, or give it a smaller max_length"
        message = f"sorting the list of {module.name} by {name} reads all of its records; {how}"
        yield _warning(places, keys, message)


def _conditions(module: Module, table: sa.Table, places: Places) -> Iterator[Problem]:
    """Tabs whose records are tested one by one: fast if matches are frequent, slow if they are rare."""
    for name, tab in (module.list.tabs or {}).items():
        names = _unanswered(tab.where, module, table)
        if names:
            keys: KeyPath = ("modules", module.name, "list", "tabs", name)
            message = f"no index finds the records of this tab; add `index: true` to {names}"
            yield _warning(places, keys, message)


def _scopes(declaration: Declaration, module: Module, places: Places) -> Iterator[Problem]:
    owner = next((path for path in (module.owner, module.organization) if path and "." in path), None)
    for profile, access in declaration.accesses(module.name):
        if access.see in ("own", "organization") and owner:
            message = (
                f"{profile.name} sees the records of {module.name} by {owner}, which none of their indexes contains; "
                f"a link of their own to that person or company would be found quickly"
            )
            yield places.problem(f"profiles/{profile.name}.yaml", ("modules", module.name), message, warning=True)


def _unanswered(condition: Condition, module: Module, table: sa.Table) -> str:
    """The fields that need an index; empty if one exists already, or none could help."""
    parts = list(joined_conditions(condition))
    if not parts or best_indexed_condition(parts, module, table) is not None:
        return ""
    names = [
        part.path[0]
        for part in parts
        if isinstance(part, Comparison) and len(part.path) == 1 and part.operator in RANKS and not part.other_fields
    ]
    indexable = [name for name in names if name in module.fields and sort_column(module.field(name), table) is not None]
    return " or ".join(dict.fromkeys(indexable))


def _warning(places: Places, keys: KeyPath, message: str) -> Problem:
    path = keys if places.has("modules.yaml", keys) else keys[:2]
    return places.problem("modules.yaml", path, message, warning=True)

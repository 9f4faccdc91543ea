"""The difference between the tables in the database and the declared ones.

Found in the real database, or by comparing two snapshots, which is fast. Only the portal's own objects count: a table,
column or index that neither the declaration nor the last snapshot names belongs to someone else, and is never touched.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex

from portal.database.migration.declared_renames import Renames
from portal.database.migration.former_names import FormerNames
from portal.database.migration.snapshot import Snapshot, changed_columns
from portal.database.schema.existing_tables import EXISTING
from portal.database.schema.indexes import PREFIX
from portal.database.schema.inspection import unusable_indexes
from portal.database.schema.tables import Tables
from portal.database.search.index import is_index_object
from portal.lazy import LazyModule

TypesDiffer = Callable[[sa.types.TypeEngine[Any], sa.Column[Any]], bool]  # the existing type, the declared column

alembic = LazyModule("portal.database.migration.alembic")


def _by_table() -> dict[str, set[str]]:
    return defaultdict(set)


@dataclass
class Difference:
    """What is missing and what is obsolete in the database; columns and indexes by table."""

    tables: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=_by_table)
    indexes: dict[str, set[str]] = field(default_factory=_by_table)
    retyped_columns: dict[str, set[str]] = field(default_factory=_by_table)  # whose type differs from the declared one
    obsolete_tables: set[str] = field(default_factory=set)
    obsolete_columns: dict[str, set[str]] = field(default_factory=_by_table)
    obsolete_indexes: dict[str, set[str]] = field(default_factory=_by_table)

    @property
    def changed_tables(self) -> set[str]:
        """The tables with any difference; for a join table, that of its module."""
        by_table = (self.columns, self.indexes, self.retyped_columns, self.obsolete_columns, self.obsolete_indexes)
        whole = {name.partition("$")[0] for name in self.tables | self.obsolete_tables}
        return whole | {table for part in by_table for table, names in part.items() if names}

    @property
    def altered_tables(self) -> set[str]:
        """The tables that are dropped, and those whose columns change."""
        by_table = (self.columns, self.retyped_columns, self.obsolete_columns)
        return self.obsolete_tables | {table for part in by_table for table, names in part.items() if names}


@dataclass(frozen=True)
class Changes:
    """The last snapshot (with the present names), the new one, and the difference between the tables."""

    old: Snapshot
    new: Snapshot
    renames: Renames
    difference: Difference


def inspect_database(
    connection: sa.Connection, tables: Tables, old: Snapshot, new: Snapshot, names: FormerNames
) -> Difference:
    """The difference of the real database. What is in `old` but not in `new` is obsolete.

    `old` uses the new names; the database still has the former `names`.
    """
    known = {
        names.table(table): {names.column(table, column) for column in columns}
        for table, columns in changed_columns(old, new).items()
    }
    own = {names.table(table.name): table for table in tables.by_name.values() if EXISTING not in table.info}
    inspector = sa.inspect(connection)
    there, new_names = {*inspector.get_table_names()}, {former: name for name, former in names.tables.items()}
    difference = Difference(
        tables={table.name for former, table in own.items() if former not in there},
        obsolete_tables={new_names.get(name, name) for name in (there & known.keys()) - own.keys()},
    )
    compared = {former: table for former, table in own.items() if former in there}
    if compared:
        columns = inspector.get_multi_columns(filter_names=[*compared])
        indexes = inspector.get_multi_indexes(filter_names=[*compared])
        differ, unusable = alembic.type_comparison(connection), unusable_indexes(connection)
        for former, table in compared.items():
            _compare_columns(difference, table, columns[None, former], known.get(former, set()), names, differ)
            _compare_indexes(difference, table, indexes[None, former], unusable, names)
    return difference


def _compare_columns(
    difference: Difference,
    table: sa.Table,
    there: Iterable[ReflectedColumn],
    known: Collection[str],
    names: FormerNames,
    differ: TypesDiffer,
) -> None:
    """Adds the differences in a table's columns; `known`: the former names of columns that may be dropped."""
    types = {column["name"]: column["type"] for column in there}
    former = {names.column(table.name, column.name): column for column in table.c}
    difference.columns[table.name] |= {column.name for name, column in former.items() if name not in types}
    difference.retyped_columns[table.name] |= {
        column.name for name, column in former.items() if name in types and differ(types[name], column)
    }
    difference.obsolete_columns[table.name] |= {name for name in types if name in known and name not in former}


def _compare_indexes(
    difference: Difference,
    table: sa.Table,
    there: Iterable[ReflectedIndex],
    unusable: Collection[str],
    names: FormerNames,
) -> None:
    """Adds the differences in the portal's indexes of a table: an index with different columns is both obsolete and
    missing, and an unusable one is missing. Indexes of constraints are not the portal's."""
    shapes = {
        str(index["name"]): (index["column_names"], bool(index["unique"]))
        for index in there
        if "duplicates_constraint" not in index
    }
    declared = {names.index(index, table.name): index for index in table.indexes}
    same = {
        name
        for name, index in declared.items()
        if shapes.get(name) == ([names.column(table.name, column.name) for column in index.columns], index.unique)
    }
    difference.indexes[table.name] |= {
        str(index.name) for name, index in declared.items() if name not in same or name in unusable
    }
    difference.obsolete_indexes[table.name] |= {
        str(declared[name].name) if name in declared else name
        for name in shapes
        if name not in same and name.startswith(PREFIX) and not is_index_object(name)
    }


def compare_snapshots(old: Snapshot, new: Snapshot) -> Difference:
    """The difference between two snapshots."""
    difference, before, after = Difference(), changed_columns(old, new), changed_columns(new, old)
    for name, columns in new["own"].items():
        if name not in old["own"]:
            difference.tables.add(name)
        elif more := set(columns) - set(old["own"][name]):
            difference.columns[name] |= more
    for name, columns in after.items():
        if name not in before:
            difference.tables.add(name)
        else:
            difference.columns[name] |= columns - before[name]
            difference.obsolete_columns[name] |= before[name] - columns
    difference.obsolete_tables = set(before) - set(after)
    for name, module in new["modules"].items():
        if name in old["modules"]:
            there, declared = old["modules"][name]["indexes"], module["indexes"]
            difference.indexes[name] = {index for index in declared if there.get(index) != declared[index]}
            difference.obsolete_indexes[name] = {index for index in there if declared.get(index) != there[index]}
    return difference

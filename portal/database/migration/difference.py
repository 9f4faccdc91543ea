"""The difference between the tables in the database and the declared ones.

Found by Alembic in the real database, or by comparing two snapshots, which is quick. Only the portal's own objects
count: a table, column or index that neither the declaration nor the last snapshot names belongs to somebody else, and
is never touched.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa

from portal.database.migration.declared_renames import Renames
from portal.database.migration.former_names import FormerNames
from portal.database.migration.snapshot import Snapshot, changed_columns
from portal.database.schema.existing_tables import EXISTING
from portal.database.schema.indexes import PREFIX
from portal.database.schema.inspection import unusable_indexes
from portal.database.schema.tables import Tables
from portal.database.search.index import is_index_object
from portal.lazy import LazyModule

DECLARED = "declared"  # in the info of a column or an index: its name in the declaration

alembic = LazyModule("portal.database.migration.alembic")


def _by_table() -> dict[str, set[str]]:
    return defaultdict(set)


@dataclass
class Difference:
    """What is missing in the database and what is obsolete there; columns and indexes by table."""

    tables: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=_by_table)
    indexes: dict[str, set[str]] = field(default_factory=_by_table)
    retyped_columns: dict[str, set[str]] = field(default_factory=_by_table)  # of another type than the declared one
    obsolete_tables: set[str] = field(default_factory=set)
    obsolete_columns: dict[str, set[str]] = field(default_factory=_by_table)
    obsolete_indexes: dict[str, set[str]] = field(default_factory=_by_table)

    def add(self, kind: str, table: str, name: str) -> None:
        """Adds one difference as alembic.py names it."""
        by_table = {
            "column": self.columns, "obsolete column": self.obsolete_columns, "retyped column": self.retyped_columns,
            "index": self.indexes, "obsolete index": self.obsolete_indexes,
        }  # fmt: skip
        if kind in by_table:
            by_table[kind][table].add(name)
        else:
            (self.tables if kind == "table" else self.obsolete_tables).add(table)

    @property
    def changed_tables(self) -> set[str]:
        """The tables with any difference; for a join table that of its module."""
        by_table = (self.columns, self.indexes, self.retyped_columns, self.obsolete_columns, self.obsolete_indexes)
        whole = {name.partition("$")[0] for name in self.tables | self.obsolete_tables}
        return whole | {table for part in by_table for table, names in part.items() if names}

    @property
    def altered_tables(self) -> set[str]:
        """The tables that go, and those whose columns change."""
        by_table = (self.columns, self.retyped_columns, self.obsolete_columns)
        return self.obsolete_tables | {table for part in by_table for table, names in part.items() if names}


@dataclass(frozen=True)
class Changes:
    """The last snapshot (under the names that hold now), the new one, and the difference between the tables."""

    old: Snapshot
    new: Snapshot
    renames: Renames
    difference: Difference


def inspect_database(
    connection: sa.Connection, tables: Tables, old: Snapshot, new: Snapshot, names: FormerNames
) -> Difference:
    """The difference of the real database. What `old` names and `new` does not is obsolete.

    `old` is under the new names; the database still has the former `names`. Alembic is asked about the tables that are
    there: about a missing one it takes long to find out no more than that.
    """
    known = {
        names.table(table): {names.column(table, column) for column in columns}
        for table, columns in changed_columns(old, new).items()
    }
    own = [table for table in tables.metadata.tables.values() if EXISTING not in table.info]
    there = set(sa.inspect(connection).get_table_names())
    missing = {table.name for table in own if names.table(table.name) not in there}
    compared = _comparable((table for table in own if table.name not in missing), names)
    declared = compared.tables

    def is_ours(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
        table = parents.get("table_name") or ""
        if name is None or kind == "table":
            return kind != "table" or (name in declared or name in known) and not is_index_object(name or "")
        if kind == "column":
            return (table in declared and name in declared[table].c) or name in known.get(table, ())
        if kind == "index":
            return name.startswith(PREFIX) and not is_index_object(name)
        return True

    new_names = {former: after for after, former in names.tables.items()}
    difference = Difference(tables=missing)
    for kind, former, name in [
        *alembic.differences(connection, compared, is_ours),
        *(
            ("index", table.name, name)
            for name in unusable_indexes(connection)
            for table in declared.values()
            if name in {index.name for index in table.indexes}
        ),
    ]:
        difference.add(kind, new_names.get(former, former), _new_name(declared.get(former), name))
    _drop_indexes_of_whole_tables(difference)
    return difference


def _new_name(table: sa.Table | None, former: str) -> str:
    """The declared name of a column or an index."""
    if table is None:
        return former
    by_former = {str(column.key): column for column in table.c} | {str(index.name): index for index in table.indexes}
    return by_former[former].info[DECLARED] if former in by_former else former


def _comparable(tables: Iterable[sa.Table], names: FormerNames) -> sa.MetaData:
    """The declared tables under their former names, without foreign keys: Alembic sorts tables, and tables in a circle
    have no order."""
    metadata = sa.MetaData()
    for table in tables:
        former = partial(names.column, table.name)
        columns = [
            sa.Column(former(column.name), column.type, primary_key=column.primary_key, info={DECLARED: column.name})
            for column in table.c
        ]
        unique = [
            sa.UniqueConstraint(*map(former, constraint.columns.keys()), name=constraint.name)
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        ]
        copy = sa.Table(names.table(table.name), metadata, *columns, *unique)
        for index in table.indexes:
            of = [copy.c[former(column.name)] for column in index.columns]
            sa.Index(names.index(index, table.name), *of, unique=index.unique, info={DECLARED: str(index.name)})
    return metadata


def _drop_indexes_of_whole_tables(difference: Difference) -> None:
    """The indexes of a table that is created or dropped are created and dropped with it."""
    for table in (*difference.tables, *difference.obsolete_tables):
        difference.indexes.pop(table, None)
        difference.obsolete_indexes.pop(table, None)


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

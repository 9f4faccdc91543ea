"""What a database lacks of the tables that are wanted, and what it has too much: found by Alembic in the real one,
or by comparing what is remembered, which is quick.

Only our own things count: a table, column or index that neither the declaration nor the last applied one names is
somebody else's, and never touched.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.database.migration.snapshot import Remembered, known_columns
from portal.database.schema.tables import Tables
from portal.database.search.index import is_index_object
from portal.lazy import Later

alembic = Later("portal.database.migration.alembic")
OUR_INDEXES = "ix_"


def _by_table() -> dict[str, set[str]]:
    return defaultdict(set)


@dataclass
class Lacking:
    """Names, by table. `odd` are columns of another type than the wanted one."""

    tables: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=_by_table)
    indexes: dict[str, set[str]] = field(default_factory=_by_table)
    odd: dict[str, set[str]] = field(default_factory=_by_table)
    needless_tables: set[str] = field(default_factory=set)
    needless_columns: dict[str, set[str]] = field(default_factory=_by_table)
    needless_indexes: dict[str, set[str]] = field(default_factory=_by_table)

    def take(self, kind: str, table: str, name: str) -> None:
        """One difference as alembic.py names it."""
        by_table = {
            "column": self.columns, "needless column": self.needless_columns, "odd": self.odd,
            "index": self.indexes, "needless index": self.needless_indexes,
        }  # fmt: skip
        if kind in by_table:
            by_table[kind][table].add(name)
        else:
            (self.tables if kind == "table" else self.needless_tables).add(table)

    @property
    def touched(self) -> set[str]:
        """The tables about which anything is to be said; the module's for its join tables."""
        columns = (self.columns, self.indexes, self.odd, self.needless_columns, self.needless_indexes)
        whole = {name.partition("$")[0] for name in self.tables | self.needless_tables}
        return whole | {table for part in columns for table, names in part.items() if names}


def detect(connection: sa.Connection, tables: Tables, old: Remembered, new: Remembered) -> Lacking:
    """What the real database lacks; what `old` remembers and `new` does not want any more is needless."""
    ours = known_columns(old, new)
    wanted = tables.metadata.tables

    def is_ours(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
        table = parents.get("table_name") or ""
        if name is None or kind == "table":
            return kind != "table" or (name in wanted or name in ours) and not is_index_object(name or "")
        if kind == "column":
            return (table in wanted and name in wanted[table].c) or name in ours.get(table, ())
        if kind == "index":
            return name.startswith(OUR_INDEXES) and not is_index_object(name)
        return True

    lacking = Lacking()
    for kind, table, name in alembic.differences(connection, _compared(tables), is_ours):
        lacking.take(kind, table, name)
    _forget_indexes_of_whole_tables(lacking)
    return lacking


def _compared(tables: Tables) -> sa.MetaData:
    """The wanted tables as they are compared: without foreign keys, since tables in a circle have no order."""
    compared = sa.MetaData()
    for table in tables.metadata.tables.values():
        copies = [sa.Column(column.name, column.type, primary_key=column.primary_key) for column in table.c]
        unique = [
            sa.UniqueConstraint(*constraint.columns.keys(), name=constraint.name)
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        ]
        copy = sa.Table(table.name, compared, *copies, *unique)
        for index in table.indexes:
            sa.Index(index.name, *[copy.c[column.name] for column in index.columns], unique=index.unique)
    return compared


def _forget_indexes_of_whole_tables(lacking: Lacking) -> None:
    """The indexes of tables that come or go whole come and go with them."""
    for whole in (*lacking.tables, *lacking.needless_tables):
        lacking.indexes.pop(whole, None)
        lacking.needless_indexes.pop(whole, None)


def compare(old: Remembered, new: Remembered) -> Lacking:
    """What was not there when `old` was applied and `new` asks for."""
    lacking, before, after = Lacking(), known_columns(old, new), known_columns(new, old)
    for name, columns in new["own"].items():
        if name not in old["own"]:
            lacking.tables.add(name)
        elif more := set(columns) - set(old["own"][name]):
            lacking.columns[name] |= more
    for name, columns in after.items():
        if name not in before:
            lacking.tables.add(name)
        else:
            lacking.columns[name] |= columns - before[name]
            lacking.needless_columns[name] |= before[name] - columns
    lacking.needless_tables = set(before) - set(after)
    for name, module in new["modules"].items():
        if name in old["modules"]:
            kept, wanted = old["modules"][name]["indexes"], module["indexes"]
            lacking.indexes[name] = {index for index, made in wanted.items() if kept.get(index) != made}
            lacking.needless_indexes[name] = {index for index, made in kept.items() if wanted.get(index) != made}
    return lacking

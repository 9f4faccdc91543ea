"""The indexes that a plan creates and drops, on PostgreSQL CONCURRENTLY and after everything else is committed.

Nobody waits for that, neither to read nor to save. A killed build leaves an unusable index: the plan counts it as
missing, and the next `portal apply` creates it again; for modules, the next start of the portal does too, and the
worker within an hour.
"""

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from portal.database.errors import UNIQUE_VIOLATION, sql_code
from portal.database.migration import alter
from portal.database.migration.difference import Changes
from portal.database.migration.effort import Work, estimate_effort
from portal.database.migration.plan_steps import Phase, PlanStep, Task
from portal.database.migration.row_counts import SHOWN, RowCounts
from portal.database.schema.indexes import index_name
from portal.database.schema.inspection import existing_indexes
from portal.database.schema.tables import Tables, columns_of
from portal.declaration.shapes import Module
from portal.fields.base import Field


class LateIndexes:
    """The index changes that one migration leaves for later; SQLite makes them immediately."""

    def __init__(self) -> None:
        self._are_unique = True
        self._missing: dict[str, tuple[sa.Table, set[str]]] = {}
        self._obsolete: dict[str, set[str]] = {}

    def create(self, connection: sa.Connection, table: sa.Table, names: Collection[str]) -> None:
        """Indexes of an existing table."""
        if connection.dialect.name != "postgresql":
            for name in sorted(names):
                try:
                    alter.create_indexes(connection, table, [name])
                except sa.exc.IntegrityError:
                    self._are_unique = False
        elif names:
            self._missing.setdefault(table.name, (table, set()))[1].update(names)

    def drop(self, connection: sa.Connection, table: str, names: Collection[str]) -> None:
        """Indexes that are no longer declared; they are used until their replacements exist."""
        if connection.dialect.name != "postgresql":
            alter.drop_indexes(connection, table, names)
        elif names:
            self._obsolete.setdefault(table, set()).update(names)

    def clear(self) -> None:
        """Forgets them: their cause was rolled back."""
        self._are_unique = True
        self._missing.clear()
        self._obsolete.clear()

    def finish(self, engine: sa.Engine) -> bool:
        """Creates and drops them. False if duplicate values prevented the creation of one.

        If this ends early, the next plan has the rest.
        """
        if not self._missing and not self._obsolete:
            return self._are_unique
        obsolete = {name: table for table, names in self._obsolete.items() for name in names}
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            unique = {name for name, (_is_valid, is_unique) in existing_indexes(connection).items() if is_unique}
            # An index that refuses what is allowed now, or has the name of a new one, must be dropped first.
            made_anew = {name for _table, names in self._missing.values() for name in names}
            first = obsolete.keys() & (unique | made_anew)
            _drop(connection, {name: obsolete[name] for name in sorted(first)})
            succeeded = [create_late_indexes(connection, table, names) for table, names in self._missing.values()]
            _drop(connection, {name: obsolete[name] for name in sorted(obsolete.keys() - first)})
        return all(succeeded)


def create_late_indexes(connection: sa.Connection, table: sa.Table, names: Collection[str]) -> bool:
    """Creates indexes late, on PostgreSQL outside of a transaction, unless they exist.

    Returns False if one cannot be unique: it is left out.
    """
    existing = existing_indexes(connection)
    could_all = True
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        name = str(index.name)
        is_valid = existing.get(name, (None, None))[0]
        if name not in names or is_valid:
            continue
        if is_valid is False:
            alter.drop_indexes(connection, table.name, [name], concurrently=True)
        try:
            alter.create_index_concurrently(connection, table.name, name, index.columns.keys(), bool(index.unique))
        except sa.exc.IntegrityError as error:
            if sql_code(error) != UNIQUE_VIOLATION:
                raise
            alter.drop_indexes(connection, table.name, [name], concurrently=True)
            could_all = False
    return could_all


def _drop(connection: sa.Connection, tables: dict[str, str]) -> None:
    """Drops indexes; `tables`: their names → their tables."""
    for name, table in tables.items():
        alter.drop_indexes(connection, table, [name], concurrently=True)


class PlannedIndexes:
    """The indexes of one plan; `late`: those that are created and dropped after everything else."""

    def __init__(self, tables: Tables, changes: Changes, counts: RowCounts) -> None:
        self.late = LateIndexes()
        self._tables, self._changes, self._counts = tables, changes, counts
        self._handled: set[str] = set()  # those in the step of a field

    def take_over(self, table: sa.Table, field: Field) -> set[str]:
        """The indexes of a field that the field's own step creates."""
        names = _indexes_of(table, field)
        self._handled |= names
        return names

    def go_with(self, module: str, dropped: Collection[str]) -> None:
        """Notes that the indexes of dropped columns are dropped with them."""
        indexes = self._changes.old["modules"][module]["indexes"].items()
        self._handled |= {name for name, (_unique, *of) in indexes if not set(dropped).isdisjoint(of)}

    def create(self, table: sa.Table, names: Collection[str]) -> None:
        """Creates indexes of a table, called by a task."""
        self.late.create(self._counts.connected, table, names)

    def others_of(self, name: str) -> Iterator[PlanStep]:
        """The step for the indexes of a table that no field's step handles."""
        table, difference = self._tables.by_name[name], self._changes.difference
        missing = difference.indexes.get(name, set()) - self._handled
        obsolete = difference.obsolete_indexes.get(name, set()) - self._handled
        if obsolete or missing:
            tasks = (
                Task(Phase.DROP_INDEXES, lambda: self.late.drop(self._counts.connected, name, obsolete)),
                Task(Phase.CREATE_INDEXES, lambda: self.create(table, missing)),
            )
            takes = estimate_effort(self._counts, name, Work.INDEX) if missing else None
            yield PlanStep(f"bring the indexes of {name} up to date", effort=takes, tasks=tasks)

    def duplicates(self, module: Module, field: Field) -> Iterator[PlanStep]:
        """A step for values that prevent a field from becoming unique; without any, its index is like the others."""
        table = self._tables.module(module.name)
        within = [column for column in table.c if column.name in module.unique_within(field)]
        compared = [column for column in columns_of(field) if column.name in (field.name, field.key_column)]
        # Not every unique index with a column of the field: it may be the link within which another field is unique.
        own = {index_name(module.name, *module.unique_within(field), field.key_column)} if field.unique else set()
        missing = own & self._changes.difference.indexes.get(module.name, set())
        duplicates = self._counts.duplicates(module.name, within, compared) if missing else []
        if duplicates:
            self._handled |= missing
            # The index that enforced exact uniqueness in older versions stays until then.
            self._handled.add(index_name(module.name, *module.unique_within(field), field.name))
            listed = ", ".join(f"{values} ({count} times)" for values, count in duplicates[:SHOWN])
            more = ", …" if len(duplicates) > SHOWN else ""
            path = f"{module.name}.{field.name}"
            sentence = f"! field {path} cannot be made unique, these values occur more than once: {listed}{more}"
            yield PlanStep(sentence, blocked=True, needed=False)


def _indexes_of(table: sa.Table, field: Field) -> set[str]:
    names = {column.name for column in columns_of(field)}
    return {str(index.name) for index in table.indexes if not names.isdisjoint(index.columns.keys())}

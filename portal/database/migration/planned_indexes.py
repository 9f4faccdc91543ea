"""The indexes in a plan: those of fields that come or go, the others, and values that keep one from being unique."""

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from portal.database.migration.difference import Changes
from portal.database.migration.effort import Work, effort
from portal.database.migration.late_indexes import LateIndexes
from portal.database.migration.row_counts import SHOWN, RowCounts
from portal.database.migration.snapshot import columns
from portal.database.migration.steps import Phase, Step, Task
from portal.database.schema.indexes import index_name
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.base import Field


class PlannedIndexes:
    """The indexes of one plan; `late`: those that are made and dropped when everything else is done."""

    def __init__(self, tables: Tables, changes: Changes, counts: RowCounts) -> None:
        self.late = LateIndexes()
        self._tables, self._changes, self._counts = tables, changes, counts
        self._handled: set[str] = set()  # by the step of a field

    def take_over(self, table: sa.Table, field: Field) -> set[str]:
        """The indexes of a field whose step creates them itself."""
        names = _indexes_of(table, field)
        self._handled |= names
        return names

    def go_with(self, module: str, dropped: Collection[str]) -> None:
        """The indexes of dropped columns are dropped with them."""
        indexes = self._changes.old["modules"][module]["indexes"].items()
        self._handled |= {name for name, (_unique, *of) in indexes if not set(dropped).isdisjoint(of)}

    def create(self, table: sa.Table, names: Collection[str]) -> None:
        """Creates indexes of a table, when a task says so."""
        self.late.create(self._counts.connected, table, names)

    def others_of(self, name: str) -> Iterator[Step]:
        """The step for the indexes of a table that no field's step has taken over."""
        table, difference = self._tables.metadata.tables[name], self._changes.difference
        missing = difference.indexes.get(name, set()) - self._handled
        obsolete = difference.obsolete_indexes.get(name, set()) - self._handled
        if obsolete or missing:
            tasks = (
                Task(Phase.DROP_INDEXES, lambda: self.late.drop(self._counts.connected, name, obsolete)),
                Task(Phase.CREATE_INDEXES, lambda: self.create(table, missing)),
            )
            takes = effort(self._counts, name, Work.INDEX) if missing else None
            yield Step(f"bring the indexes of {name} up to date", effort=takes, tasks=tasks)

    def duplicates(self, module: Module, field: Field) -> Iterator[Step]:
        """Values that keep a field from becoming unique; without them its index comes with the others."""
        table = self._tables.module(module.name)
        within = [column for column in table.c if column.name in module.unique_within(field)]
        compared = [column for column in columns(field) if column.name in (field.name, field.key_column)]
        unique = {str(index.name) for index in table.indexes if index.unique}
        missing = _indexes_of(table, field) & unique & self._changes.difference.indexes.get(module.name, set())
        duplicates = self._counts.duplicates(module.name, within, compared) if missing else []
        if duplicates:
            self._handled |= missing
            # What kept exactly the same values apart in older versions stays until then.
            self._handled.add(index_name(module.name, *module.unique_within(field), field.name))
            shown = ", ".join(f"{values} ({count} times)" for values, count in duplicates[:SHOWN])
            more = ", …" if len(duplicates) > SHOWN else ""
            path = f"{module.name}.{field.name}"
            sentence = f"! field {path} cannot be made unique, these values occur more than once: {shown}{more}"
            yield Step(sentence, blocked=True, needed=False)


def _indexes_of(table: sa.Table, field: Field) -> set[str]:
    names = {column.name for column in columns(field)}
    return {str(index.name) for index in table.indexes if not names.isdisjoint(index.columns.keys())}

"""Indexes that PostgreSQL makes after everything else is committed, so that nobody who reads waits for them.

Making an index only keeps people from saving. In the transaction that has added or converted a column the table is
locked for reading too, and would be for as long as its rows are read for the index.
"""

from collections.abc import Collection

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.migration import alter


class LateIndexes:
    """The indexes of one migration that are still to be made."""

    def __init__(self) -> None:
        self._waiting: list[tuple[sa.Table, frozenset[str]]] = []

    def create(self, connection: sa.Connection, table: sa.Table, names: Collection[str]) -> None:
        """Makes unique ones, without which the migration must not be committed, and on SQLite all; keeps the others."""
        unique = {str(index.name) for index in table.indexes if index.unique}
        at_once = set(names) & unique if connection.dialect.name == "postgresql" else set(names)
        if at_once:
            alter.create_indexes(connection, table, at_once)
        if others := frozenset(names) - at_once:
            self._waiting.append((table, others))

    def clear(self) -> None:
        """Forgets them: what led to them was rolled back."""
        self._waiting.clear()

    def finish(self, engine: sa.Engine) -> None:
        """Makes them. What is missing if this ends half-way, the next plan names."""
        for table, names in self._waiting:
            with writing(engine.execution_options(isolation_level="READ COMMITTED")) as connection:
                alter.create_indexes(connection, table, names)
        self.clear()

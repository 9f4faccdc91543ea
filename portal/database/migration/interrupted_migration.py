"""Finishes what a killed `portal apply` left on PostgreSQL, between or after its transactions."""

import logging
from collections.abc import Iterable

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.migration.background_conversion import clear_conversions, tables_in_conversion
from portal.database.migration.index_changes import create_late_indexes
from portal.database.migration.locks import turn_if_free
from portal.database.migration.snapshot import EMPTY, last_applied
from portal.database.schema.inspection import existing_indexes
from portal.database.schema.tables import Tables

log = logging.getLogger(__name__)


def is_interrupted(connection: sa.Connection, tables: Tables) -> bool:
    """Whether `finish_interrupted` has something to do, or another process is still at work."""
    return connection.dialect.name == "postgresql" and (
        bool(tables_in_conversion(connection)) or any(_missing_indexes(connection, tables))
    )


def finish_interrupted(engine: sa.Engine, tables: Tables) -> None:
    """Finishes an interrupted migration's indexes and removes its conversions, unless another process is at work."""
    with reading(engine) as connection:
        if not is_interrupted(connection, tables):
            return
    with turn_if_free(engine) as turn:
        if turn is not None:
            clear_conversions(engine)
            _finish_indexes(engine, tables)


def _finish_indexes(engine: sa.Engine, tables: Tables) -> None:
    """Creates the indexes left by an interrupted migration, if they belong to what is applied in the database."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        applied = last_applied(connection, tables) or EMPTY
        for table, names in _missing_indexes(connection, tables):
            is_in_force = names <= applied["modules"].get(table.name, {"indexes": {}})["indexes"].keys()
            if is_in_force and not create_late_indexes(connection, table, names):
                log.warning("An index of %s cannot be unique: `portal plan` says why", table.name)


def _missing_indexes(connection: sa.Connection, tables: Tables) -> Iterable[tuple[sa.Table, set[str]]]:
    """The tables of modules that exist and lack indexes after an interrupted migration."""
    existing = existing_indexes(connection)
    for name in tables.declaration.stored:
        table = tables.module(name)
        declared = {str(index.name) for index in table.indexes}
        missing = {index for index in declared if not existing.get(index, (False, False))[0]}
        if missing:
            yield table, missing

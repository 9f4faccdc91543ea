"""What a `portal apply` that was killed has left on PostgreSQL, between or after its transactions."""

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.migration.conversion_beforehand import clear_conversions, has_unfinished_conversions
from portal.database.migration.index_changes import finish_indexes, lacks_indexes
from portal.database.migration.locks import turn_if_free
from portal.database.schema.tables import Tables


def is_interrupted(connection: sa.Connection, tables: Tables) -> bool:
    """Whether `finish_interrupted` has something to do, or another process is still at work."""
    return connection.dialect.name == "postgresql" and (
        has_unfinished_conversions(connection) or lacks_indexes(connection, tables)
    )


def finish_interrupted(engine: sa.Engine, tables: Tables) -> None:
    """Makes the indexes that are missing, and takes away conversions that have not come to their end, unless another
    process is at work."""
    with reading(engine) as connection:
        if not is_interrupted(connection, tables):
            return
    with turn_if_free(engine) as turn:
        if turn is not None:
            clear_conversions(engine)
            finish_indexes(engine, tables)

"""Telling the database to look at its tables, so that it knows which index is worth what. It does not by itself on
SQLite, and on PostgreSQL only after a while.
"""

from collections.abc import Iterable

import sqlalchemy as sa

LOOKED_AT = 1_000  # rows of an index on SQLite: enough to know how many share a value, in a moment at any size


def analyze(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Look at `tables`."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {LOOKED_AT}")
    for name in tables:
        connection.exec_driver_sql(f"ANALYZE {connection.dialect.identifier_preparer.quote(name)}")

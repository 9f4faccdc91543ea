"""Tables that a migration needs for itself on PostgreSQL, without keeping readers waiting behind it."""

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from portal.database.errors import LOCK_NOT_AVAILABLE, sql_code
from portal.database.migration import alter

ATTEMPTS, PAUSE = 600, 0.1  # how often a migration tries to get its tables; seconds between
PATIENCE = 50  # milliseconds that it waits for a table, and others behind it
FROM_EVERYBODY, FROM_SAVING = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"  # whom a lock keeps from a table
Result = TypeVar("Result")


def when_free(connection: sa.Connection, work: Callable[[], Result], undo: Callable[[], None] = lambda: None) -> Result:
    """Does `work`, which needs tables for itself, and answers its result.

    On PostgreSQL it waits only a moment for them, as everybody who comes later waits behind it: then all is undone and
    tried again, until no reader is in the way. No lock that `work` has taken, of a table or of a row, outlives that.
    `undo`: takes back what `work` has changed in memory.
    """
    if connection.dialect.name != "postgresql":
        return work()
    attempts = 0
    while True:
        attempts += 1
        try:
            with connection.begin_nested():
                set_patience(connection)
                result = work()
        except sa.exc.DBAPIError as error:
            if sql_code(error) != LOCK_NOT_AVAILABLE or attempts == ATTEMPTS:
                raise
            undo()
            time.sleep(PAUSE)
        else:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            return result


def take(connection: sa.Connection, names: set[str], mode: str) -> None:
    """Locks those of the tables that exist, always in the same order; nothing on SQLite, which has one writer."""
    if not names or connection.dialect.name != "postgresql":
        return
    existing = names.intersection(sa.inspect(connection).get_table_names())
    if listed := ", ".join(alter.quoted(connection, name) for name in sorted(existing)):
        connection.exec_driver_sql(f"LOCK TABLE {listed} IN {mode} MODE")


def set_patience(connection: sa.Connection) -> None:
    """From now on this transaction waits only a moment for what others hold."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")

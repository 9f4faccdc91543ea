"""Tables that a migration needs for itself on PostgreSQL, without keeping readers waiting behind it."""

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from portal.database.errors import LOCK_NOT_AVAILABLE, is_retryable, sql_code
from portal.database.migration import alter

ATTEMPTS, PAUSE = 600, 0.1  # how often a migration tries to get its tables; seconds between
PATIENCE = 50  # milliseconds that it waits for a table, and others behind it
# PostgreSQL ends an autovacuum that is in the way, but only for who has waited a second (its deadlock_timeout). While
# one is at work, every tenth attempt waits so long.
PATIENCE_WITH_VACUUM, VACUUM_EVERY = 1500, 10
FROM_EVERYBODY, FROM_SAVING = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"  # whom a lock keeps from a table
Result = TypeVar("Result")

_VACUUM = sa.text(  # or the build of an index
    "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE mode = 'ShareUpdateExclusiveLock' AND granted AND nspname = current_schema() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


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
        is_vacuumed = attempts % VACUUM_EVERY == 0 and connection.scalar(_VACUUM)
        try:
            with connection.begin_nested():
                set_patience(connection, PATIENCE_WITH_VACUUM if is_vacuumed else PATIENCE)
                result = work()
        except sa.exc.DBAPIError as error:
            may_succeed = is_retryable(error) or sql_code(error) == LOCK_NOT_AVAILABLE
            if not may_succeed or attempts == ATTEMPTS:
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


def set_patience(connection: sa.Connection, milliseconds: int = PATIENCE) -> None:
    """From now on this transaction waits only a moment for what others hold."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{milliseconds}ms'")

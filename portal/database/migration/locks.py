"""Locks of a migration on PostgreSQL: one migration at a time, and exclusive tables without keeping readers waiting.

A migration is more than one transaction, from the plan to the last index: its turn is a lock held by a separate
connection. A table is only locked briefly, since everyone who comes later waits behind the lock.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.errors import LOCK_NOT_AVAILABLE, DatabaseError, is_retryable, sql_code
from portal.database.postgresql import make_schema, try_lock, unlock
from portal.database.sql import quoted_identifier

ATTEMPTS, PAUSE = 600, 0.1  # how often a migration tries to lock its tables; seconds in between
LOCK_TIMEOUT = 50  # milliseconds that it waits for a table, and others behind it
# PostgreSQL ends an autovacuum that is in the way, but only after one second (its deadlock_timeout). While one is
# running, every tenth attempt waits that long.
LOCK_TIMEOUT_WITH_VACUUM, VACUUM_EVERY = 1500, 10
FROM_EVERYONE, FROM_SAVING = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE"  # whom a lock excludes from a table
Result = TypeVar("Result")

_VACUUM = sa.text(  # or the build of an index
    "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE mode = 'ShareUpdateExclusiveLock' AND granted AND nspname = current_schema() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)

LOCK = 7_022_601_118  # the advisory lock; any number that nobody else uses


def when_free(connection: sa.Connection, work: Callable[[], Result], undo: Callable[[], None] = lambda: None) -> Result:
    """Does `work`, which needs exclusive tables, and returns its result.

    On PostgreSQL, it only waits a moment for them, since everyone who comes later waits behind it: then everything is
    rolled back and tried again, until no reader is in the way. No lock of `work`, on a table or a row, survives that.
    `undo`: reverts what `work` has changed in memory.
    """
    if connection.dialect.name != "postgresql":
        return work()
    attempts = 0
    while True:
        attempts += 1
        is_vacuumed = attempts % VACUUM_EVERY == 0 and connection.scalar(_VACUUM)
        try:
            with connection.begin_nested():
                set_lock_timeout(connection, LOCK_TIMEOUT_WITH_VACUUM if is_vacuumed else LOCK_TIMEOUT)
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


def lock_tables(connection: sa.Connection, names: set[str], mode: str) -> None:
    """Locks the existing tables, always in the same order; does nothing on SQLite, which has one writer."""
    if not names or connection.dialect.name != "postgresql":
        return
    existing = names.intersection(sa.inspect(connection).get_table_names())
    if listed := ", ".join(quoted_identifier(connection, name) for name in sorted(existing)):
        connection.exec_driver_sql(f"LOCK TABLE {listed} IN {mode} MODE")


def set_lock_timeout(connection: sa.Connection, milliseconds: int = LOCK_TIMEOUT) -> None:
    """Makes this transaction wait only a moment for locks from now on."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{milliseconds}ms'")


class MigrationTurn:
    """The turn of this process, which lasts as long as the connection with the lock; on SQLite, it never ends."""

    def __init__(self, connection: sa.Connection | None = None) -> None:
        self._connection = connection
        self._error: Exception | None = None

    def keep(self) -> None:
        """Call between the transactions of a long migration: proxies close connections that are idle for long.
        Raises a DatabaseError if the turn has ended: another process may be at work."""
        if self._error is not None:
            raise self._error
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
        except DatabaseError as error:
            self._error = error
            raise

    def close(self) -> None:
        """Releases the lock. A failing connection has lost it, or loses it now."""
        if self._connection is None or self._connection.invalidated:
            return
        try:
            unlock(self._connection, LOCK)
        except DatabaseError:
            self._connection.invalidate()


@contextlib.contextmanager
def one_at_a_time(engine: sa.Engine) -> Iterator[MigrationTurn]:
    """Waits until no other process is changing the tables of this portal. SQLite has one writer at a time anyway.

    It polls instead of waiting for the lock: a waiting statement keeps its snapshot of the database, and an index that
    is created concurrently waits until nobody has an older one.
    """
    if engine.dialect.name != "postgresql":
        yield MigrationTurn()
        return
    with writing(engine) as connection:
        make_schema(connection)  # the lock depends on its name
    with _connection(engine) as connection:
        while not try_lock(connection, LOCK):
            time.sleep(PAUSE)
        with contextlib.closing(MigrationTurn(connection)) as turn:
            yield turn


@contextlib.contextmanager
def turn_if_free(engine: sa.Engine) -> Iterator[MigrationTurn | None]:
    """The turn to migrate on PostgreSQL, locked for this process; None if another one has it."""
    with _connection(engine) as connection:
        if not try_lock(connection, LOCK):
            yield None
            return
        with contextlib.closing(MigrationTurn(connection)) as turn:
            yield turn


def _connection(engine: sa.Engine) -> sa.Connection:
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()

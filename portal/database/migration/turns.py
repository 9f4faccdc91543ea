"""One migration at a time on PostgreSQL, from the plan to the last index: it is more than one transaction."""

import contextlib
import time
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.errors import DatabaseError
from portal.database.postgresql import make_schema

LOCK = 7_022_601_118  # the advisory lock; any number that nobody else uses
OWN_LOCK = (
    ":lock + coalesce(hashtext(current_schema()), 0)"  # portals in schemas of one database are migrated by themselves
)
PAUSE = 0.1  # seconds between two attempts


class Turn:
    """The turn of this process, which lasts as long as the connection that holds the lock; always on SQLite."""

    def __init__(self, connection: sa.Connection | None = None) -> None:
        self._connection = connection
        self._error: Exception | None = None

    def keep(self) -> None:
        """To be called between the transactions of a long migration: a proxy ends connections that are idle for long.
        Raises a DatabaseError where the turn has ended: another process may be at work."""
        if self._error is not None:
            raise self._error
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
        except DatabaseError as error:
            self._error = error
            raise

    def close(self) -> None:
        """Gives the lock back. A connection that fails has lost it, or loses it now."""
        if self._connection is None or self._connection.invalidated:
            return
        try:
            self._connection.execute(sa.text(f"SELECT pg_advisory_unlock({OWN_LOCK})"), {"lock": LOCK})
        except DatabaseError:
            self._connection.invalidate()


@contextlib.contextmanager
def one_at_a_time(engine: sa.Engine) -> Iterator[Turn]:
    """Waits until no other process changes the tables of this portal. SQLite has one writer at a time anyway.

    It asks again and again instead of waiting for the lock: a statement that waits keeps its view of the database, and
    an index that is made concurrently waits until nobody has an older one.
    """
    if engine.dialect.name != "postgresql":
        yield Turn()
        return
    with writing(engine) as connection:
        make_schema(connection)  # the lock has its name
    with _connection(engine) as connection:
        while not _take_lock(connection):
            time.sleep(PAUSE)
        with contextlib.closing(Turn(connection)) as turn:
            yield turn


@contextlib.contextmanager
def turn_if_free(engine: sa.Engine) -> Iterator[Turn | None]:
    """The turn on PostgreSQL, None if another process has it."""
    with _connection(engine) as connection:
        if not _take_lock(connection):
            yield None
            return
        with contextlib.closing(Turn(connection)) as turn:
            yield turn


def _connection(engine: sa.Engine) -> sa.Connection:
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()


def _take_lock(connection: sa.Connection) -> bool:
    return bool(connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({OWN_LOCK})"), {"lock": LOCK}))

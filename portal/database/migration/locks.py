"""Tables that a migration needs for itself on PostgreSQL, without keeping readers waiting behind it."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from portal.database.errors import LOCK_NOT_AVAILABLE, sql_code

ATTEMPTS, PAUSE = 600, 0.1  # how often a migration tries to get its tables; seconds between
PATIENCE = 50  # milliseconds that it waits for a table, and others behind it


def when_free(connection: sa.Connection, work: Callable[[], object], undo: Callable[[], None] = lambda: None) -> None:
    """Does `work`, which needs tables for itself. On PostgreSQL it waits only a moment for them, as everybody who comes
    later waits behind it: then all is undone and tried again, until no reader is in the way."""
    if connection.dialect.name != "postgresql":
        work()
        return
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            with connection.begin_nested():
                set_patience(connection)
                work()
        except sa.exc.DBAPIError as error:
            if sql_code(error) != LOCK_NOT_AVAILABLE or not attempts_left:
                raise
            undo()
            time.sleep(PAUSE)
        else:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            return


def set_patience(connection: sa.Connection) -> None:
    """From now on this transaction waits only a moment for what others hold."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")

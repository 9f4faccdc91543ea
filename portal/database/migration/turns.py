"""One migration at a time on PostgreSQL, from the plan to the last index: it is more than one transaction."""

import contextlib
import time
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.postgresql import make_schema

LOCK = 7_022_601_118  # the advisory lock; any number that nobody else uses
OWN_LOCK = (
    ":lock + coalesce(hashtext(current_schema()), 0)"  # portals in schemas of one database are migrated by themselves
)
PAUSE = 0.1  # seconds between two attempts


@contextlib.contextmanager
def one_at_a_time(engine: sa.Engine) -> Iterator[None]:
    """Waits until no other process changes the tables of this portal. SQLite has one writer at a time anyway.

    It asks again and again instead of waiting for the lock: a statement that waits keeps its view of the database, and
    an index that is made concurrently waits until nobody has an older one.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with writing(engine) as connection:
        make_schema(connection)  # the lock has its name
    with turn_if_free(engine, attempts=None):
        yield


@contextlib.contextmanager
def turn_if_free(engine: sa.Engine, attempts: int | None = 1) -> Iterator[bool]:
    """Whether it is this process's turn, on PostgreSQL; `attempts`: how often to ask, None for as long as it takes."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        lock = {"lock": LOCK}
        attempted = 0
        while not (is_ours := bool(connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({OWN_LOCK})"), lock))):
            attempted += 1
            if attempted == attempts:
                break
            time.sleep(PAUSE)
        try:
            yield is_ours
        finally:
            if is_ours and not connection.invalidated:
                connection.execute(sa.text(f"SELECT pg_advisory_unlock({OWN_LOCK})"), lock)

"""One worker per SQLite file: its writers take turns, so that a second one would only be in the way."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa


@contextlib.contextmanager
def worker_lock(engine: sa.Engine) -> Iterator[bool]:
    """Whether this process may be the worker while the block runs. On PostgreSQL any number may.

    The lock is that of a file beside the database; it ends with the process, however that ends.
    """
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        yield True
        return
    with Path(f"{path}-worker").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True

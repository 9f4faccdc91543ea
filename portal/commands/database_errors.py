"""What a database may refuse in the middle of a long command, in one sentence; mistakes of ours stay exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from portal.database.errors import DatabaseError, Failure, classify, driver_error
from portal.records.writing.errors import RetryError

SENTENCES = {
    Failure.CONFLICT: "something else was written at the same time; nothing was changed, please run the command again",
    Failure.BUSY: "the database is busy with other changes; nothing was changed, please run the command again",
    Failure.DISK_FULL: "the disk is full; nothing was changed",
    Failure.READ_ONLY: "the database can only be read; nothing was changed",
    Failure.UNAVAILABLE: "the database no longer answers; nothing was changed",
}


@contextmanager
def database_errors_explained() -> Iterator[None]:
    """Ends the command with 2 and a sentence where the database refuses."""
    try:
        yield
    except RetryError as error:
        raise click.UsageError(SENTENCES[Failure.CONFLICT]) from error
    except DatabaseError as error:
        if classify(error) not in SENTENCES:
            raise
        raise click.UsageError(SENTENCES[classify(error)]) from error


def database_error_sentence(error: BaseException) -> str:
    """What the database itself says."""
    return f"the database refuses: {driver_error(error)}"

"""Turns what a database refuses into one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from portal.database.engine import DatabaseUnreachableError
from portal.database.errors import INSUFFICIENT_PRIVILEGE, DatabaseError, Failure, classify, refusal, sql_code
from portal.records.writing.errors import RetryError

SENTENCES = {
    Failure.CONFLICT: "something else was written at the same time; nothing was changed, please run the command again",
    Failure.BUSY: "the database is busy with other changes; nothing was changed, please run the command again",
    Failure.DISK_FULL: "the disk is full; nothing was changed",
    Failure.READ_ONLY: "the database can only be read; nothing was changed",
    Failure.TIMEOUT: "the database canceled this; nothing was changed",
    Failure.UNAVAILABLE: "the database no longer answers; nothing was changed",
}


@contextmanager
def database_errors_explained() -> Iterator[None]:
    """Exits 2 with a sentence of ours if the database refuses what it would do at another time, or for a user with more
    rights.

    For commands that read and write records: mistakes of ours stay exceptions.
    """
    try:
        yield
    except RetryError as error:
        raise click.UsageError(SENTENCES[Failure.CONFLICT]) from error
    except DatabaseError as error:
        if sql_code(error) == INSUFFICIENT_PRIVILEGE:
            raise click.UsageError(f"the database reports an error: {refusal(error)}") from error
        if classify(error) not in SENTENCES:
            raise
        raise click.UsageError(SENTENCES[classify(error)]) from error


@contextmanager
def database_refusals_explained() -> Iterator[None]:
    """Exits 2 with the database's own message if it cannot be reached or refuses anything."""
    try:
        yield
    except DatabaseUnreachableError as error:
        raise click.UsageError(str(error)) from None
    except DatabaseError as error:
        raise click.UsageError(f"the database reports an error: {refusal(error)}") from None

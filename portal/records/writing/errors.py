"""Why a record was not written; wrong input is `Refused`, as everywhere."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from transaction.interfaces import TransientError


class NotAllowedError(Exception):
    """The profile does not grant this action; to the customer, it does not exist."""


class ConflictError(Exception):
    """The record has changed since it was read, or is in a state that does not allow the action."""


class RetryError(TransientError):
    """Another transaction is writing the same value: try again after it has ended."""


@contextmanager
def unique_violations_retried() -> Iterator[None]:
    """If two write the same unique value at once, the second is tried again and then finds the first's record."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise RetryError from error

"""Transactions of the worker, retried if they conflict with others, and parts of its work whose failure is logged."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.errors import affects_whole_database, is_retryable

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
MOST_TRIES = 20


def in_retried_transaction(
    engine: sa.Engine,
    work: Callable[Concatenate[sa.Connection, Arguments], Result],
    *arguments: Arguments.args,
    **options: Arguments.kwargs,
) -> Result:
    """Calls `work` of the worker with a connection and the arguments in a transaction, retried, and returns its result.
    Raises what the database does."""
    for number in range(MOST_TRIES):
        try:
            with writing(engine) as connection:
                return work(connection, *arguments, **options)
        except sa.exc.DBAPIError as error:
            if not is_retryable(error) or number == MOST_TRIES - 1:
                raise
            time.sleep(0.01 * number)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def failure_logged(log: logging.Logger, sentence: str, *names: Any) -> Iterator[None]:
    """For a part of the worker's work: if it fails, the `sentence` is logged, and what follows is done. Raises
    errors of the whole database, which leave nothing else to do."""
    try:
        yield
    except Exception as error:
        if affects_whole_database(error):
            raise
        log.exception(sentence, *names)

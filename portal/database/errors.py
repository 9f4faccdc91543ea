"""Why the database refused, sorted by what people can do about it.

Layers that do not know SQLAlchemy catch `DatabaseError` and ask `classify`.
"""

import enum

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, TimeoutError

DatabaseError = (DBAPIError, TimeoutError)


class Failure(enum.StrEnum):
    """What kind of failure a DatabaseError is."""

    CONFLICT = "conflict"  # another transaction came in between: the same request may succeed now
    BUSY = "busy"  # locked for too long, or no connection free
    DISK_FULL = "disk full"
    TIMEOUT = "timeout"  # the statement took too long
    UNAVAILABLE = "unavailable"  # the database does not answer
    OTHER = "other"  # a mistake of ours, or a broken disk


SERIALIZATION_FAILURES = "40"  # the class of SQL's error codes for a transaction that another one was in the way of
FAILURE_BY_CODE = {  # PostgreSQL's error codes
    "40001": Failure.CONFLICT,  # serialization failure
    "40P01": Failure.CONFLICT,  # deadlock
    "53100": Failure.DISK_FULL,
    "57014": Failure.TIMEOUT,  # cancelled by the statement timeout
    "53300": Failure.BUSY,  # too many connections
    "55P03": Failure.BUSY,  # lock not available
}
FAILURE_BY_PHRASE = {
    "database is locked": Failure.BUSY,
    "database table is locked": Failure.BUSY,
    "interrupted": Failure.TIMEOUT,
    "disk is full": Failure.DISK_FULL,
    "no space left": Failure.DISK_FULL,
    "disk i/o error": Failure.UNAVAILABLE,
    "unable to open database": Failure.UNAVAILABLE,
    "readonly database": Failure.UNAVAILABLE,
    "connection refused": Failure.UNAVAILABLE,
    "connection failed": Failure.UNAVAILABLE,
    "server closed the connection": Failure.UNAVAILABLE,
    "terminating connection": Failure.UNAVAILABLE,
}


def classify(error: BaseException) -> Failure:
    """What kind of failure a DatabaseError is."""
    if isinstance(error, TimeoutError):
        return Failure.BUSY
    code = sql_code(error)
    if code in FAILURE_BY_CODE:
        return FAILURE_BY_CODE[code]
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return Failure.UNAVAILABLE
    message = str(driver_error(error)).lower()
    return next((failure for phrase, failure in FAILURE_BY_PHRASE.items() if phrase in message), Failure.OTHER)


def is_retryable(error: BaseException) -> bool:
    """Whether another transaction was in the way of this one, so that the same work may succeed now."""
    return sql_code(error).startswith(SERIALIZATION_FAILURES)


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, whose message is for the people who run the portal."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def sql_code(error: BaseException) -> str:
    """PostgreSQL's code of an error (five characters), "" for every other error."""
    return getattr(driver_error(error), "sqlstate", None) or ""

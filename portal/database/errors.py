"""Why the database failed, sorted by what people can do about it.

Layers that do not import SQLAlchemy catch `DatabaseError` and call `classify`.
"""

import enum

from sqlalchemy.exc import DBAPIError, TimeoutError

DatabaseError = (DBAPIError, TimeoutError)


class Failure(enum.StrEnum):
    """What kind of failure a DatabaseError is."""

    CONFLICT = "conflict"  # another transaction interfered: the same request may succeed now
    BUSY = "busy"  # locked for too long, or no connection free
    DISK_FULL = "disk full"
    TIMEOUT = "timeout"  # the statement took too long
    UNAVAILABLE = "unavailable"  # the database does not answer
    READ_ONLY = "read-only"  # it can be read, but not written: a standby, a read-only file
    CHANGED_TABLES = "changed tables"  # they no longer match this portal in force
    OTHER = "other"  # a bug of ours, or a broken disk


READ_ONLY_TRANSACTION = "25006"  # PostgreSQL's code
RECOVERY_IN_PROGRESS = "55000"  # a standby was asked for the position in the log
LOCK_NOT_AVAILABLE = "55P03"
INSUFFICIENT_PRIVILEGE = "42501"
RIGHTS_NEEDED = "the user in PORTAL_DATABASE should own the database, and the tables of the portal"
UNIQUE_VIOLATION = "23505"
CONNECTION_EXCEPTIONS = "08"  # the class of SQL error codes for a closed connection
SERIALIZATION_FAILURES = "40"  # the class of SQL error codes for a transaction with which another one interfered
FAILURE_BY_CODE = {  # PostgreSQL's error codes
    "40001": Failure.CONFLICT,  # serialization failure
    "40P01": Failure.CONFLICT,  # deadlock
    "53100": Failure.DISK_FULL,
    RECOVERY_IN_PROGRESS: Failure.READ_ONLY,
    "57014": Failure.TIMEOUT,  # canceled by the statement timeout
    "53300": Failure.BUSY,  # too many connections
    LOCK_NOT_AVAILABLE: Failure.BUSY,
    "42P01": Failure.CHANGED_TABLES,  # no such table
    "42703": Failure.CHANGED_TABLES,  # no such column
    "0A000": Failure.CHANGED_TABLES,  # a prepared statement returns different columns than before
    "57P01": Failure.UNAVAILABLE,  # shut down by an administrator
    "57P02": Failure.UNAVAILABLE,  # shut down after a crash of another process
    "57P03": Failure.UNAVAILABLE,  # starting up or shutting down
}
FAILURE_BY_PHRASE = {
    "no such column": Failure.CHANGED_TABLES,
    "no such table": Failure.CHANGED_TABLES,
    "has no column named": Failure.CHANGED_TABLES,
    "database is locked": Failure.BUSY,
    "database table is locked": Failure.BUSY,
    "interrupted": Failure.TIMEOUT,
    "disk is full": Failure.DISK_FULL,
    "no space left": Failure.DISK_FULL,
    "disk i/o error": Failure.UNAVAILABLE,
    "unable to open database": Failure.UNAVAILABLE,
    "readonly database": Failure.READ_ONLY,
    "session is read-only": Failure.UNAVAILABLE,  # no server of the address is the primary
    "connection attempts failed": Failure.UNAVAILABLE,
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
    if code.startswith(CONNECTION_EXCEPTIONS):
        return Failure.UNAVAILABLE
    if connection_ended(error):
        return Failure.READ_ONLY if code == READ_ONLY_TRANSACTION else Failure.UNAVAILABLE
    message = str(driver_error(error)).lower()
    return next((failure for phrase, failure in FAILURE_BY_PHRASE.items() if phrase in message), Failure.OTHER)


def is_retryable(error: BaseException) -> bool:
    """Whether another transaction interfered with this one, so that the same work may succeed now."""
    return sql_code(error).startswith(SERIALIZATION_FAILURES)


def connection_ended(error: BaseException) -> bool:
    """Whether a connection that worked before is unusable now: a new one may work."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, whose message is for the people who run the portal."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def refusal(error: BaseException) -> str:
    """What the database refuses, for the people who run the portal: in one line, with the cure for missing rights."""
    original = driver_error(error)
    diagnostics = getattr(original, "diag", None)
    parts = [diagnostics.message_primary, diagnostics.message_detail, diagnostics.message_hint] if diagnostics else []
    cure = RIGHTS_NEEDED if sql_code(error) == INSUFFICIENT_PRIVILEGE else None
    return ": ".join(filter(None, [*parts, cure])) or " ".join(str(original).split())


def sql_code(error: BaseException) -> str:
    """PostgreSQL's code of an error (five characters); "" for every other error."""
    return getattr(driver_error(error), "sqlstate", None) or ""


def affects_whole_database(error: Exception) -> bool:
    """Whether the database as a whole has a problem, so that nothing else can succeed until it is over.

    A refusal for one record or one module (a column missing from an existing table) is not such an error: the rest can
    go on.
    """
    return isinstance(error, DatabaseError) and classify(error) not in (Failure.OTHER, Failure.CHANGED_TABLES)

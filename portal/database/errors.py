"""What went wrong when the database refuses: told apart by what people can do about it.

Layers that do not know SQLAlchemy catch `DatabaseError` and ask `trouble`.
"""

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, TimeoutError

DatabaseError = (DBAPIError, TimeoutError)

AGAIN = "again"  # another change came in between: the same request may succeed now
BUSY = "busy"  # locked for too long, or no connection free
FULL = "full"  # the disk is full
SLOW = "slow"  # the statement took too long
AWAY = "away"  # the database does not answer
BROKEN = "broken"  # anything else: a mistake of ours, or a broken disk

# PostgreSQL's codes: serialization failure, deadlock; disk full; cancelled by the statement timeout.
BY_CODE = {"40001": AGAIN, "40P01": AGAIN, "53100": FULL, "57014": SLOW, "53300": BUSY, "55P03": BUSY}
BY_WORDS = {
    "database is locked": BUSY,
    "database table is locked": BUSY,
    "interrupted": SLOW,
    "disk is full": FULL,
    "no space left": FULL,
    "disk i/o error": AWAY,
    "unable to open database": AWAY,
    "readonly database": AWAY,
    "connection refused": AWAY,
    "connection failed": AWAY,
    "server closed the connection": AWAY,
    "terminating connection": AWAY,
}


def trouble(error: BaseException) -> str:
    """One of the words above for a DatabaseError."""
    if isinstance(error, TimeoutError):
        return BUSY
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    if code in BY_CODE:
        return BY_CODE[code]
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return AWAY
    words = str(getattr(error, "orig", error)).lower()
    return next((found for phrase, found in BY_WORDS.items() if phrase in words), BROKEN)

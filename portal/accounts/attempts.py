"""Rate limits: attempts are counted in fixed time windows, in the database, for all processes together.

The origin of an attempt is stored as a hash: the table reveals no address.
"""

import contextlib
import datetime
import hashlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables

LIFETIME = 86_400  # seconds; older windows are deleted


@dataclass(frozen=True)
class Limit:
    """A rate limit: at most `most` times in `seconds`."""

    purpose: str
    most: int
    seconds: int


# For one person's mistakes; for a whole office behind one address; for letters to one address.
SIGN_IN = Limit("sign-in", 10, 900)
SIGN_IN_NETWORK = Limit("sign-in-network", 100, 900)
SIGN_IN_DEVICE = Limit("sign-in-device", 10, 900)  # of a known device, instead of both
CURRENT_PASSWORD = Limit("current-password", 10, 900)
SECOND_FACTOR = Limit("second-factor", 10, 900)  # of one account, or of a known device
SINGLE_SIGN_ON = Limit("single-sign-on", 100, 900)  # by one network
PASSKEY = Limit("passkey", 200, 900)  # challenges for one network
RESET = Limit("reset", 3, 3600)  # for one address, by the same network or known device
RESET_ADDRESS = Limit("reset-address", 12, 3600)  # for one address, by all networks
RESET_NETWORK = Limit("reset-network", 30, 3600)
COMPUTED = Limit("computed", 1_000, 300)  # requests of one account's forms while the reader types
OWN_DATA = Limit("own-data", 10, 3600)  # archives of one account, each of which may take half a gigabyte
SET_ASIDE = Limit("set-aside", 60, 3600)  # forms of one network that arrive after their session has ended
API_CHANGES = Limit("api-changes", 3_000, 300)  # writes by programs in the name of one account
INVITATIONS = Limit("invitations", 200, 3600)  # of one account that gives access
ACCESS_REFUSED = Limit("access-refused", 10, 3600)  # refused addresses that one account tries to give access to
SIGN_UP_ADDRESS = Limit("sign-up-address", 1, 3600)  # letters to an unproved address
SIGN_UP_NETWORK = Limit("sign-up-network", 30, 3600)
SIGN_UP_PORTAL = Limit("sign-up-portal", 1000, 3600)
INVITATION_ADDRESS = Limit("invitation-address", 3, 3600)  # to one address, by everyone


class TooManyAttemptsError(Exception):
    """A limit has been reached; `seconds` until its window ends."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


def count_attempt(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> int:
    """Counts one attempt; returns the number in this window, including this one."""
    window = _window(limit, now)
    row = {"key": _key(limit, who), "window": window, "count": 1}
    one_more = {"count": tables.attempt.c["count"] + 1}
    insert = insert_into(connection, tables.attempt).values(row)
    upsert = insert.on_conflict_do_update(index_elements=["key", "window"], set_=one_more)
    with _counting(connection) as separate:
        number = separate.execute(upsert.returning(tables.attempt.c["count"])).scalar_one()
        if number == 1:
            separate.execute(_delete_before(tables.attempt, window - LIFETIME))
    return number


def check_attempt(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Counts one attempt. Raises TooManyAttemptsError beyond the limit.

    On SQLite the count is stored only if the transaction is committed.
    """
    if count_attempt(connection, tables, limit, who, now) > limit.most:
        raise TooManyAttemptsError(_window(limit, now) + limit.seconds - int(now.timestamp()))


def forgive_attempts(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Resets the count of this window: the attempt succeeded."""
    with _counting(connection) as separate:
        separate.execute(sa.delete(tables.attempt).where(_this_window(tables.attempt, limit, who, now)))


def uncount_attempt(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Takes back one attempt that succeeded, where several people are counted together."""
    one_less = sa.update(tables.attempt).values(count=tables.attempt.c["count"] - 1)
    with _counting(connection) as separate:
        separate.execute(one_less.where(_this_window(tables.attempt, limit, who, now)))


def network_of(address: str | None) -> str:
    """The network whose attempts count together: an IPv4 address, or the /64 of an IPv6 address, one connection."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


@contextlib.contextmanager
def _counting(connection: sa.Connection) -> Iterator[sa.Connection]:
    """The connection that counts attempts: on PostgreSQL, each statement is a transaction of its own.

    A whole office shares one counter. Inside the transaction of the sign-in, simultaneous attempts would collide, and
    after a few retries a person with the right password would be turned away. SQLite has one writer at a time.
    """
    if connection.dialect.name == "sqlite":
        yield connection
        return
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as separate:
        yield separate


def _delete_before(attempt: sa.Table, window: int) -> sa.Delete:
    """Deletes old counts of attempts, without waiting for another process that is deleting them."""
    old = sa.select(attempt.c["key"], attempt.c["window"]).where(attempt.c["window"] < window)
    key = sa.tuple_(attempt.c["key"], attempt.c["window"])
    return sa.delete(attempt).where(key.in_(old.with_for_update(skip_locked=True)))


def _this_window(attempt: sa.Table, limit: Limit, who: str, now: datetime.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(attempt.c["key"] == _key(limit, who), attempt.c["window"] == _window(limit, now))


def _window(limit: Limit, now: datetime.datetime) -> int:
    moment = int(now.timestamp())
    return moment - moment % limit.seconds


def _key(limit: Limit, who: str) -> str:
    return f"{limit.purpose}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()[:32]}"

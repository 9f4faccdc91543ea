"""How often something was tried: counted in fixed windows of time, by all processes together, in the database.

What is counted is kept as a hash: the table tells nobody who tried to sign in.
"""

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.database.schema.tables import Tables

KEEP_SECONDS = 86_400  # seconds


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `seconds`."""

    purpose: str
    most: int
    seconds: int


# One person's mistakes; a whole office behind one address; what fills somebody's letter-box.
SIGN_IN = Limit("sign-in", 10, 900)
SIGN_IN_NETWORK = Limit("sign-in-network", 100, 900)
CURRENT_PASSWORD = Limit("current-password", 10, 900)
RESET = Limit("reset", 3, 3600)
RESET_NETWORK = Limit("reset-network", 30, 3600)


class TooManyAttemptsError(Exception):
    """Tried too often; `seconds` until the window ends."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


def count(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> int:
    """Count one attempt; how many there were in this window, this one included."""
    window = _window(limit, now)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"key": _key(limit, who), "window": window, "count": 1}
    counted = insert(tables.attempt).values(row)
    again = {"count": tables.attempt.c["count"] + 1}
    counted = counted.on_conflict_do_update(index_elements=["key", "window"], set_=again)
    number = connection.execute(counted.returning(tables.attempt.c["count"])).scalar_one()
    if number == 1:
        connection.execute(sa.delete(tables.attempt).where(tables.attempt.c["window"] < window - KEEP_SECONDS))
    return number


def check(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Count one attempt; the count stays only if the transaction is committed.

    Raises TooManyAttemptsError beyond the limit.
    """
    if count(connection, tables, limit, who, now) > limit.most:
        raise TooManyAttemptsError(_window(limit, now) + limit.seconds - int(now.timestamp()))


def forgive(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Take back what was counted in this window: the attempt was a good one."""
    attempt = tables.attempt.c
    mine = sa.and_(attempt["key"] == _key(limit, who), attempt["window"] == _window(limit, now))
    connection.execute(sa.delete(tables.attempt).where(mine))


def uncount(connection: sa.Connection, tables: Tables, limit: Limit, who: str, now: datetime.datetime) -> None:
    """Take one attempt back, where several people are counted together."""
    attempt = tables.attempt.c
    mine = sa.and_(attempt["key"] == _key(limit, who), attempt["window"] == _window(limit, now))
    connection.execute(sa.update(tables.attempt).where(mine).values(count=attempt["count"] - 1))


def network_of(address: str | None) -> str:
    """Who is taken for one: an IPv4 address, or the /64 of an IPv6 address, which one person has as a whole."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    mapped = getattr(found, "ipv4_mapped", None)
    if found.version == 4 or mapped:
        return str(mapped or found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _window(limit: Limit, now: datetime.datetime) -> int:
    moment = int(now.timestamp())
    return moment - moment % limit.seconds


def _key(limit: Limit, who: str) -> str:
    return f"{limit.purpose}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()[:32]}"

"""A second PostgreSQL server that follows the log of the first: whether it may answer a reader now, and its connection.

Readers always see the changes of their own session: it carries the position of the primary in the log after that, and
the replica must have replayed it. Changes by others are missing for at most `MOST_LAG` seconds: the replica must also
have replayed the position of the primary at that time. In doubt, the primary is read.
"""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable

import sqlalchemy as sa

from portal.database.engine import DatabaseUnreachableError, make_engine, read_connection, reading, release_connection
from portal.database.errors import DatabaseError, driver_error

log = logging.getLogger(__name__)

MOST_LAG = 2.0  # seconds by which pages may lag behind changes by others
REST = 5.0  # seconds for which a replica that did not answer is not used
CONNECT_TIMEOUT = 2  # seconds
POSITION = re.compile(r"[0-9]{1,18}")  # bytes since the beginning of the log
# The insert position instead of what was flushed: with `synchronous_commit = off`, a commit may not be flushed yet.
WRITTEN = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
REPLAYED = (
    "SELECT ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END)"
    " - '0/0')::bigint"
)
DATABASE = "SELECT system_identifier || ' ' || current_database() FROM pg_control_system()"
IS_REPLICA = "portal_is_replica"  # in the info of a connection


class Replica:
    """The replica of one database. Raises DatabaseUnreachableError for an address that can never be one."""

    def __init__(self, primary: sa.Engine, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        if primary.name != "postgresql" or not url.startswith("postgres"):
            primary.dispose()
            raise DatabaseUnreachableError(
                "PORTAL_DATABASE_READ is for PostgreSQL: SQLite is one file and has no replica"
            )
        try:
            self.primary, self.engine = primary, make_engine(url, CONNECT_TIMEOUT)
        except (sa.exc.ArgumentError, ValueError) as error:
            raise DatabaseUnreachableError(f"PORTAL_DATABASE_READ is not the address of a database: {error}") from None
        self._clock, self._guard = clock, threading.Lock()
        self._positions: deque[tuple[float, int]] = deque()  # of the primary, oldest first
        self._least = 0
        self._rests_until = float("-inf")
        with reading(primary) as connection:
            self._database = connection.exec_driver_sql(DATABASE).scalar_one()

    def position(self) -> str:
        """The position of the primary: a replica that has replayed it has everything committed before."""
        with reading(self.primary) as connection:
            return str(connection.exec_driver_sql(WRITTEN).scalar_one())

    def require_present(self) -> None:
        """Requires the present state for all readers, because the tables have changed."""
        self._least = int(self.position())

    def note(self, primary: sa.Connection) -> None:
        """Notes the position of the primary; every request that is connected to it does."""
        now, position = self._clock(), primary.exec_driver_sql(WRITTEN).scalar_one()
        with self._guard:
            self._positions.append((now, position))

    def connection(self, own_position: str) -> sa.Connection | None:
        """A connection for a request that only reads, like `read_connection`; None if the primary must answer.

        `own_position`: the result of `position` after this reader's last change; empty if unknown.
        """
        if self._clock() < self._rests_until:
            return None
        try:
            return self._open(self._needed(own_position))
        except DatabaseError as error:
            self.leave_alone(error)
            return None

    def leave_alone(self, error: Exception) -> None:
        """Does not use the replica for a while, because it answered with `error`, or not at all."""
        log.warning("The replica does not answer and is not used for %s seconds: %s", REST, driver_error(error))
        self._rests_until = self._clock() + REST
        self.engine.dispose()

    def _needed(self, own_position: str) -> int:
        """The position that the replica must have replayed to answer now."""
        own = int(own_position) if POSITION.fullmatch(own_position) else 0
        with self._guard:
            while len(self._positions) > 1 and self._positions[0][0] < self._clock() - MOST_LAG:
                self._positions.popleft()
            return max(own, self._least, self._positions[0][1])

    def _open(self, needed: int) -> sa.Connection | None:
        connection = read_connection(self.engine)
        if connection.info.get(IS_REPLICA) is None:
            connection.info[IS_REPLICA] = connection.exec_driver_sql(DATABASE).scalar_one() == self._database
        if not connection.info[IS_REPLICA]:
            log.error("PORTAL_DATABASE_READ is not used: its database is not a replica of that of PORTAL_DATABASE.")
            self._rests_until = self._clock() + REST
        may_answer = connection.info[IS_REPLICA] and connection.exec_driver_sql(REPLAYED).scalar_one() >= needed
        if not may_answer:
            release_connection(connection)
            return None
        # A transaction sees what was replayed before its first statement, which read the position: begin a new one.
        connection.commit()
        connection.begin()
        return connection

"""The engine, and its transactions: reading ones, and writing ones that lose no update on either database.

sqlite.py and postgresql.py implement this for each database. A transaction that is not opened for writing cannot write:
the database refuses it. Nothing here knows any table.
"""

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from transaction.interfaces import ITransactionManager

from portal.database import postgresql, sqlite
from portal.database.errors import DatabaseError, driver_error
from portal.database.transaction_participant import ConnectionParticipant
from portal.logs import current_trace

REQUEST_TIMEOUT = 20  # seconds for one statement of a request on PostgreSQL, for a reading transaction on SQLite
SEVERAL_HOSTS = re.compile(
    r"(?P<before>postgres(ql)?(\+\w+)?://([^/@]*@)?)(?P<hosts>[^/@,?]+(,[^/@,?]+)+)(?P<after>/.*)"
)
BEGAN = "portal_began"  # in the info of a connection
ANALYSIS_LIMIT = 1_000  # rows of each index that SQLite's ANALYZE reads: enough to estimate how many share a value
# From these, SQLite guesses how many rows an index has: five times too many if half of a million values are empty. To
# find the others, it would then read the whole table. All indexes of a table have the same number of rows.
_SAME_NUMBER_OF_ROWS = """
UPDATE sqlite_stat1 SET stat = least.number || substr(stat, instr(stat, ' ')) FROM (
  SELECT min(CAST(stat AS INTEGER)) AS number FROM sqlite_stat1 WHERE tbl = :table AND idx IS NOT NULL
) AS least WHERE tbl = :table AND idx IS NOT NULL
"""

# For layers that do not import SQLAlchemy.
Engine = sa.Engine
Connection = sa.Connection


class DatabaseUnreachableError(Exception):
    """The database cannot be used; the message says why, for the person who gave its address."""


def make_engine(url: str, connect_timeout: int = postgresql.CONNECT_TIMEOUT) -> sa.Engine:
    """The engine for a database's address; SQLite's file is created when first used, but not its folder.

    `connect_timeout`: seconds to wait for a PostgreSQL server to answer.
    """
    address = _parse_address(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite":
        return _with_timing(sqlite.create_engine(address))
    if address.get_backend_name() == "postgresql":
        return _with_timing(postgresql.create_engine(address, connect_timeout))
    raise ValueError(f"{address.get_backend_name()} is not supported: use sqlite or postgresql")


def _with_timing(engine: sa.Engine) -> sa.Engine:
    """The engine, which adds the time of each statement until its first row to the trace of a request."""

    @sa.event.listens_for(engine, "before_cursor_execute")
    def begin(connection: sa.Connection, *_arguments: Any) -> None:
        connection.info[BEGAN] = time.perf_counter()

    @sa.event.listens_for(engine, "after_cursor_execute")
    def end(connection: sa.Connection, _cursor: Any, statement: str, *_arguments: Any) -> None:
        if trace := current_trace.get():
            trace.add_statement(statement, time.perf_counter() - connection.info[BEGAN])

    return engine


def _parse_address(url: str) -> sa.URL:
    """Parses a database's address; it may name several servers as in PostgreSQL's own programs: HOST:PORT,HOST:PORT."""
    several = SEVERAL_HOSTS.fullmatch(url)
    if several is None:
        return sa.make_url(url)
    address = sa.make_url(several["before"] + several["after"])
    return address.update_query_pairs([("host", host) for host in several["hosts"].split(",")])


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that cannot write and sees one moment of the database."""
    with engine.execution_options(writes=False).connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that is committed at the end, or rolled back by an exception."""
    with engine.execution_options(writes=True).connect() as connection, connection.begin():
        yield connection


def read_committed(engine: sa.Engine) -> sa.Engine:
    """The engine; on PostgreSQL, its transactions see what others commit while they wait for a table."""
    return engine.execution_options(isolation_level="READ COMMITTED") if engine.name == "postgresql" else engine


def write_connection(engine: sa.Engine, manager: ITransactionManager) -> sa.Connection:
    """A connection for a request that writes: it commits and ends with the transaction of `manager`."""
    connection = engine.execution_options(writes=True, statement_timeout=REQUEST_TIMEOUT).connect()
    manager.get().join(ConnectionParticipant(connection))
    connection.begin()
    return connection


@contextlib.contextmanager
def paused(connection: sa.Connection) -> Iterator[None]:
    """Lets others write during the block: ends the transaction of `connection`, and begins another one afterwards.

    For slow work without the database. Nothing may have been written yet, since it would be committed here; what was
    read before may have changed.
    """
    connection.commit()
    try:
        yield
    finally:
        connection.begin()


def read_connection(engine: sa.Engine) -> sa.Connection:
    """A connection for a request that only reads, in a transaction; return it with `release_connection`."""
    connection = engine.connect().execution_options(writes=False, statement_timeout=REQUEST_TIMEOUT)
    connection.begin()
    return connection


def release_connection(connection: sa.Connection) -> None:
    """Returns a connection of `read_connection` to the engine.

    It ends with a commit, although nothing was written: on rollback, PostgreSQL's driver drops every cached plan.
    """
    with connection, contextlib.suppress(sa.exc.DBAPIError):  # nothing can be lost
        if connection.invalidated:
            connection.rollback()  # the database closed the connection
        elif connection.in_transaction():
            connection.commit()


def close(engine: sa.Engine) -> None:
    """Closes the idle connections of an engine; those that portals share stay."""
    if not engine.get_execution_options().get("schema"):
        engine.dispose()


def reach(url: str, looks_only: bool = False) -> sa.Engine:
    """The engine for an address, after one connection. Raises DatabaseUnreachableError.

    `looks_only`: the database belongs to someone else; not even a file's journal mode is changed, and no file created.
    """
    try:
        file = _parse_address(url)
        is_others = looks_only and file.get_backend_name() == "sqlite"
        engine = sqlite.read_only_engine(file) if is_others else make_engine(url)
        with reading(engine) as connection:
            if engine.name == "sqlite":
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            elif encoding := postgresql.wrong_encoding(connection):
                reason = (
                    f"its encoding {encoding} lacks letters; move to one with ENCODING 'UTF8' (pg_dump, pg_restore)"
                )
                raise DatabaseUnreachableError(f"the database at {without_password(url)} cannot be used: {reason}")
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        address = "sqlite:///var/portal.sqlite or postgresql+psycopg://user:password@host/name"
        raise DatabaseUnreachableError(f'"{url}" is not the address of a database; one looks like {address}') from None
    except DatabaseError as error:
        reason = " ".join(str(driver_error(error)).split())
        raise DatabaseUnreachableError(f"the database at {without_password(url)} cannot be used: {reason}") from None
    return engine


def without_password(url: str) -> str:
    """The address of a database with its password hidden."""
    return _parse_address(url).render_as_string(hide_password=True)


def analyze(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Refreshes the statistics of tables for the query planner."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ANALYSIS_LIMIT}")
    for name in tables:
        connection.exec_driver_sql(f"ANALYZE {connection.dialect.identifier_preparer.quote(name)}")
        if is_sqlite:
            connection.execute(sa.text(_SAME_NUMBER_OF_ROWS), {"table": name})
    if is_sqlite:
        connection.exec_driver_sql("ANALYZE sqlite_master")  # loads what was just corrected

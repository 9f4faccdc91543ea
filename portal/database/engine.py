"""The engine, and transactions on it: reading ones, and writing ones that lose no update on either database.

SQLite has one writer at a time. Writers of one process take turns by a lock before they ask for the file's own, so
that they wait in a queue and not in the busy handler's growing naps; writers of other processes wait for the file's
lock for 30 seconds. PostgreSQL runs at REPEATABLE READ: who would overwrite another's change gets a serialization
failure, and the request is tried again.

A transaction that did not say that it writes cannot: the database refuses it, instead of a loss that nobody notices.
Nothing here knows a table.
"""

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from transaction.interfaces import ITransactionManager

from portal.database.errors import DatabaseError, driver_error
from portal.database.participant import ConnectionParticipant

CONNECT_TIMEOUT = 5  # seconds until a PostgreSQL that does not answer is given up
PLANNED_AFTER = 2  # executions after which a statement of `cache_plan` is prepared
CACHED_PLAN = "0A000"  # PostgreSQL: “cached plan must not change result type”, among what it cannot do
PATIENCE = 30  # seconds that a writer waits for its turn
# No just-in-time compiler: it takes longer than the queries of a page. Memory for the bitmaps of the search.
POSTGRESQL_SETTINGS = "SET jit = off; SET work_mem = '32MB'; SET random_page_cost = 1.1"
ISOLATION = "REPEATABLE READ"
REQUEST_TIMEOUT = 20  # seconds: one statement of a request on PostgreSQL, on SQLite a whole transaction that reads
SQLITE_CACHE = 8_000  # kilobytes of a connection; with 2,000 a search that looks at a thousand rows takes threefold
STEPS = 20_000  # of SQLite's machine between two looks at the clock

LOOKED_AT = 1_000  # rows of an index on SQLite: enough to know how many share a value, in a moment at any size

# Under names for the layers that do not know SQLAlchemy.
Engine = sa.Engine
Connection = sa.Connection

_turns: dict[str, "Turn"] = {}
_turns_guard = threading.Lock()
_readers: weakref.WeakKeyDictionary[sa.Engine, Any] = weakref.WeakKeyDictionary()  # engines for requests that read


class DatabaseUnreachableError(Exception):
    """The database cannot be had; the message says why, for whoever gave its address."""


class Turn:
    """The right to write to one SQLite file, for one transaction of this process at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder: int | None = None  # the thread

    def take(self) -> None:
        """Wait for the turn; a thread that already has it would wait for itself."""
        if self.holder == threading.get_ident():
            raise RuntimeError("this thread is already writing to this database, in a transaction that is still open")
        if not self.lock.acquire(timeout=PATIENCE):
            raise sqlite3.OperationalError("database is locked: another thread has been writing for too long")
        self.holder = threading.get_ident()

    def give_back(self) -> None:
        """Let the next one write."""
        self.holder = None
        self.lock.release()


class SQLiteConnection(sqlite3.Connection):
    """A connection of the driver that gives its turn back when its transaction ends, however it ends."""

    turn: Turn | None = None

    def begin_writing(self, turn: Turn, foreign_keys: bool) -> None:
        """Open a transaction that holds the file's write lock from its start."""
        turn.take()
        self.turn = turn
        try:
            if not foreign_keys:
                self.execute("PRAGMA foreign_keys = OFF")
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._end()
            raise

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self._end()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._end()

    def close(self) -> None:
        turn, self.turn = self.turn, None
        try:
            super().close()
        finally:
            if turn is not None:
                turn.give_back()

    def _end(self) -> None:
        # A commit that failed may have left the transaction open: then the turn ends with its rollback.
        if self.turn is None or self.in_transaction:
            return
        turn, self.turn = self.turn, None
        try:
            self.execute("PRAGMA foreign_keys = ON")
        finally:
            turn.give_back()


def make_engine(url: str) -> sa.Engine:
    """The engine for a database's address; SQLite's file is made when it is first used, its folder is not."""
    address = sa.make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite":
        return _sqlite_engine(address)
    if address.get_backend_name() == "postgresql":
        return _postgresql_engine(address)
    raise ValueError(f"{address.get_backend_name()} is not supported: use sqlite or postgresql")


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that cannot write and sees one moment of the database."""
    with engine.execution_options(**_options(writes=False)).connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine, foreign_keys: bool = True) -> Iterator[sa.Connection]:
    """A connection in a transaction that is committed at the end, rolled back by an exception.

    Without `foreign_keys` SQLite does not look after them in this transaction (its DROP TABLE deletes children):
    whoever asks for that runs PRAGMA foreign_key_check before the end. PostgreSQL takes no notice.
    """
    options = _options(writes=True) | {"foreign_keys": foreign_keys}
    with engine.execution_options(**options).connect() as connection, connection.begin():
        yield connection


def write_connection(engine: sa.Engine, manager: ITransactionManager) -> sa.Connection:
    """A connection for a request that writes: it commits and ends with the transaction of `manager`."""
    options = _options(writes=True) | {"statement_timeout": REQUEST_TIMEOUT}
    connection = engine.execution_options(**options).connect()
    manager.get().join(ConnectionParticipant(connection))
    connection.begin()
    return connection


def read_connection(engine: sa.Engine) -> sa.Connection:
    """A connection for a request that only reads, in a transaction; whoever asked gives it back by `looked`."""
    reader = _readers.get(engine)
    if reader is None:
        options = _options(writes=False) | {"statement_timeout": REQUEST_TIMEOUT}
        reader = _readers[engine] = engine.execution_options(**options)
    connection = reader.connect()
    connection.begin()
    return connection


def release(connection: sa.Connection) -> None:
    """The end of `looking`. It is a commit, though nothing was written: at a rollback the driver of PostgreSQL forgets
    every plan that it keeps."""
    with connection, contextlib.suppress(sa.exc.DBAPIError):  # nothing can be lost
        if connection.in_transaction():
            connection.commit()


def cache_plan(statement: Any, version: int) -> Any:
    """A statement for which PostgreSQL may keep a plan: the same one is right whatever its values are. `version` is
    another number when the tables have changed: then their statements are planned anew.

    All others are planned for the values at hand: what is right for a rare word takes seconds for a common one.
    """
    return statement.execution_options(cache_plan=version)


def _options(writes: bool) -> dict[str, Any]:
    return {"writes": writes}


def _sqlite_engine(address: sa.URL) -> sa.Engine:
    arguments = {"factory": SQLiteConnection, "isolation_level": None, "timeout": PATIENCE}
    engine = sa.create_engine(address, connect_args=arguments, hide_parameters=True)  # values do not stand in the log
    turn = _turn(address.database)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: SQLiteConnection, record: Any) -> None:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE}")
        # An index of a million rows, made for one statement and thrown away, took seconds.
        connection.execute("PRAGMA automatic_index = OFF")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        driver = connection.connection.dbapi_connection
        writes = options.get("writes", False)
        # Who writes may wait for a turn longer than that, and then has little to do.
        _end_after(driver, None if options.get("writes") else options.get("statement_timeout"))
        try:
            driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            if writes:
                driver.begin_writing(turn, options.get("foreign_keys", True))
            else:
                driver.execute("BEGIN")
        except sqlite3.Error as error:
            raise sa.exc.OperationalError("BEGIN", None, error) from error

    return engine


def _end_after(connection: sqlite3.Connection, seconds: float | None) -> None:
    """Interrupt what takes longer than `seconds` from now; with None nothing."""
    if seconds is None:
        connection.set_progress_handler(None, 0)
        return
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. Unlike a BEGIN the switch does not wait for another process that is doing the same."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _turn(database: str | None) -> Turn:
    """One per file in this process, however many engines there are."""
    if not database or database == ":memory:":
        return Turn()
    with _turns_guard:
        return _turns.setdefault(os.path.realpath(database), Turn())


def _postgresql_engine(address: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        address,
        isolation_level=ISOLATION,
        hide_parameters=True,  # what people typed does not stand in the log
        connect_args={"prepare_threshold": None, "connect_timeout": CONNECT_TIMEOUT},  # see cache_plan
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.execute(POSTGRESQL_SETTINGS)
        connection.commit()

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def plan(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> tuple[str, Any]:
        version = context and context.execution_options.get("cache_plan")
        cursor.connection.prepare_threshold = PLANNED_AFTER if version else None
        return (f"{statement} -- {version}" if version else statement), values

    @sa.event.listens_for(engine, "handle_error")
    def forget(context: Any) -> None:
        # A column has got another type: no connection that keeps a plan of its table is of use any more.
        if getattr(context.original_exception, "sqlstate", None) == CACHED_PLAN:
            context.is_disconnect = True

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        statement = _beginning(options)
        if not _begun(connection, statement):
            # PostgreSQL was started anew, or a firewall forgot the connection: so were the others that rested.
            connection.invalidate()
            engine.dispose()
            _begun(connection, statement, again=False)

    return engine


def _beginning(options: Mapping[str, Any]) -> str:
    """How a transaction begins: all that is said about it in one message, where the driver takes one for each."""
    statement = f"BEGIN ISOLATION LEVEL {options.get('isolation_level', ISOLATION)}"
    if options.get("writes") is False:
        statement += " READ ONLY"
    timeout = options.get("statement_timeout")
    return f"{statement}; SET LOCAL statement_timeout = '{timeout}s'" if timeout else statement


def _begun(connection: sa.Connection, statement: str, again: bool = True) -> bool:
    """Whether the transaction has begun; False when the connection turned out to be dead and another may be tried.

    So nobody has to ask each time whether a connection that rested is still alive.
    """
    driver = connection.connection.dbapi_connection
    errors = connection.dialect.loaded_dbapi.OperationalError
    try:
        driver.autocommit = True  # or the driver would begin by itself
        driver.execute(statement)
    except errors as error:
        if again and driver.closed:
            return False
        raise sa.exc.OperationalError("BEGIN", None, error, connection_invalidated=driver.closed) from error
    return True


def reach(url: str) -> sa.Engine:
    """The engine of an address, tried once. Raises DatabaseUnreachableError."""
    try:
        engine = make_engine(url)
        with reading(engine) as connection:
            connection.execute(sa.select(sa.literal(1)))
            connection.execute(sa.text("SELECT count(*) FROM sqlite_master" if engine.name == "sqlite" else "SELECT 1"))
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        address = "sqlite:///var/portal.sqlite or postgresql+psycopg://user:password@host/name"
        raise DatabaseUnreachableError(f'"{url}" is not the address of a database; one looks like {address}') from None
    except DatabaseError as error:
        reason = " ".join(str(driver_error(error)).split())
        raise DatabaseUnreachableError(f"the database at {without_password(url)} cannot be used: {reason}") from None
    return engine


def without_password(url: str) -> str:
    """The address of a database with its password hidden."""
    return sa.make_url(url).render_as_string(hide_password=True)


def analyze(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Refresh the statistics of tables for the query planner."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {LOOKED_AT}")
    for name in tables:
        connection.exec_driver_sql(f"ANALYZE {connection.dialect.identifier_preparer.quote(name)}")

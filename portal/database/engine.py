"""The engine, and transactions on it: reading ones, and writing ones that lose no update on either database.

SQLite has one writer at a time. Writers of one process queue for a lock of the process before they ask for the file's
own, because SQLite's busy handler sleeps longer and longer; writers of other processes wait for the file's lock for 30
seconds. PostgreSQL runs at REPEATABLE READ: a transaction that would overwrite another's change gets a serialization
failure, and the request is tried again.

A transaction that is not opened for writing cannot write: the database refuses it. Nothing here knows a table.
"""

import contextlib
import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from transaction.interfaces import ITransactionManager

from portal.database.errors import DatabaseError, driver_error, sql_code
from portal.database.participant import ConnectionParticipant

CONNECT_TIMEOUT = 5  # seconds to wait for a PostgreSQL that does not answer
PREPARE_AFTER = 2  # executions after which a statement of `cache_plan` is prepared
FEATURE_NOT_SUPPORTED = "0A000"  # PostgreSQL's code of “cached plan must not change result type”
LOCK_TIMEOUT = 30  # seconds that a writer waits for its turn
# The just-in-time compiler takes longer than the queries of a page. The search needs memory for bitmaps.
POSTGRESQL_SETTINGS = "SET jit = off; SET work_mem = '32MB'; SET random_page_cost = 1.1"
ISOLATION = "REPEATABLE READ"
REQUEST_TIMEOUT = 20  # seconds for one statement of a request on PostgreSQL, for a reading transaction on SQLite
SQLITE_CACHE = 8_000  # kilobytes per connection; with 2,000 a search in a thousand rows takes three times as long
STEPS_PER_CHECK = 20_000  # of SQLite's virtual machine between two checks of the time
OWNER_ONLY = 0o600  # the mode of SQLite's files
OTHERS = stat.S_IRWXG | stat.S_IRWXO
ANALYSIS_LIMIT = 1_000  # rows of each index that SQLite's ANALYZE reads: enough to know how many share a value

# For the layers that do not know SQLAlchemy.
Engine = sa.Engine
Connection = sa.Connection

_turns: dict[str, "Turn"] = {}
_turns_guard = threading.Lock()
_readers: weakref.WeakKeyDictionary[sa.Engine, sa.Engine] = weakref.WeakKeyDictionary()  # with options for reading


class DatabaseUnreachableError(Exception):
    """The database cannot be used; the message says why, for the person who gave its address."""


class Turn:
    """The right to write to one SQLite file, held by one transaction of this process at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder: int | None = None  # a thread's identifier

    def acquire(self) -> None:
        """Wait for the turn. Raises RuntimeError for the thread that holds it, which would wait for itself."""
        if self.holder == threading.get_ident():
            raise RuntimeError("this thread is already writing to this database, in a transaction that is still open")
        if not self.lock.acquire(timeout=LOCK_TIMEOUT):
            raise sqlite3.OperationalError("database is locked: another thread has been writing for too long")
        self.holder = threading.get_ident()

    def release(self) -> None:
        """Let the next transaction write."""
        self.holder = None
        self.lock.release()


class SQLiteConnection(sqlite3.Connection):
    """A connection that releases its turn when its transaction ends, however it ends."""

    turn: Turn | None = None

    def begin_writing(self, turn: Turn, foreign_keys: bool) -> None:
        """Open a transaction that holds the file's write lock from its start."""
        turn.acquire()
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
                turn.release()

    def _end(self) -> None:
        # A failed commit may leave the transaction open: then the turn ends with its rollback.
        if self.turn is None or self.in_transaction:
            return
        turn, self.turn = self.turn, None
        try:
            self.execute("PRAGMA foreign_keys = ON")
        finally:
            turn.release()


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

    Without `foreign_keys` SQLite does not enforce them in this transaction (its DROP TABLE deletes children): the
    caller runs PRAGMA foreign_key_check before the end. PostgreSQL ignores the option.
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
    """A connection for a request that only reads, in a transaction; `release` gives it back."""
    reader = _readers.get(engine)
    if reader is None:
        options = _options(writes=False) | {"statement_timeout": REQUEST_TIMEOUT}
        reader = _readers[engine] = engine.execution_options(**options)
    connection = reader.connect()
    connection.begin()
    return connection


def release(connection: sa.Connection) -> None:
    """Gives back a connection of `read_connection`.

    It ends with a commit, though nothing was written: at a rollback the driver of PostgreSQL drops every cached plan.
    """
    with connection, contextlib.suppress(sa.exc.DBAPIError):  # nothing can be lost
        if connection.in_transaction():
            connection.commit()


def cache_plan(statement: Any, version: int) -> Any:
    """A statement whose plan PostgreSQL may cache, because one plan is right for all values.

    `version` differs when the tables have changed, so that statements are planned again. All other statements are
    planned for their values: a plan for a rare word takes seconds for a common one.
    """
    return statement.execution_options(cache_plan=version)


def _options(writes: bool) -> dict[str, Any]:
    return {"writes": writes}


def _sqlite_engine(address: sa.URL) -> sa.Engine:
    arguments = {"factory": SQLiteConnection, "isolation_level": None, "timeout": LOCK_TIMEOUT}
    engine = sa.create_engine(address, connect_args=arguments, hide_parameters=True)  # no values in the log
    turn = _turn_of(address.database)

    @sa.event.listens_for(engine, "do_connect")
    def protect(dialect: Any, record: Any, arguments: Any, options: Any) -> None:
        if address.database and not address.database.startswith((":memory:", "file:")):
            _protect_files(address.database)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: SQLiteConnection, record: Any) -> None:
        _enable_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE}")
        # An automatic index of a million rows, made for one statement and dropped, took seconds.
        connection.execute("PRAGMA automatic_index = OFF")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        driver = _driver_connection(connection)
        writes = options.get("writes", False)
        # A writer may wait for its turn longer than that, and then has little to do.
        _set_time_limit(driver, None if options.get("writes") else options.get("statement_timeout"))
        try:
            driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            if writes:
                driver.begin_writing(turn, options.get("foreign_keys", True))
            else:
                driver.execute("BEGIN")
        except sqlite3.Error as error:
            raise sa.exc.OperationalError("BEGIN", None, error) from error

    return engine


def _protect_files(path: str) -> None:
    """The database holds what customers wrote: its files belong to the portal's user alone, whatever the umask says.

    SQLite gives the -wal and -shm files the mode of the database.
    """
    with contextlib.suppress(OSError):  # no such folder, or the file of another user: SQLite says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, OWNER_ONLY))
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(os.stat(name).st_mode)
            if mode & OTHERS:
                os.chmod(name, mode & ~OTHERS)


def _set_time_limit(connection: sqlite3.Connection, seconds: float | None) -> None:
    """Interrupt statements later than `seconds` from now; None for no limit."""
    if seconds is None:
        connection.set_progress_handler(None, 0)
        return
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_PER_CHECK)


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging. It does not wait for another process that does the same."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _turn_of(database: str | None) -> Turn:
    """The turn of a file, the same for all engines of this process."""
    if not database or database == ":memory:":
        return Turn()
    with _turns_guard:
        return _turns.setdefault(os.path.realpath(database), Turn())


def _postgresql_engine(address: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        address,
        isolation_level=ISOLATION,
        hide_parameters=True,  # no values in the log
        connect_args={"prepare_threshold": None, "connect_timeout": CONNECT_TIMEOUT},  # see cache_plan
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.execute(POSTGRESQL_SETTINGS)
        connection.commit()

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def plan(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> tuple[str, Any]:
        version = context and context.execution_options.get("cache_plan")
        cursor.connection.prepare_threshold = PREPARE_AFTER if version else None
        return (f"{statement} -- {version}" if version else statement), values

    @sa.event.listens_for(engine, "handle_error")
    def forget(context: Any) -> None:
        # The type of a column has changed: no connection with a cached plan of its table can be used any more.
        if sql_code(context.original_exception) == FEATURE_NOT_SUPPORTED:
            context.is_disconnect = True

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        statement = _begin_statement(options)
        if not _begin_postgresql(connection, statement):
            # PostgreSQL was restarted, or a firewall dropped the connection, and with it the others of the pool.
            connection.invalidate()
            engine.dispose()
            _begin_postgresql(connection, statement, last_attempt=True)

    return engine


def _begin_statement(options: Mapping[str, Any]) -> str:
    """What begins a transaction with its options, in one round trip instead of one for each option."""
    statement = f"BEGIN ISOLATION LEVEL {options.get('isolation_level', ISOLATION)}"
    if options.get("writes") is False:
        statement += " READ ONLY"
    timeout = options.get("statement_timeout")
    return f"{statement}; SET LOCAL statement_timeout = '{timeout}s'" if timeout else statement


def _begin_postgresql(connection: sa.Connection, statement: str, last_attempt: bool = False) -> bool:
    """Whether the transaction has begun; False if the connection is dead, so that another can be tried.

    This replaces a check of each pooled connection before its use.
    """
    driver = _driver_connection(connection)
    errors = connection.dialect.loaded_dbapi.OperationalError
    try:
        driver.autocommit = True  # or the driver would begin by itself
        driver.execute(statement)
    except errors as error:
        if driver.closed and not last_attempt:
            return False
        raise sa.exc.OperationalError("BEGIN", None, error, connection_invalidated=driver.closed) from error
    return True


def reach(url: str) -> sa.Engine:
    """The engine for an address, after one connection. Raises DatabaseUnreachableError."""
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


def _driver_connection(connection: sa.Connection) -> Any:
    """The driver's own connection: an SQLiteConnection, or psycopg's."""
    return connection.connection.dbapi_connection


def without_password(url: str) -> str:
    """The address of a database with its password hidden."""
    return sa.make_url(url).render_as_string(hide_password=True)


def analyze(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Refresh the statistics of tables for the query planner."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ANALYSIS_LIMIT}")
    for name in tables:
        connection.exec_driver_sql(f"ANALYZE {connection.dialect.identifier_preparer.quote(name)}")

"""The engine of an SQLite file. Called by engine.py, and by copying.py to read a copy.

SQLite has one writer at a time. Writers of one process queue for a process-wide lock before they request the file's
own, because SQLite's busy handler sleeps longer and longer; writers of other processes wait for the file's lock for 30
seconds.
"""

import contextlib
import os
import sqlite3
import stat
import threading
import time
import urllib.parse
from typing import Any

import sqlalchemy as sa

from portal.database.existing_tables.sqlite_functions import add_functions

LOCK_TIMEOUT = 30  # seconds that a writer waits for its turn
CACHE_SIZE = 8_000  # kilobytes per connection; with 2,000 a search in a thousand rows takes three times as long
STEPS_PER_CHECK = 20_000  # of SQLite's virtual machine between checks of the time
UNKNOWN_KEYWORDS = {"nothing", "returning"}  # that SQLAlchemy would not quote as names
OWNER_ONLY = 0o600  # the mode of the files
OTHERS = stat.S_IRWXG | stat.S_IRWXO

_turns: dict[str, "WritingTurn"] = {}
_turns_guard = threading.Lock()


class WritingTurn:
    """The right to write to one SQLite file, held by one transaction of this process at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder: int | None = None  # a thread's identifier

    def acquire(self) -> None:
        """Waits for the turn. Raises RuntimeError in the thread that holds it, which would wait for itself."""
        if self.holder == threading.get_ident():
            raise RuntimeError("this thread is already writing to this database, in a transaction that is still open")
        if not self.lock.acquire(timeout=LOCK_TIMEOUT):
            raise sqlite3.OperationalError("database is locked: another thread has been writing for too long")
        self.holder = threading.get_ident()

    def release(self) -> None:
        """Lets the next transaction write."""
        self.holder = None
        self.lock.release()


class SQLiteConnection(sqlite3.Connection):
    """A connection to SQLite that releases its turn to write when its transaction ends in any way.

    It only sets pragmas when they change, not for every transaction: setting one invalidates the plans of all
    statements of the connection, and planning those of a page again takes a millisecond.
    """

    turn: WritingTurn | None = None
    read_only: bool | None = None  # the last setting; None if never set

    def set_read_only(self, read_only: bool) -> None:
        """Refuses writes from now on, or allows them."""
        if self.read_only is not read_only:
            self.execute(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
            self.read_only = read_only

    def begin_writing(self, turn: WritingTurn) -> None:
        """Opens a transaction that holds the file's write lock from its start."""
        turn.acquire()
        self.turn = turn
        try:
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._end()
            raise

    def commit(self) -> None:
        """Like sqlite3's; a writer's turn ends even if it fails."""
        try:
            super().commit()
        finally:
            self._end()

    def rollback(self) -> None:
        """Like sqlite3's; a writer's turn ends even if it fails."""
        try:
            super().rollback()
        finally:
            self._end()

    def close(self) -> None:
        """Like sqlite3's; also releases a turn whose transaction did not end."""
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
        turn.release()


def create_engine(address: sa.URL) -> sa.Engine:
    """The engine of an SQLite file, which is created when first used."""
    arguments = {"factory": SQLiteConnection, "isolation_level": None, "timeout": LOCK_TIMEOUT}
    engine = sa.create_engine(address, connect_args=arguments, hide_parameters=True)  # no values in the log
    names = engine.dialect.identifier_preparer
    names.reserved_words = names.reserved_words | UNKNOWN_KEYWORDS
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
        connection.execute(f"PRAGMA cache_size = -{CACHE_SIZE}")
        # An automatic index of a million rows, created for one statement and dropped, took seconds.
        connection.execute("PRAGMA automatic_index = OFF")
        add_functions(connection)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        driver: Any = connection.connection.dbapi_connection
        writes = options.get("writes", False)
        # A writer may wait longer than that for its turn, and then has little to do.
        _set_time_limit(driver, None if options.get("writes") else options.get("statement_timeout"))
        try:
            driver.set_read_only(not writes)
            if writes:
                driver.begin_writing(turn)
            else:
                driver.execute("BEGIN")
        except sqlite3.Error as error:
            raise sa.exc.OperationalError("BEGIN", None, error) from error

    return engine


def read_only_engine(address: sa.URL) -> sa.Engine:
    """An engine for someone else's file, which leaves it and its journal unchanged."""
    place = f"file:{urllib.parse.quote(address.database or '')}?mode=ro"
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=sa.NullPool)


def _protect_files(path: str) -> None:
    """Makes the database files, which contain what customers wrote, accessible only to the portal's user.

    SQLite gives the -wal and -shm files the mode of the database. An existing file is not opened here: closing it would
    drop all locks of this process on it, and another process could then delete the journal that its connections use
    (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    with contextlib.suppress(OSError):  # it exists; or the folder does not, which SQLite will report
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, OWNER_ONLY))
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(os.stat(name).st_mode)
            if mode & OTHERS:
                os.chmod(name, mode & ~OTHERS)


def _set_time_limit(connection: sqlite3.Connection, seconds: float | None) -> None:
    """Interrupts statements of an SQLite connection after `seconds` from now; None for no limit."""
    if seconds is None:
        connection.set_progress_handler(None, 0)
        return
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_PER_CHECK)


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switches a new SQLite file to write-ahead logging. Does not wait for another process that does the same."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF  # without the extended part
            if code == sqlite3.SQLITE_READONLY:
                return  # it can still be read
            if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _turn_of(database: str | None) -> WritingTurn:
    """The turn to write to an SQLite file, the same for all engines of this process."""
    if not database or database == ":memory:":
        return WritingTurn()
    with _turns_guard:
        return _turns.setdefault(os.path.realpath(database), WritingTurn())

"""Copies the whole database at one moment, and restores it: with VACUUM INTO, or with PostgreSQL's own programs."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from portal.database.engine import DatabaseUnreachableError, make_engine, reach, reading, writing
from portal.database.postgresql import make_schema, schema_of
from portal.database.sqlite import read_only_engine

NAMES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
LOCK_TIMEOUT = 30.0  # seconds to wait for a lock of SQLite
PUBLIC = "public"  # PostgreSQL's usual schema
TABLE_IN_LIST = re.compile(r"^\d+; \d+ \d+ TABLE (\S+) ", re.MULTILINE)  # a line of pg_restore --list
INSTALLED = "/usr/lib/postgresql"  # where Debian installs the programs of each version


class CopyError(Exception):
    """The database cannot be copied, or the copy cannot be restored; the message says why."""


@contextlib.contextmanager
def copy_database(engine: sa.Engine, target: Path) -> Iterator[sa.Connection]:
    """Copies the database to the file `target`, even under load; the connection sees exactly what was copied.

    Raises CopyError.
    """
    if engine.dialect.name == "sqlite":
        with _copy_sqlite(engine, target) as connection:
            yield connection
        return
    with reading(engine) as connection:
        snapshot = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
        options = ["--format=custom", f"--snapshot={snapshot}", f"--file={target}"]
        if schema := schema_of(connection):
            options.append(f"--schema={schema}")
        _run(engine.url, "pg_dump", *options)
        yield connection


@contextlib.contextmanager
def _copy_sqlite(engine: sa.Engine, target: Path) -> Iterator[sa.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(str(engine.url.database), timeout=LOCK_TIMEOUT)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise CopyError(f"SQLite cannot copy the database: {error}") from None
    with read_only_engine(sa.URL.create("sqlite", database=str(target))).connect() as reader:
        yield reader


def restore_copy(url: str, source: Path) -> None:
    """Restores the copy `source` to the database at `url`, which must be empty. Raises CopyError."""
    address = make_engine(url).url
    kind = address.get_backend_name()
    if source.name != NAMES[kind]:
        raise CopyError(f"the backup contains {source.name}, but the database is {kind}")
    if kind == "sqlite":
        _restore_sqlite(Path(address.database or ""), source)
    else:
        options = ["--no-owner", "--no-privileges", "--single-transaction"]
        schema = _make_empty_schema(url)
        if (copied_schema := _schema_of_copy(source)) != schema:
            raise CopyError(f"the backup is of the schema {copied_schema}, and this database uses the schema {schema}")
        if schema != PUBLIC:
            options += ["--schema", schema]  # only its contents: it already exists
        _run(address, "pg_restore", *options, str(source))


def _schema_of_copy(source: Path) -> str:
    """The schema of the tables in a copy of PostgreSQL."""
    command = [_path_of("pg_restore"), "--list", str(source)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
    table = TABLE_IN_LIST.search(process.stdout)
    if table is None:
        raise CopyError(f"the copy of the database has no table {process.stderr.strip()}".strip())
    return table[1]


def _restore_sqlite(target: Path, source: Path) -> None:
    if target.exists():
        raise CopyError(f"there already is a database: {target}")
    with contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise CopyError("the copy of the database is damaged")
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(source, partial)
    partial.chmod(0o600)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


def _make_empty_schema(url: str) -> str:
    """The schema for a restored copy: that of the address, created if missing, or that of the user's `search_path`.

    Raises CopyError if there are tables.
    """
    try:
        engine = reach(url)
    except DatabaseUnreachableError as error:
        raise CopyError(str(error)) from None
    try:
        with writing(engine) as connection:
            make_schema(connection)
            tables, schema = sa.inspect(connection).get_table_names(), connection.scalar(sa.func.current_schema())
    finally:
        engine.dispose()
    if tables:
        raise CopyError(f"the database is not empty, it has the table {tables[0]}")
    return str(schema)


def _run(url: sa.URL, program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on a database. The password is in a file that only this user can read."""
    with tempfile.NamedTemporaryFile("w", prefix="portal-", suffix=".pgpass") as passwords:
        password = str(url.password or "").replace("\\", "\\\\").replace(":", "\\:")
        passwords.write(f"*:*:*:*:{password}\n")
        passwords.flush()
        command = [_path_of(program), *arguments, f"--dbname={_conninfo(url, passwords.name)}"]
        process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
    if process.returncode:
        reason = process.stderr.partition("\nCommand was:")[0].strip()  # without the whole statement
        raise CopyError(f"{program} says: {reason or process.returncode}")


def _path_of(program: str) -> str:
    """The path of one of PostgreSQL's programs, in the newest installed version."""
    newest = sorted(Path(INSTALLED).glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3].partition(".")[0]))
    path = str(newest[-1]) if newest else shutil.which(program)
    if path is None:
        raise CopyError(f"{program} is not installed (Debian: apt install postgresql-client)")
    return path


def _conninfo(url: sa.URL, password_file: str) -> str:
    """The address of a database in libpq's format, where several servers are one list."""
    query = dict(url.query)
    hosts = query.pop("host", ())
    listed = [hosts] if isinstance(hosts, str) else list(hosts)
    values = {
        "host": ",".join(host.partition(":")[0] if not host.startswith("/") else host for host in listed) or url.host,
        "port": ",".join(host.partition(":")[2] for host in listed if not host.startswith("/")) or url.port,
        "user": url.username,
        "dbname": url.database,
        "passfile": password_file if url.password else None,
        **query,
    }
    return " ".join(f"{name}='{_escape(value)}'" for name, value in values.items() if value not in (None, ""))


def _escape(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")

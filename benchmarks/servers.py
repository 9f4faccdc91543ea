"""The databases that are measured: SQLite files and a PostgreSQL of our own, kept in one folder from run to run.

PostgreSQL is started as it comes, with the settings that its makers ship, but for the size of its cache.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
OPTIONS = "-c listen_addresses='' -c shared_buffers=512MB -c max_wal_size=4GB"


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str | None]:
    """The beginning of addresses of databases, to be filled with their names; None where there is no server."""
    if not PROGRAMS:
        print("PostgreSQL is left out: its server is not installed.")
        yield None
        return
    cluster = folder / "postgresql"
    if not cluster.exists():
        _make_folder(cluster)
        _run(cluster, "initdb", "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    with _running(cluster) as pattern:
        yield pattern


@contextlib.contextmanager
def replica(folder: Path) -> Iterator[str]:
    """The beginning of addresses on a copy that follows the `postgresql` of the folder, which runs."""
    cluster = folder / "replica"
    if not cluster.exists():
        _make_folder(cluster)
        _run(cluster, "pg_basebackup", "-R", "-c", "fast", "-U", "portal", "-h", str(folder / "postgresql"))
        (cluster / ".s.PGSQL.5432.lock").unlink()  # of the first, whose socket lies in the folder that was copied
    with _running(cluster) as pattern:
        yield pattern


def _make_folder(cluster: Path) -> None:
    cluster.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(cluster, "postgres", "postgres")


@contextlib.contextmanager
def _running(cluster: Path) -> Iterator[str]:
    """A server that ran before runs on afterwards."""
    running = _run(cluster, "pg_ctl", "status", check=False) == 0
    if not running:
        _run(cluster, "pg_ctl", "-w", "-o", f"{OPTIONS} -k {cluster}", "start")
    try:
        yield f"postgresql+psycopg://portal@/{{name}}?host={cluster}"
    finally:
        if not running:
            _run(cluster, "pg_ctl", "-m", "fast", "stop")


def create_database(pattern: str, name: str) -> None:
    """An empty database; one of this name is dropped first."""
    host = pattern.partition("host=")[2]
    with psycopg.connect(host=host, user="portal", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")


def _run(cluster: Path, program: str, *arguments: str, check: bool = True) -> int:
    """PostgreSQL refuses to run as root."""
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_user, str(PROGRAMS[-1] / program), "-D", str(cluster), *arguments]
    with (cluster.parent / "postgresql.log").open("ab") as log:
        status = subprocess.run(command, cwd="/", stdout=log, stderr=log, check=False).returncode
    if status and check:
        raise SystemExit(f"{program} ended with {status}: see {log.name}")
    return status

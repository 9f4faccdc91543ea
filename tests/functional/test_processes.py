"""Several processes on one PostgreSQL, started as in deploy/; they are killed while people work, and replaced."""

import contextlib
import http.cookiejar
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from tests.functional.world import ANNA, PASSWORD, PORTALS, World
from tests.real_parts import unavailable
from tests.waiting import PAUSE, TIMEOUT, result_of

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMAND = [str(BIN / "gunicorn"), "-c", str(ROOT / "deploy" / "gunicorn.conf.py")]


class Person:
    """Someone with a browser, over the wire."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.token = ""

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=TIMEOUT) as answer:
            return answer.read().decode()

    def post(self, path: str, **fields: str) -> str:
        """The address that the answer redirects to."""
        body = urllib.parse.urlencode({"_csrf": self.token, **fields}).encode()
        with self.opener.open(self.address + path, body, timeout=TIMEOUT) as answer:
            return answer.geturl()

    def sign_in(self) -> "Person":
        self.token = _token(self.get("/login"))
        self.post("/login", email=ANNA, password=PASSWORD)
        self.token = _token(self.get("/"))
        return self


def _token(page: str) -> str:
    return re.search(r'name="_csrf"[^>]*value="([^"]+)"', page)[1]


@contextlib.contextmanager
def served(folder: Path, url: str, log: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """The small portal, served by two processes; its address, and the process above them."""
    if not Path(COMMAND[0]).exists():
        unavailable("gunicorn is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "FOLDER": str(folder), "DATABASE": url, "DEVELOPMENT": "true", "PASSWORD_MEMORY": "8",
        "PASSWORD_ROUNDS": "1", "BIND": f"127.0.0.1:{port}", "PORT": str(port), "WORKERS": "2",
    }  # fmt: skip
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment |= {f"PORTAL_{name}": value for name, value in settings.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            COMMAND, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process, log)
            yield address, process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Waits until it answers; fails with its output if it ends instead."""

    def ask() -> None:
        if process.poll() is not None:
            pytest.fail(log.read_text())
        urllib.request.urlopen(f"{address}/-/health", timeout=TIMEOUT).close()  # noqa: S310 ours

    result_of(ask, (OSError,), "the portal's first answer")


def first_answer(person: Person, path: str) -> str:
    """The first answer to retries while a dead process is being replaced."""
    return result_of(lambda: person.get(path), (OSError,), "an answer of the process that replaces a dead one")


def workers_of(process: subprocess.Popen) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(each) for each in children.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes are found in Linux's /proc")
def test_what_was_accepted_stays_when_a_process_is_killed_under_load(postgresql_url, tmp_path):
    World.of("small", postgresql_url).portal.engine.dispose()
    accepted: list[str] = []
    folder = Path(shutil.copytree(PORTALS / "small", tmp_path / "folder"))
    with served(folder, postgresql_url, tmp_path / "log") as (address, process):
        people = [Person(address).sign_in() for _person in range(4)]
        half = threading.Semaphore(0)

        def work(person: int) -> None:
            """Works until eight tickets are accepted; one without an answer is a different ticket the next time."""
            own, end = 0, time.monotonic() + TIMEOUT
            for number in itertools.count():
                if own == 8 or time.monotonic() > end:
                    return
                try:
                    people[person].post("/tickets/create", title=f"P{person} N{number}", urgency="normal")
                except OSError:
                    time.sleep(PAUSE)
                    continue
                accepted.append(f"P{person} N{number}")
                own += 1
                if own == 3:
                    half.release()

        threads = [threading.Thread(target=work, args=(person,)) for person in range(4)]
        for thread in threads:
            thread.start()
        for _person in people:
            half.acquire()
        (folder / "modules.yaml").write_text("modules: [broken", encoding="utf-8")
        *others, newest = workers_of(process)
        os.kill(newest, signal.SIGKILL)
        for thread in threads:
            thread.join()
        assert "P0" in first_answer(people[0], "/tickets/"), "the others go on"
        for worker in others:
            os.kill(worker, signal.SIGKILL)
        assert "P1" in first_answer(people[1], "/tickets/"), "new ones start with the last valid declarations"
    assert len(accepted) == 32, "everyone goes on"
    engine = make_engine(postgresql_url)
    declaration = load(PORTALS / "small").declaration
    with reading(engine) as connection:
        records = Records(connection, system_policy(build(declaration)), "tickets")
        titles = [record.title for record in records.iterate(Query(sort=("id",)), ["title"])]
    engine.dispose()
    assert set(accepted) <= set(titles)
    assert len(titles) == len(set(titles)), "nothing twice"

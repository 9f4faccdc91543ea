"""Several machines under load, of which one after the other is killed: what was acknowledged is there, once.

    .venv/bin/python -m tests.drills.machines

Needs etcd, HAProxy and Patroni; says which is missing and ends with 0. People create tickets through HAProxy and send a
form again until it is acknowledged, as the page asks them to. Exits 1 if something
acknowledged is missing or doubled, if a page was anything but an answer or 503 with Retry-After, or if service came
back later than after 10 seconds.
"""

import http.client
import http.cookiejar
import os
import re
import secrets
import signal
import ssl
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from tests.drills.cluster import (
    BIN,
    Cluster,
    NotHereError,
    answers,
    free_ports,
    opened,
    start_databases,
    start_proxy,
    wait_until,
)
from tests.functional.world import ANNA, PASSWORD, PORTALS, World

PEOPLE = 3
CALM = 4.0  # seconds of load before and after each event
SERVICE = 10.0  # seconds within which service has to be back
PATIENCE = 60.0  # seconds in which somebody tries to get one form through
DECLARATIONS = PORTALS / "post"


class Person:
    """Somebody at work, over the wire: every form until it is acknowledged."""

    def __init__(self, address: str, name: str) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        trusting = ssl._create_unverified_context()  # noqa: S323 the certificate is the drill's own
        self.opener = urllib.request.build_opener(jar, urllib.request.HTTPSHandler(context=trusting))
        self.address, self.name = address, name
        self.acknowledged: list[tuple[float, str]] = []
        self.refused: Counter[str] = Counter()

    def sign_in(self) -> None:
        token = _token(self._open("/login").read().decode())
        self._open("/login", urllib.parse.urlencode({"_csrf": token, "email": ANNA, "password": PASSWORD}).encode())

    def work(self, ended: threading.Event) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            title = f"{self.name}-{number}"
            page = self._until_answered("/tickets/create")
            body, kind = _form(page, title)
            self._until_answered("/tickets/create", body, kind)
            self.acknowledged.append((time.monotonic(), title))

    def _until_answered(self, path: str, body: bytes | None = None, kind: str = "") -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = self._open(path, body, kind)
                page = answer.read().decode()
                if body is None or not answer.geturl().endswith(path):
                    return page
                self.refused["the form again"] += 1
            except urllib.error.HTTPError as answer:
                polite = answer.code == 503 and answer.headers.get("Retry-After")
                self.refused["503" if polite else f"{answer.code} for {path}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self.refused[f"{type(error).__name__} {error}"] += 1
            time.sleep(0.25)
        raise TimeoutError(f"{path} was not answered for {PATIENCE} seconds")

    def _open(self, path: str, body: bytes | None = None, kind: str = "") -> http.client.HTTPResponse:
        headers = {"Content-Type": kind} if kind else {}
        return self.opener.open(urllib.request.Request(self.address + path, body, headers), timeout=30)  # noqa: S310


def _token(page: str) -> str:
    return re.search(r'name="_csrf"[^>]*value="([^"]+)"', page)[1]


def _form(page: str, title: str) -> tuple[bytes, str]:
    """The form for a new ticket, as browsers send one that may hold files."""
    hidden = dict(re.findall(r'<input type="hidden" name="(_[a-z]+)" value="([^"]*)"', page))
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**hidden, "_csrf": _token(page), "title": title}.items()
    ]
    parts.append(f"--{boundary}--\r\n")
    return "".join(parts).encode(), f"multipart/form-data; boundary={boundary}"


def main() -> int:
    """The exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever runs ends with the drill
    with tempfile.TemporaryDirectory(prefix="portal-machines-", dir="/tmp") as name:  # noqa: S108 short, for sockets
        try:
            with opened(Path(name)) as cluster:
                return _drill(cluster)
        except NotHereError as reason:
            print(f"Skipped: {reason}")  # noqa: T201
            return 0


def _drill(cluster: Cluster) -> int:
    start_databases(cluster)
    settings = _start_portal(cluster)
    people = [Person(settings["PORTAL_BASE_URL"], f"P{number}") for number in range(PEOPLE)]
    for person in people:
        wait_until(lambda person=person: _signed_in(person), "signing in")
    ended = threading.Event()
    threads = [threading.Thread(target=person.work, args=(ended,)) for person in people]
    for thread in threads:
        thread.start()
    late = []
    for name, event in _events(cluster):
        time.sleep(CALM)
        began = time.monotonic()
        event()
        time.sleep(SERVICE + CALM)
        moments = sorted(moment for person in people for moment, _title in person.acknowledged)
        gaps = [
            later - max(earlier, began) for earlier, later in zip(moments, moments[1:], strict=False) if later > began
        ]
        longest = max([*gaps, time.monotonic() - moments[-1]])
        print(f"{name}: at most {longest:.1f} s without an acknowledged ticket")  # noqa: T201
        late += [name] if longest > SERVICE else []
    ended.set()
    for thread in threads:
        thread.join()
    return _report(people, cluster, late)


def _signed_in(person: Person) -> bool:
    person.sign_in()
    return True


def _start_portal(cluster: Cluster) -> dict[str, str]:
    """Two web machines, two workers and the proxy; the settings that they share."""
    address = cluster.database_url()
    files = str(cluster.folder / "files")
    World.of(DECLARATIONS.name, address, files=files).portal.engine.dispose()
    machines = dict(zip(("web1", "web2"), free_ports(2), strict=True))
    proxied = start_proxy(cluster, machines)
    settings = {
        "PORTAL_FOLDER": str(DECLARATIONS), "PORTAL_DATABASE": address, "PORTAL_FILES": files,
        "PORTAL_DATABASE_READ": cluster.database_url("prefer-standby"), "PORTAL_BASE_URL": proxied,
        "PORTAL_TRUSTED_PROXY": "127.0.0.1", "PORTAL_COMPILED": str(cluster.folder / "templates"),
        "PORTAL_PASSWORD_MEMORY": "8", "PORTAL_PASSWORD_ROUNDS": "1",
    }  # fmt: skip
    for name, port in machines.items():
        cluster.run(name, [str(BIN / "portal"), "serve", "--port", str(port)], **settings)
        wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}"), name)
    for name in ("worker1", "worker2"):
        cluster.run(name, [str(BIN / "portal"), "worker"], **settings)
    return settings


def _events(cluster: Cluster) -> list[tuple[str, Callable[[], None]]]:
    def killed(name: str) -> Callable[[], None]:
        def kill_and_start() -> None:
            cluster.kill(name)
            time.sleep(2)  # as RestartSec of deploy/portal-web.service
            cluster.start(name)

        return kill_and_start

    def primary() -> None:
        name = cluster.primary()
        os.kill(cluster.postmaster(name), signal.SIGKILL)

    return [
        ("a web machine killed", killed("web1")),
        ("a worker killed", killed("worker1")),
        ("PostgreSQL killed on the primary", primary),
    ]


def _report(people: list[Person], cluster: Cluster, late: list[str]) -> int:
    engine = make_engine(cluster.database_url())
    tables = build(load(DECLARATIONS).declaration)
    with reading(engine) as connection:
        titles = Counter(connection.scalars(sa.select(tables.module("tickets").c["title"])))
    engine.dispose()
    acknowledged = [title for person in people for _moment, title in person.acknowledged]
    lost = [title for title in acknowledged if not titles[title]]
    doubled = [title for title, count in titles.items() if count > 1]
    refused = sum((person.refused for person in people), Counter())
    impolite = {what: count for what, count in refused.items() if what not in ("503", "the form again")}
    print(f"{len(acknowledged)} tickets acknowledged; lost {lost}, doubled {doubled}")  # noqa: T201
    print(f"Answers that were none: {dict(refused)}")  # noqa: T201
    return 1 if lost or doubled or impolite or late else 0


if __name__ == "__main__":
    sys.exit(main())

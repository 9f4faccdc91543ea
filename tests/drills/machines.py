"""Several machines under load, killed one after another: everything acknowledged is there, once.

    .venv/bin/python -m tests.drills.machines

Needs etcd, HAProxy, PgBouncer, Patroni and SeaweedFS; says which is missing and ends with 0. People create tickets with
files through HAProxy and send a form again until it is acknowledged, as the page asks them to. Exits 1 if something
acknowledged is missing or duplicated, a page was neither an answer nor 503 with Retry-After, service took more than 10
seconds to return, or anything was refused while the web machines were restarted one after another.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.drills.cluster import (
    Cluster,
    NotHereError,
    opened,
    start_databases,
    start_pool,
    start_proxy,
    start_store,
    takes_files,
)
from tests.drills.people import DECLARATIONS, Person, impolite, make_portal, titles_of, what_is_wrong, working
from tests.drills.processes import BIN, CHEAP, ROOT, answers, free_ports, wait_until
from tests.real_parts import S3_KEYS

LOGS = ROOT / "var" / "drill" / "machines"
PEOPLE = 3
CALM = 4.0  # seconds of load before and after each event
RESTART = 2  # seconds, as RestartSec of deploy/portal-web.service
SERVICE = 10.0  # seconds within which service must be back
LEASE = 20.0  # additional seconds if a whole machine is gone: `ttl` in deploy/patroni.yml


@dataclass(frozen=True)
class Event:
    """Something that happens while people work. `within`: seconds afterwards until a ticket is acknowledged again."""

    name: str
    happen: Callable[[], None]
    within: float = SERVICE
    refuses: bool = True


def main() -> int:
    """The exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever runs ends with the drill
    with tempfile.TemporaryDirectory(prefix="portal-machines-", dir="/tmp") as name:  # noqa: S108 short, for sockets
        try:
            with opened(Path(name)) as cluster, _logs_kept(Path(name)):
                problems = _drill(cluster)
        except NotHereError as reason:
            print(f"Skipped: {reason}")  # noqa: T201
            return 0
    print(*problems, sep="\n")  # noqa: T201
    return 1 if problems else 0


@contextlib.contextmanager
def _logs_kept(folder: Path) -> Iterator[None]:
    """Keeps the output of the processes in var/drill/machines."""
    try:
        yield
    finally:
        LOGS.mkdir(parents=True, exist_ok=True)
        for log in folder.glob("*.log"):
            shutil.copy(log, LOGS)


def _drill(cluster: Cluster) -> list[str]:
    start_databases(cluster)
    files = start_store(cluster)
    make_portal(cluster.database_url(), files)
    machines = dict(zip(("web1", "web2"), free_ports(2), strict=True))
    address, primary = start_proxy(cluster, machines)
    start_pool(cluster, primary)
    _start_portal(cluster, machines, address, files)
    people = [Person(address, f"P{number}") for number in range(PEOPLE)]
    for person in people:
        wait_until(lambda person=person: person.sign_in() is None, "signing in")
    with working(people):
        problems = [problem for event in _events(cluster, machines, files) for problem in _happens(event, people)]
    print(f"{len(titles_of(people))} tickets acknowledged; refused: {_refused(people)}")  # noqa: T201
    problems += what_is_wrong(cluster.database_url(), files, titles_of(people), S3_KEYS)
    return problems + [f"{count} times {what}" for what, count in impolite(people, behind_proxy=True).items()]


def _start_portal(cluster: Cluster, machines: dict[str, int], address: str, files: str) -> None:
    """Two web machines, which reach the primary through PgBouncer, and two workers."""
    settings = {
        "PORTAL_FOLDER": str(DECLARATIONS), "PORTAL_FILES": files, "PORTAL_BASE_URL": address,
        "PORTAL_TRUSTED_PROXY": "127.0.0.1",
        **dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), S3_KEYS, strict=True)), **CHEAP,
    }  # fmt: skip
    pooled = {"PORTAL_DATABASE": cluster.pooled_url(), "PORTAL_DATABASE_READ": cluster.database_url("prefer-standby")}
    for name, port in machines.items():
        cluster.run(name, [str(BIN / "portal"), "serve", "--port", str(port)], **settings, **pooled)
        wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}"), name)
    for name in ("worker1", "worker2"):
        cluster.run(name, [str(BIN / "portal"), "worker"], **settings, PORTAL_DATABASE=cluster.database_url())


def _happens(event: Event, people: list[Person]) -> list[str]:
    """The failures of the service during an event and after it."""
    time.sleep(CALM)
    refused = _refused(people)
    event.happen()
    began = time.monotonic()
    time.sleep(event.within + CALM)
    moments = sorted(moment for person in people for moment, _title in person.acknowledged)
    gaps = [later - max(earlier, began) for earlier, later in zip(moments, moments[1:], strict=False) if later > began]
    longest = max([*gaps, time.monotonic() - moments[-1]])
    print(f"{event.name}: at most {longest:.1f} s without an acknowledged ticket")  # noqa: T201
    late = [f"{event.name}: {longest:.1f} s without an acknowledged ticket"] if longest > event.within else []
    if not event.refuses and _refused(people) != refused:
        late.append(f"{event.name}: {_refused(people) - refused} requests were refused")
    return late


def _refused(people: list[Person]) -> int:
    return sum((person.refused + person.cut_off).total() for person in people)


def _events(cluster: Cluster, machines: dict[str, int], files: str) -> list[Event]:
    def killed(name: str) -> None:
        cluster.kill(name)
        time.sleep(RESTART)
        cluster.start(name)

    def restart_in_turn() -> None:
        for name, port in machines.items():
            cluster.running[name].terminate()
            cluster.running.pop(name).wait()
            cluster.start(name)
            wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}"), name)
            time.sleep(RESTART)  # until HAProxy has seen it

    def kill_the_store() -> None:
        killed("s3")
        wait_until(lambda: takes_files(files), "the S3 server")

    def kill_the_primary() -> None:
        os.kill(cluster.postmaster(cluster.primary()), signal.SIGKILL)

    def lose_the_primary_s_machine() -> None:
        name = cluster.primary()
        postmaster = cluster.postmaster(name)
        cluster.kill(name)
        os.kill(postmaster, signal.SIGKILL)

    return [
        Event("the web machines restarted, one after the other", restart_in_turn, refuses=False),
        Event("a web machine killed", lambda: killed("web1")),
        Event("a worker killed", lambda: killed("worker1")),
        Event("the S3 server killed", kill_the_store),
        Event("PostgreSQL killed on the primary", kill_the_primary),
        Event("the machine of the primary lost", lose_the_primary_s_machine, within=SERVICE + LEASE),
    ]


if __name__ == "__main__":
    sys.exit(main())

"""What the marks of what is new take: pages with them, and the same pages that say nothing of it.

`python -m benchmarks.news URL [ROUNDS]` prints the time of both and the median of their ratios, for people to whom
everything is new and for people who have looked at everything. Both pages are asked for in turn, because a busy machine
is slower by half from second to second. The time is the processor's, that of PostgreSQL's processes included.
"""

import statistics
import sys
import time
from pathlib import Path
from unittest import mock

import sqlalchemy as sa

from benchmarks.filling import START
from benchmarks.ours import PEOPLE, Portal
from benchmarks.words import COMMON
from portal.database.engine import writing
from portal.records.reading.news import News

ROUNDS, CALLS = 15, 6
PATHS = ("/tickets/", "/tickets/?tab=open", "/tickets/?sort=due", f"/tickets/?q={COMMON}", "/")


def _nothing_new(*_arguments: object) -> News:
    return News()


WITHOUT = mock.patch("portal.web.news.read_news", _nothing_new)  # a Mock would take a tenth of what is measured


def compare(portal: Portal, who: str, path: str, rounds: int) -> tuple[float, float, float]:
    """Milliseconds of a page with marks and without, the least of all rounds; and the median of their ratios."""
    taken = []
    for _round in range(rounds):
        marked = _least(portal, who, path)
        with WITHOUT:
            taken.append((marked, _least(portal, who, path)))
    marked, bare = (min(times) for times in zip(*taken, strict=True))
    return marked, bare, statistics.median(one / other for one, other in taken)


def _least(portal: Portal, who: str, path: str) -> float:
    """The least time of some calls, in milliseconds."""
    taken, servers = [], _servers(portal)
    for _call in range(CALLS):
        start = _computed(servers)
        portal.get(who, path)
        taken.append(_computed(servers) - start)
    return min(taken)


def _servers(portal: Portal) -> list[Path]:
    """Where the system says how long the database's processes for this one have computed."""
    if portal.engine.dialect.name == "sqlite":
        return []
    connections = [portal.engine.connect() for _connection in range(portal.engine.pool.checkedin() or 1)]
    processes = [connection.connection.driver_connection.info.backend_pid for connection in connections]
    for connection in connections:
        connection.close()
    return [Path(f"/proc/{process}/schedstat") for process in processes]


def _computed(servers: list[Path]) -> float:
    """Milliseconds that this process and the database's have computed."""
    theirs = sum(int(server.read_text().split()[0]) for server in servers)
    return (time.process_time_ns() + theirs) / 1_000_000


def look(portal: Portal, seen: bool) -> None:
    """Everything that has happened since the first ticket is new to all accounts, or they have seen it."""
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.account).values(news_from=START))
        connection.execute(sa.delete(portal.tables.seen))
    for who in PEOPLE if seen else ():
        portal.post(who, "/tickets/seen", {"_csrf": portal.token(who)})


if __name__ == "__main__":
    portal, rounds = Portal(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else ROUNDS
    for seen in (False, True):
        look(portal, seen)
        for who in PEOPLE:
            for path in PATHS:
                page, bare, times = compare(portal, who, path, rounds)
                state = "all seen" if seen else "all new"
                print(f"{state}, {who}: {path:24} {page:6.2f} ms, without {bare:6.2f} ms: {times:5.3f} ×", flush=True)

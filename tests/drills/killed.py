"""The portal is killed repeatedly while people work: nothing acknowledged is missing, duplicated or incomplete.

    .venv/bin/python -m tests.drills.killed [TIMES]

Kills a process that serves and works, with SIGKILL, TIMES times on SQLite and on PostgreSQL, at random moments. Exits 1
if something acknowledged is lost, incomplete or duplicated, a page was not an answer, or the portal was usually not
ready five seconds after a restart (usually, as the machine may be busy).
"""

import contextlib
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.drills.people import (
    DECLARATIONS,
    Person,
    impolite,
    make_portal,
    signed_in,
    titles_of,
    what_is_wrong,
    working,
)
from tests.drills.processes import Processes, answers, serve, wait_until
from tests.real_parts import running_postgresql

PEOPLE = 3
READY = 5.0  # seconds from the start until it answers
LONGEST = 0.5  # seconds of work between two kills, in addition to one ticket


def main(times: int) -> int:
    """The exit status."""
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        postgresql = opened.enter_context(running_postgresql())
        url = opened.enter_context(postgresql.empty_database())
        problems = [
            *drill("SQLite", f"sqlite:///{folder}/portal.sqlite", folder / "1", times),
            *drill("PostgreSQL", url, folder / "2", times),
        ]
    print(*problems, sep="\n")  # noqa: T201
    return 1 if problems else 0


def drill(name: str, database: str, folder: Path, times: int) -> list[str]:
    """The failures after this many kills, in sentences."""
    folder.mkdir()
    files, chance = str(folder / "files"), random.Random(1)
    make_portal(database, files)
    processes = Processes(folder)
    try:
        address = serve(processes, DECLARATIONS, database, files)
        people = signed_in(address, PEOPLE)
        with working(people):
            ready = [_killed(processes, address, people, chance) for _time in range(times)]
    finally:
        processes.end()
    made = len(titles_of(people))
    print(  # noqa: T201
        f"{name}: killed {times} times, {made} tickets acknowledged,"
        f" ready after {statistics.median(ready):.1f} s, at most {max(ready):.1f} s"
    )
    wrong = what_is_wrong(database, files, titles_of(people))
    wrong += [f"{count} times {what}" for what, count in impolite(people).items()]
    usual = statistics.median(ready)
    return wrong + ([f"{name}: ready only after {usual:.1f} s"] if usual > READY else [])


def _killed(processes: Processes, address: str, people: list[Person], chance: random.Random) -> float:
    """Kills the portal while it works; the seconds until it is ready again."""
    before = len(titles_of(people))
    wait_until(lambda: len(titles_of(people)) > before, "a ticket")
    time.sleep(chance.uniform(0, LONGEST))
    processes.kill("web")
    start = time.monotonic()
    processes.start("web")
    wait_until(lambda: answers(address), "the portal")
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))

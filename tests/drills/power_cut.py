"""The power is cut while people work, and the disk fails: what was acknowledged is on the disk, files included.

    .venv/bin/python -m tests.drills.power_cut [TIMES]

Makes TIMES folders that a power cut could leave at some moment, for a portal on SQLite with its files, and opens each.
Then every fsync fails for a while. Needs a C compiler. Exits 1 if something acknowledged is missing, something is
incomplete, or the portal reports something as saved while the disk fails; and if a disk that drops synced data is not
detected, as the drill itself would then be blind.
"""

import errno
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from tests.drills.people import (
    DECLARATIONS,
    POLITE,
    Person,
    impolite,
    make_portal,
    signed_in,
    titles_of,
    what_is_wrong,
    working,
)
from tests.drills.processes import Processes, serve
from tests.drills.syncing import Disk, NoCompilerError, watched

PEOPLE = 3
LONGEST = 0.3  # seconds between two cuts
FORGOTTEN = 3  # power cuts with the disk that forgets
REFUSALS = 5


def main(times: int) -> int:
    """The exit status."""
    try:
        problems = drill(times, forgets=False)
        if not drill(FORGOTTEN, forgets=True):
            problems.append("a disk that forgets loses nothing: this drill sees nothing")
    except NoCompilerError as reason:
        print(f"Skipped: {reason}")  # noqa: T201
        return 0
    print(*problems, sep="\n")  # noqa: T201
    return 1 if problems else 0


def drill(times: int, forgets: bool) -> list[str]:
    """The failures after this many cuts, in sentences."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "disk"
        folder.mkdir()
        database, files = f"sqlite:///{folder}/portal.sqlite", str(folder / "files")
        make_portal(database, files)
        disk = Disk(folder, forgets=forgets)
        disk.note_all()
        processes = Processes(Path(name))
        with watched(disk) as environment:
            try:
                address = serve(processes, DECLARATIONS, database, files, **environment)
                people = signed_in(address, PEOPLE)
                wrong = _cuts(disk, people, times)
                wrong += [] if forgets else _failing(disk, people[0])
            finally:
                processes.end()
        wrong += [] if forgets else what_is_wrong(database, files, titles_of(people))
        return wrong + [f"{count} times {what}" for what, count in impolite(people).items()]


def _cuts(disk: Disk, people: list[Person], times: int) -> list[str]:
    chance, wrong = random.Random(1), []
    left = disk.folder.parent / "left"
    with working(people):
        for time_of_cut in range(times):
            time.sleep(chance.uniform(0, LONGEST))
            with disk.lock:
                acknowledged = titles_of(people)
                disk.cut(left, chance)
            try:
                found = what_is_wrong(f"sqlite:///{left}/portal.sqlite", str(left / "files"), acknowledged)
            except sa.exc.DatabaseError as error:
                found = [f"the database cannot be read: {error.orig}"]
            wrong += [f"cut {time_of_cut + 1}: {sentence}" for sentence in found]
            shutil.rmtree(left)
    kind = "that forgets" if disk.forgets else "that keeps what it is told to"
    print(f"A disk {kind}: {times} cuts, {len(titles_of(people))} tickets, {disk.synced} syncs, {len(wrong)} faults")  # noqa: T201
    return wrong


def _failing(disk: Disk, person: Person) -> list[str]:
    """The disk fails for a while, then goes on."""
    before, polite = len(person.acknowledged), person.refused[POLITE]
    disk.error = errno.EIO
    saved = [number for number in range(REFUSALS) if person.try_to_make_ticket(f"failing-{number}")]
    readable = "/tickets/" in person.page("/tickets/")
    disk.error = 0
    person.make_ticket("after the disk failed")
    refused = person.refused[POLITE] - polite
    print(f"The disk fails: {REFUSALS} tickets, {refused} refused with 503; then one more is saved")  # noqa: T201
    wrong = [f"{len(saved)} tickets were saved on a disk that fails"] if saved else []
    wrong += [] if readable else ["nothing can be read while the disk fails"]
    return wrong + ([] if len(person.acknowledged) == before + 1 else ["nothing is saved after the disk failed"])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))

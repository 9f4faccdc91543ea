"""The disk is full while people work: nothing unsaved is reported as saved, reading works, no restart is needed.

    .venv/bin/python -m tests.drills.disk_full

A portal on SQLite, its files and its temporary files are on a disk of some megabytes, which is filled and then made
larger. Needs the right to mount one (root). Exits 1 if something acknowledged is lost, a page was neither an answer nor
503 with Retry-After, nothing could be read, or nothing could be saved afterwards. A form that the server cannot store
while receiving it is cut off, without a page.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.drills.people import DECLARATIONS, POLITE, Person, impolite, make_portal, titles_of, what_is_wrong
from tests.drills.processes import Processes, serve

SMALL, LARGE = "12m", "48m"
REFUSALS = 20  # tickets attempted on the full disk
LARGE_FILE = 2_000_000  # bytes; too large for the server to keep in memory while receiving
MOST = 2_000  # tickets until it is full


def main() -> int:
    """The exit status."""
    if os.geteuid() != 0:
        print("Skipped: only root may mount a disk")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as name, mounted(Path(name)) as disk:
        problems = drill(disk)
    print(*problems, sep="\n")  # noqa: T201
    return 1 if problems else 0


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small disk in memory, mounted on a folder below."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def drill(disk: Path) -> list[str]:
    """The failures, in sentences."""
    database, files = f"sqlite:///{disk}/portal.sqlite", str(disk / "files")
    make_portal(database, files)
    processes = Processes(disk.parent)
    try:
        person = Person(serve(processes, DECLARATIONS, database, files, TMPDIR=str(disk)), "P")
        person.sign_in()
        problems = _fill(person) + _full(person)
        subprocess.run(["mount", "-o", f"remount,size={LARGE}", disk], check=True)
        person.make_ticket("after the disk was full")
    finally:
        processes.end()
    problems += what_is_wrong(database, files, titles_of([person]))
    return problems + [f"{count} times {what}" for what, count in impolite([person]).items()]


def _fill(person: Person) -> list[str]:
    """Creates tickets until one is refused."""
    made = next((number for number in range(MOST) if not person.try_to_make_ticket(f"ticket {number}")), None)
    print(f"The disk is full after {made} tickets")  # noqa: T201
    return [] if made else [f"{MOST} tickets do not fill the disk"]


def _full(person: Person) -> list[str]:
    """Creates more tickets and reads pages while the disk is full."""
    polite = person.refused[POLITE]
    saved = sum(person.try_to_make_ticket(f"full {number}") for number in range(REFUSALS))
    large = sum(person.try_to_make_ticket(f"large {number}", bytes(LARGE_FILE)) for number in range(REFUSALS))
    refused = person.refused[POLITE] - polite
    print(f"{2 * REFUSALS} more: {saved + large} saved, {refused} refused with 503")  # noqa: T201
    pages = {path: person.page(path) for path in ("/", "/tickets/", "/tickets/1/", "/tickets/?q=ticket", "/-/health")}
    return [f"{path} cannot be read on a full disk" for path, page in pages.items() if not page]


if __name__ == "__main__":
    sys.exit(main())

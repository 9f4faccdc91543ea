"""People who work over the wire while something breaks, and what is left of their work afterwards.

Each creates tickets with a file, one after another, and sends a form until it is acknowledged, as the page asks them
to. `what_is_wrong` then reads database and store: nothing acknowledged may be missing, duplicated or incomplete.
"""

import contextlib
import http.client
import http.cookiejar
import re
import secrets
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.store.store import Store, StoreError, open_store
from tests.functional.world import ANNA, PASSWORD, World

DECLARATIONS = Path(__file__).parent / "portal"
TIMEOUT = 120.0  # seconds for which someone tries to send a form
AGAIN = 0.1  # seconds until they try again
MORE = "more.bin"  # the name of a ticket's other file
HOLDS = 3_000  # repetitions of a ticket's title in its file: more than one disk page
POLITE = "503 with Retry-After"
AGAIN_THE_FORM = "the form again"


def make_portal(database: str, files: str) -> None:
    """Tables and people of the drills' portal, in an empty database; `files`: its store."""
    people = [AccessRequest(ANNA, "customer", "Anna Rossi", "Acme")]
    World.of(str(DECLARATIONS), database, people=people, files=files).portal.engine.dispose()


class Person:
    """Someone at work. `acknowledged`: titles of their tickets, each with its moment; `refused`: other answers.

    `cut_off`: connections that gave no answer. `more`: what another file of each ticket holds.
    """

    def __init__(self, address: str, name: str, more: bytes = b"") -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        trusting = ssl._create_unverified_context()  # noqa: S323 the certificate is the drill's own
        self.opener = urllib.request.build_opener(jar, urllib.request.HTTPSHandler(context=trusting))
        self.address, self.name, self.more = address, name, more
        self.acknowledged: list[tuple[float, str]] = []
        self.refused: Counter[str] = Counter()
        self.cut_off: Counter[str] = Counter()

    def sign_in(self) -> None:
        """Raises OSError where nothing answers."""
        token = _token(self._open("/login").read().decode())
        self._open("/login", urllib.parse.urlencode({"_csrf": token, "email": ANNA, "password": PASSWORD}).encode())

    def work(self, ended: threading.Event) -> None:
        """Makes tickets until the event."""
        while not ended.is_set():
            try:
                self.make_ticket(f"{self.name}-{len(self.acknowledged) + 1}")
            except TimeoutError as error:
                self.refused[str(error)] += 1

    def make_ticket(self, title: str) -> None:
        """Until it is acknowledged. Raises TimeoutError."""
        page = self._until_answered("/tickets/create")
        self._until_answered("/tickets/create", *form(page, title, self.more))
        self.acknowledged.append((time.monotonic(), title))

    def try_to_make_ticket(self, title: str, more: bytes = b"") -> bool:
        """Sends the form once, with another file of these bytes; returns whether it was acknowledged."""
        page = self.page("/tickets/create")
        done = bool(page) and self._answer("/tickets/create", *form(page, title, more)) is not None
        self.acknowledged += [(time.monotonic(), title)] if done else []
        return done

    def page(self, path: str) -> str:
        """A page, "" if it is refused."""
        return self._answer(path) or ""

    def _until_answered(self, path: str, body: bytes | None = None, kind: str = "") -> str:
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if (page := self._answer(path, body, kind)) is not None:
                return page
            time.sleep(AGAIN)
        raise TimeoutError(f"{path} was not answered for {TIMEOUT} seconds")

    def _answer(self, path: str, body: bytes | None = None, kind: str = "") -> str | None:
        """The page; None for a refusal, and for the form shown again."""
        try:
            answer = self._open(path, body, kind)
            page = answer.read().decode()
            if body is None or not answer.geturl().endswith(path):
                return page
            self.refused[AGAIN_THE_FORM] += 1
        except urllib.error.HTTPError as answer:
            polite = answer.code == 503 and answer.headers.get("Retry-After")
            self.refused[POLITE if polite else f"{answer.code} for {path}"] += 1
        except (OSError, http.client.HTTPException) as error:
            self.cut_off[f"{type(error).__name__} {error}"] += 1
        return None

    def _open(self, path: str, body: bytes | None = None, kind: str = "") -> http.client.HTTPResponse:
        headers = {"Content-Type": kind} if kind else {}
        return self.opener.open(urllib.request.Request(self.address + path, body, headers), timeout=30)  # noqa: S310


def signed_in(address: str, number: int, more: bytes = b"") -> list[Person]:
    """This many people, signed in."""
    people = [Person(address, f"P{place}", more) for place in range(number)]
    for person in people:
        person.sign_in()
    return people


@contextlib.contextmanager
def working(people: list[Person]) -> Iterator[None]:
    """All of them work while the block runs."""
    ended = threading.Event()
    threads = [threading.Thread(target=person.work, args=(ended,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def form(page: str, title: str, more: bytes = b"") -> tuple[bytes, str]:
    """The form for a new ticket with a file or two, as browsers send it: its bytes, and what they are."""
    hidden = dict(re.findall(r'<input type="hidden" name="(_[a-z]+)" value="([^"]*)"', page))
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**hidden, "_csrf": _token(page), "title": title}.items()
    ]
    files = {f"{title}.txt": content(title).encode(), **({MORE: more} if more else {})}
    body = "".join(parts).encode()
    for name, held in files.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        body += held + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def content(title: str) -> str:
    """What the file of a ticket holds."""
    return f"{title} " * HOLDS


def _token(page: str) -> str:
    return re.search(r'name="_csrf"[^>]*value="([^"]+)"', page)[1]


def titles_of(people: list[Person]) -> list[str]:
    """The titles of all tickets that were acknowledged until now."""
    return [title for person in people for _moment, title in person.acknowledged]


def what_is_wrong(database: str, files: str, acknowledged: list[str], keys: tuple[str, str] = ("", "")) -> list[str]:
    """Sentences about tickets that are missing, duplicated or incomplete; `keys`: of the store, if it is S3."""
    engine, tables = make_engine(database), build(load(DECLARATIONS).declaration)
    tickets, file = tables.module("tickets"), tables.file
    with reading(engine) as connection:
        titles = {number: title for number, title in connection.execute(sa.select(tickets.c["id"], tickets.c["title"]))}
        stored = connection.execute(sa.select(file.c["record"], file.c["stored"])).all()
        created = sa.select(tables.event.c["record"]).where(
            tables.event.c["kind"] == "created", _of_tickets(tables.event)
        )
        events = Counter(connection.scalars(created))
        entries = Counter(connection.scalars(sa.select(tables.search.c["record"]).where(_of_tickets(tables.search))))
        damaged = _damage(connection)
    engine.dispose()
    store = open_store(files, DECLARATIONS, *keys)
    whole = {record for record, name in stored if _holds(store, name, content(titles.get(record, "")))}
    times = Counter(titles.values())
    return [
        *damaged,
        *(f"{title} was acknowledged and is lost" for title in acknowledged if not times[title]),
        *(f"{title} is there {count} times" for title, count in times.items() if count > 1),
        *(f"{titles[number]} has no whole file" for number in titles if number not in whole),
        *(f"{titles[number]} has {events[number]} events" for number in titles if events[number] != 1),
        *(f"{titles[number]} is {entries[number]} times in the search" for number in titles if entries[number] != 1),
    ]


def impolite(people: list[Person], behind_proxy: bool = False) -> dict[str, int]:
    """Answers that nobody should get, and how often: neither a page nor 503 with Retry-After.

    Without a proxy, a killed process gives no answer at all, which does not count.
    """
    refused = sum((person.refused for person in people), Counter())
    cut_off = sum((person.cut_off for person in people), Counter())
    answers = refused + cut_off if behind_proxy else refused
    return {what: count for what, count in answers.items() if what not in (POLITE, AGAIN_THE_FORM)}


def _of_tickets(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c["module"] == "tickets"


def _damage(connection: sa.Connection) -> list[str]:
    """What SQLite finds wrong with its own file."""
    if connection.dialect.name != "sqlite":
        return []
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [line for line in found if line != "ok"] + [f"a key leads nowhere: {row}" for row in dangling]


def _holds(store: Store, name: str, text: str) -> bool:
    try:
        return b"".join(store.read(name)) == text.encode()
    except StoreError:
        return False

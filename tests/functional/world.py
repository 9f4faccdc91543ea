"""One portal, served for the whole run, with people already signed in; a test's records are removed after it.

For tests of records: each kind of database is created once, and restored after a test or a file. Tests of starting,
signing in and reloading use the fixtures of conftest.py.
"""

import contextlib
import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from webtest import TestApp, TestResponse

from portal import make_application
from portal.accounts.accounts import find_account
from portal.accounts.api_tokens import TokenRequest, make_token
from portal.accounts.giving_access import AccessRequest, Register
from portal.accounts.passwords import Passwords
from portal.conditions import Comparison
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from portal.settings import ProcessSettings
from tests.portal_files import write_portal
from tests.real_parts import empty_database

PORTALS = Path(__file__).parents[1] / "portals"
PASSWORD = "correct horse battery"
NOW = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=datetime.UTC)
# Hashing that takes no time: the tests sign in hundreds of times.
CHEAP = {"password_memory": 8, "password_rounds": 1}
ANNA, BRUNO, CARLA, DARIO = "anna@acme.example", "bruno@acme.example", "carla@globex.example", "dario@globex.example"
EDDA, NANCY = "edda@alone.example", "nancy@supplier.example"
# What most portals of the tests begin with: people who belong to companies. Further modules follow.
PEOPLE_MODULES = """
people: people
organizations: companies
modules:
  companies: {fields: {name: text}}
  people:
    organization: company
    fields: {name: text, email: {type: email, unique: true}, company: {type: link, to: companies}}
"""
Rows = dict[str, list[dict[str, Any]]]  # by table
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(BRUNO, "power", "Bruno Verdi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
    AccessRequest(DARIO, "power", "Dario Blu", "Globex"),
    AccessRequest(EDDA, "power", "Edda Sola"),
    AccessRequest(NANCY, "staff", "Nancy Smith", "Supplier"),
)
PEOPLE_OF_SMALL = tuple(wish for wish in PEOPLE if wish.email not in (DARIO, EDDA))


class Browser(TestApp):
    """A browser with someone signed in; `send` fills in the token that every form contains."""

    token: str = ""

    def send(
        self, address: str, form: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **options: Any
    ) -> TestResponse:
        """Posts a form. Returns answers of any status unless one is required."""
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        return self.post(address, [("_csrf", self.token), *pairs], **{"status": "*", **options})

    def see(self, address: str, **options: Any) -> TestResponse:
        """Gets a page, whatever its status."""
        return self.get(address, **{"status": "*", **options})

    def titles(self, address: str) -> list[str]:
        """The text of the first column that links to the record, row by row."""
        return titles(self.get(address))


class Program(TestApp):
    """A program that sends the token of an account."""

    token: str = ""

    def call(
        self, method: str, address: str, body: Any = None, status: int | None = None, **headers: str
    ) -> TestResponse:
        """The answer of `/api/ADDRESS`; `body` is sent as JSON, or unchanged if it is bytes."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        options = {"method": method, "body": content, "headers": sent, "expect_errors": True}
        answer = self.request(f"/api/{address}", **options)
        assert status in (None, answer.status_int), answer.text
        return answer


class Clock:
    """The time of the application; stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime.datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += datetime.timedelta(**time)


def add_people(connection: sa.Connection, tables: Tables, people: Iterable[AccessRequest]) -> None:
    """Gives these people access, all with one password."""
    hashed = Passwords(CHEAP["password_memory"], CHEAP["password_rounds"]).hash(PASSWORD)
    register = Register(connection, tables, NOW)
    for wish in people:
        register.add(wish, hashed, must_change=False)


def make_tables(declaration: Declaration, url: str, people: Iterable[AccessRequest]) -> None:
    """The tables of a portal in an empty database, with its people."""
    engine = make_engine(url)
    tables = build(declaration, inspect_existing(engine, declaration))
    apply(engine, tables)
    with writing(engine) as connection:
        add_people(connection, tables, people)
    engine.dispose()


@dataclass
class World:
    """One served portal, its clock, and browsers of the people who can sign in."""

    app: Any
    clock: Clock
    browsers: dict[str, Browser]
    kept: Rows | None = None  # what the tests of one file read together

    @classmethod
    def of(
        cls, name: str | Path, url: str, people: Iterable[AccessRequest] = PEOPLE, files: str = "var/files"
    ) -> "World":
        """The portal of tests/portals/NAME on an empty database, with its people; `files`: where files are stored."""
        folder = PORTALS / name
        make_tables(load(folder).declaration, url, people)
        settings = ProcessSettings(folder=folder, database=url, files=files, reload_every=3600, **CHEAP)
        application, clock = make_application(settings), Clock()
        application.registry.clock = clock
        world = cls(application, clock, {})
        for wish in people:
            world.browsers[wish.email] = world.signed_in(wish.email)
        return world

    @property
    def portal(self) -> Any:
        return self.app.registry.live.current()

    def signed_in(self, email: str) -> Browser:
        """A new browser in which someone signs in."""
        browser = Browser(self.app)
        token = _token(browser.get("/login"))
        browser.post("/login", {"_csrf": token, "email": email, "password": PASSWORD}, status=303)
        browser.token = _token(browser.get("/"))
        return browser

    def program(self, email: str, **wanted: Any) -> Program:
        """A program with someone's token, which has already been used."""
        with writing(self.portal.engine) as connection:
            account = find_account(connection, self.portal.tables, email)
            request = TokenRequest("Test", **wanted)
            token = make_token(connection, self.portal.tables, account.id, request, self.clock.now)
        program = Program(self.app)
        program.token = token
        program.call("GET", "")
        return program

    def __getitem__(self, email: str) -> Browser:
        return self.browsers[email]

    # -- records, written and read as the portal itself does ------------------------------------------------------

    def records(self, connection: sa.Connection, module: str) -> Records:
        """The records of a module as the portal itself sees them."""
        portal = self.portal
        reader = portal.declaration.reader(now=self.clock.now)
        return Records(connection, system_policy(portal.tables, reader), module)

    def add(self, module: str, **values: Any) -> int:
        """A new record; its id."""
        with writing(self.portal.engine) as connection:
            return Writer(self.records(connection, module), Author(name="Portal", channel="import")).create(values)

    def link(self, module: str, **values: Any) -> Linked:
        """A new record, as a link's value."""
        return Linked(self.add(module, **values), module)

    def for_request(self, caller: str = "Anna Rossi") -> dict[str, Any]:
        """What a request by someone at Acme needs in addition to its name; its service Printing is new."""
        acme = self.the("companies", "Acme")
        service = self.link("services", name="Printing", customers=(acme,))
        return {"body": "x", "caller": self.the("people", caller), "company": acme, "service": service}

    def set(self, module: str, identity: int, **values: Any) -> None:
        """Changes a record."""
        with writing(self.portal.engine) as connection:
            records = self.records(connection, module)
            record = records.get(identity)
            Writer(records, Author(name="Portal")).change(record, values, record.version)

    def remove(self, module: str, identity: int) -> None:
        """Deletes a record."""
        with writing(self.portal.engine) as connection:
            records = self.records(connection, module)
            Writer(records, Author(name="Portal")).delete(records.get(identity))

    def record(self, module: str, identity: int) -> Record | None:
        """A record with all its values."""
        with reading(self.portal.engine) as connection:
            return self.records(connection, module).get(identity)

    def all(self, module: str) -> list[Record]:
        """Every record of a module, oldest first."""
        with reading(self.portal.engine) as connection:
            records = self.records(connection, module)
            return list(records.iterate(Query(sort=("id",)), records.module.everything))

    def the(self, module: str, title: str) -> Linked:
        """The record of that title, as a link's value."""
        with reading(self.portal.engine) as connection:
            records = self.records(connection, module)
            same = Query(condition=Comparison((records.module.title_field.name,), "equal", title))
            return Linked(records.page(same, []).records[0].id, module)

    def account(self, email: str, **values: Any) -> None:
        """Changes an account."""
        portal = self.portal
        account = portal.tables.account
        with writing(portal.engine) as connection:
            connection.execute(sa.update(account).where(account.c["email"] == email).values(values))

    # -- putting it back --------------------------------------------------------------------------------------------

    def rows(self) -> Rows:
        """The whole content of the database."""
        return rows_of(self.portal)

    def put_back(self, rows: Rows) -> None:
        """Makes the database hold `rows` again, and the clock show the first moment."""
        self.clock.now = NOW
        put_back(self.portal, rows)
        for browser in self.browsers.values():
            for cookie in [each for each in browser.cookiejar if "session" not in each.name]:
                browser.cookiejar.clear(cookie.domain, cookie.path, cookie.name)


@contextlib.contextmanager
def opened_world(
    folder: str | Path, request: pytest.FixtureRequest, people: Iterable[AccessRequest] = PEOPLE
) -> Iterator[World]:
    """The portal of a folder, or of a name in tests/portals, on the kind of database that the parameter names."""
    files = request.getfixturevalue("tmp_path_factory").mktemp("files")
    with empty_database(request) as url:
        world = World.of(folder, url, people, files=str(files))
        yield world
        world.portal.engine.dispose()


@contextlib.contextmanager
def written_world(
    request: pytest.FixtureRequest, modules: str, people: Iterable[AccessRequest] = PEOPLE, **profiles: str
) -> Iterator[World]:
    """The same of the portal that these texts declare (see write_portal)."""
    folder = write_portal(request.getfixturevalue("tmp_path_factory").mktemp("portal"), modules, **profiles)
    with opened_world(folder, request, people) as world:
        yield world


def rows_of(portal: Any) -> Rows:
    """The whole content of the database."""
    with reading(portal.engine) as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in sa.schema.sort_tables(portal.tables.by_name.values())
        }


def put_back(portal: Any, rows: Rows) -> None:
    """Makes the database hold `rows` again."""
    tables = sa.schema.sort_tables(portal.tables.by_name.values())
    with writing(portal.engine) as connection:
        quoted = {table.name: connection.dialect.identifier_preparer.format_table(table) for table in reversed(tables)}
        # Most tables are empty: to ask which takes a fraction of the time of deleting nothing from each.
        some = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {table})" for name, table in quoted.items())  # noqa: S608
        filled = set(connection.exec_driver_sql(" UNION ALL ".join(some)).scalars())
        for name, table in quoted.items():
            if name in filled:
                connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
        for table in tables:
            if rows[table.name]:
                connection.execute(sa.insert(table), rows[table.name])


def reset_ids(portal: Any) -> None:
    """The next row of each table gets the id after the largest that is there, as in a new database."""
    with writing(portal.engine) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DELETE FROM sqlite_sequence")
            return
        for table in portal.tables.by_name.values():
            if "id" in table.c:
                largest = sa.select(sa.func.coalesce(sa.func.max(table.c["id"]), 0) + 1).scalar_subquery()
                numbers = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
                connection.execute(sa.select(sa.func.setval(numbers, largest, False)))


def linked(module: str, *ids: int) -> tuple[Linked, ...]:
    """The value of a `links` field."""
    return tuple(Linked(identity, module) for identity in ids)


def titles(page: TestResponse) -> list[str]:
    """The titles of the rows of a list, in order."""
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = re.findall(r'<a class="cover"[^>]*>(.*?)(?:<span|</a>)', body, re.DOTALL)
    return [unescape(re.sub("</?mark>", "", text)).strip() for text in found]


def way(page: TestResponse, relation: str) -> str:
    """The address of the next or the previous page; empty where there is none."""
    found = next((tag for tag in re.findall(r"<a [^>]*>", page.text) if f'rel="{relation}"' in tag), "")
    address = re.search(r'href="([^"]*)"', found)
    return address[1].replace("&amp;", "&") if address else ""


def _token(page: TestResponse) -> str:
    return re.search(r'name="_csrf"[^>]*value="([^"]+)"', page.text)[1]

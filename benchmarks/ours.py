"""The portal's own pages on one database, as three people see them; beside them the same SQL without the portal.

Run by itself in a process of its own, so that memory is the portal's: `python -m benchmarks.ours URL SECONDS` prints
JSON.
"""

import datetime
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa

from benchmarks.filling import AGENT, FEW_PERSON, MANY_PERSON, PORTAL
from benchmarks.measuring import measure, memory, wsgi_call
from benchmarks.words import COMMON, HALF_COMMON, NOWHERE, RARE
from portal.accounts.sessions import open_session
from portal.application import make_server_application
from portal.database.engine import make_engine, reading, writing
from portal.settings import ProcessSettings

PEOPLE: Mapping[str, tuple[int | None, str]] = {
    "few": (FEW_PERSON, "customer"),
    "many": (MANY_PERSON, "manager"),
    "staff": (AGENT, "staff"),
}
DEEP = 1_000  # pages
NEXT = re.compile(r'href="([^"]*[?&;]after=[^"]*)"[^>]*rel="next"')
TOKEN = re.compile(r'name="_csrf" value="([^"]+)"')


class Portal:
    """The application on one database, and the cookies of the people who use it."""

    def __init__(self, url: str, folder: Path = PORTAL, people: Mapping[str, tuple[int | None, str]] = PEOPLE) -> None:
        """`people`: by a name for each, who signs in: the person's id, the profile."""
        self.url = url
        self.application = make_server_application(ProcessSettings(folder=folder, database=url))
        live = self.application.registry.live.current()
        self.tables, self.engine = live.tables, live.engine
        self.cookies = {name: self._sign_in(*who) for name, who in people.items()}

    def get(self, who: str, path: str) -> bytes:
        return wsgi_call(self.application, path, self.cookies[who])

    def post(self, who: str, path: str, fields: dict[str, str]) -> bytes:
        return wsgi_call(self.application, path, self.cookies[who], urlencode(fields).encode())

    def token(self, who: str, path: str = "/tickets/create") -> str:
        return TOKEN.findall(self.get(who, path).decode())[0]

    def _sign_in(self, person: int | None, profile: str) -> str:
        now, account = datetime.datetime.now(datetime.UTC), self.tables.account
        email = f"{profile}@example.com"
        row: dict[str, Any] = {"email": email, "name": profile.title(), "profile": profile, "person": person}
        row |= {"must_change": False, "disabled": False, "created": now}
        with writing(self.engine) as connection:
            found = sa.select(account.c["id"]).where(account.c["email"] == email)
            if connection.scalar(found) is None:
                connection.execute(sa.insert(account).values(row))
            token = open_session(connection, self.tables, connection.scalars(found).one(), now, 30)
        return f"portal_session={token}"


def pages(portal: Portal, who: str) -> dict[str, list[str]]:
    """What is asked for, by the name of the measurement."""
    list_path = "/tickets/"
    first = portal.get(who, list_path).decode()
    ids = re.findall(r'href="(/tickets/\d+/)"', first)
    rest = {} if who == "few" else {"deep page": [_deep(portal, who)]}
    return {
        "list": [list_path],
        "tab": ["/tickets/?tab=open"],
        "search, rare word": [f"/tickets/?q={RARE}"],
        "search, common word": [f"/tickets/?q={COMMON}"],
        "search, several words": [f"/tickets/?q={COMMON}+{HALF_COMMON[:4]}", f"/tickets/?q={HALF_COMMON}+baba"],
        "search, no hit": [f"/tickets/?q={NOWHERE}", f"/tickets/?q={COMMON}+{NOWHERE}"],
        "filter": ["/tickets/?urgency=high", "/tickets/?status=waiting"],
        "filter, text": [f"/tickets/?title={HALF_COMMON}"],
        "sort": ["/tickets/?sort=due", "/tickets/?sort=-urgency", "/tickets/?sort=title", "/tickets/?sort=assignee"],
        "detail": ids[:20],
        "home": ["/"],
        "create form": ["/tickets/create"],
        **rest,
    }


def _deep(portal: Portal, who: str) -> str:
    """The address of page 1,000 of the list (of the last one where there are fewer)."""
    path = "/tickets/"
    for _page in range(DEEP):
        found = NEXT.search(portal.get(who, path).decode())
        if not found:
            return path
        path = found[1].replace("&amp;", "&")
    return path


def creations(portal: Portal, who: str) -> Callable[[], int]:
    """Makes a ticket at every call, as the form does."""
    token = portal.token(who)
    fields = {"title": "Printer does not print", "description": "It only blinks.", "impact": "person",
              "urgency": "normal", "category": "printing", "_csrf": token}  # fmt: skip
    return lambda: len(portal.post(who, "/tickets/create", fields))


def statements(portal: Portal, who: str, path: str) -> list[tuple[str, Any]]:
    """The SQL of a page, as the driver gets it."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *others: Any) -> None:
        found.append((statement, parameters))

    sa.event.listen(portal.engine, "before_cursor_execute", note)
    try:
        portal.get(who, path)
    finally:
        sa.event.remove(portal.engine, "before_cursor_execute", note)
    return found


def bare_sql(portal: Portal, who: str, path: str, seconds: float) -> dict[str, float]:
    """What the statements of a page take without the portal, on a cursor of the driver."""
    found = statements(portal, who, path)
    with reading(make_engine(portal.url)) as connection:
        execute = bare_executor(connection)

        def run() -> int:
            for statement, parameters in found:
                execute(statement, parameters)
            return len(found)

        return measure([run], seconds).as_row()


def bare_executor(connection: sa.Connection) -> Callable[[str, Any], None]:
    """What executes a statement of `statements` on a cursor of the driver, and fetches its rows."""
    driver: Any = connection.connection.driver_connection
    by_name = driver.cursor()
    is_postgresql = connection.dialect.name == "postgresql"
    by_number = connection.dialect.loaded_dbapi.RawCursor(driver) if is_postgresql else by_name

    def execute(statement: str, parameters: Any) -> None:
        cursor = by_number if isinstance(parameters, tuple) else by_name
        cursor.execute(statement, parameters)
        if cursor.description:
            cursor.fetchall()

    return execute


def measurements(portal: Portal, seconds: float) -> Iterator[tuple[str, dict[str, float]]]:
    """Every page of every person, and the bare SQL of some."""
    for who in PEOPLE:
        for name, paths in pages(portal, who).items():
            yield f"{who}: {name}", measure([_getter(portal, who, path) for path in paths], seconds).as_row()
        for name, path in {"list": "/tickets/", "search": f"/tickets/?q={quote(COMMON)}"}.items():
            yield f"{who}: bare SQL, {name}", bare_sql(portal, who, path, seconds / 2)
        yield f"{who}: create", measure([creations(portal, who)], seconds).as_row()


def _getter(portal: Portal, who: str, path: str) -> Callable[[], int]:
    return lambda: len(portal.get(who, path))


if __name__ == "__main__":
    started = Portal(sys.argv[1])
    json.dump({**dict(measurements(started, float(sys.argv[2]))), "memory": memory()}, sys.stdout)

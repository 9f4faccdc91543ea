"""What `portal check` calls valid works: every page of every profile answers, and every button does what it says.

Declarations are random. The suite tries one; PORTAL_EXAMPLES=200 (`make drills`) tries many.
"""

import contextlib
import datetime
import html
import os
import re
import sqlite3
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import webtest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from webtest import TestResponse

from portal.accounts.giving_access import AccessRequest
from portal.declaration.load import load
from portal.jobs.worker import Worker
from tests.functional.wide_portal import EXISTING_ROWS, WidePortal
from tests.functional.world import Browser, World

pytestmark = pytest.mark.sqlite_suffices
EXAMPLES = int(os.environ.get("PORTAL_EXAMPLES", "1"))
MOST_PAGES = 250 if EXAMPLES > 1 else 40  # for each person
OF_A_KIND = 2  # pages and forms whose addresses differ in numbers alone
COMPANIES = {"customer": "Acme", "power": "Globex"}
# What ends the session, or changes who may sign in; what is not ours; what is no page.
LEFT_ALONE = re.compile(r"/(logout|language|static/|account/sign-out|password)|//|/-/preview|.*\.(csv|xlsx)$")
ENTERS_PREVIEW = "/-/view-as"  # after which nothing can be changed
OF_A_RECORD = re.compile(r"/\w+/\d+/")
ANSWERS = (200, 303, 409, 422)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 1,
    database=None,
    phases=[Phase.generate],  # a smaller number makes no smaller portal
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(1, 1_000_000))
def test_every_page_answers_and_no_button_is_dead(seed: int) -> None:
    assert dead_ends(seed) == []


def dead_ends(seed: int) -> list[str]:
    """What fails in the portal with this number."""
    portal = WidePortal(seed)
    with tempfile.TemporaryDirectory() as folder:
        declared = portal.write(Path(folder, "portal"))
        assume(load(declared).errors == [])
        people = [AccessRequest(f"{name}@x.example", name, name, COMPANIES.get(name)) for name in portal.profiles]
        with contextlib.closing(sqlite3.connect(f"{folder}/portal.sqlite")) as connection:
            connection.executescript(EXISTING_ROWS)
        world = World.of(str(declared), f"sqlite:///{folder}/portal.sqlite", people)
        tables, engine = world.portal.tables, world.portal.engine
        worker = Worker(engine, lambda: tables, world.clock, lambda _tables: "http://localhost", None)
        found = []
        try:
            for name in portal.profiles:
                found += [f"seed {seed}, {name}: {what}" for what in Visit(world, name).walk(portal)]
                world.clock.now += datetime.timedelta(days=4)
                worker.turn()
        finally:
            engine.dispose()
        return found


class Visit:
    """A person with a profile who opens everything offered and presses every button."""

    def __init__(self, world: World, profile: str) -> None:
        self.browser = world[f"{profile}@x.example"]
        self.profile = world.portal.declaration.profiles[profile]
        self.seen: Counter[str] = Counter()

    def walk(self, portal: WidePortal) -> Iterator[str]:
        """Walks from the home page on; returns what fails."""
        for module, access in self.profile.modules.items():
            if "create" in access.can:
                yield from fill_in(self.browser, portal, module)
        links, opened = deque([("/", "/"), ("/", "/search?q=a")]), 0
        while links and opened < MOST_PAGES:
            origin, address = links.popleft()
            if LEFT_ALONE.match(address) or not self._is_new(kind_of(address)):
                continue
            page, opened = self.see(address), opened + 1
            if page.status_int != 200 and address in links_of(self.see(origin)):
                yield f"{address}, offered on {origin}, answers {page.status_int}"
            elif page.content_type == "text/html":
                for link in links_of(page):  # pages of records first: they offer most
                    (links.appendleft if OF_A_RECORD.match(link) else links.append)((address, link))
                yield from self._press(page, address, portal)

    def see(self, address: str) -> TestResponse:
        """The page to which an address leads."""
        page = self.browser.see(address)
        while page.status_int in (301, 302, 303):
            page = self.browser.see(page.headers["Location"].removeprefix("http://localhost"))
        return page

    def _is_new(self, kind: str) -> bool:
        self.seen[kind] += 1
        return self.seen[kind] <= OF_A_KIND

    def _press(self, page: TestResponse, address: str, portal: WidePortal) -> Iterator[str]:
        """Presses every button of every form, with the form's content, and something in empty inputs."""
        for form, button in buttons_of(page):
            action = form.action or address
            kind = f"POST {kind_of(action)} {'='.join(button)}"
            if LEFT_ALONE.match(action) or action.startswith(ENTERS_PREVIEW) or not self._is_new(kind):
                continue
            module = address.split("/")[1].partition("?")[0]
            texts = [
                (name, value or something(portal, module, name))
                for name, value in form.submit_fields()
                if isinstance(value, str) and name
            ]
            answer = self.browser.post(action, [*texts, button] if button[0] else texts, status="*")
            if answer.status_int in ANSWERS:
                continue
            if answer.status_int >= 500 or any(
                other.action == form.action for other, _ in buttons_of(self.see(address))
            ):
                words = " ".join(re.sub("<[^>]*>", " ", answer.text).split())
                yield f"{kind}, offered on {address}, answers {answer.status_int}: {words[-200:]}"


def something(portal: WidePortal, module: str, name: str) -> str:
    """A possible text for an empty input."""
    if name in ("text", "comment"):
        return "A word"
    fields = portal.modules.get(module, {"fields": {}})["fields"]
    return dict(portal.typed(module, name)).get(name, "") if name in fields else ""


def links_of(page: TestResponse) -> list[str]:
    """The portal's own addresses on a page."""
    return [html.unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', page.text)]


def buttons_of(page: TestResponse) -> list[tuple[webtest.Form, tuple[str, str]]]:
    """The forms that write, each with the name and value of its buttons; empty ones where a button has no name."""
    found = []
    for form in page.forms.values() if page.content_type == "text/html" else ():
        every = [field for fields in form.fields.values() for field in fields]
        buttons = [field for field in every if isinstance(field, webtest.forms.Submit) and sends(field.attrs)]
        pairs = {(str(button.name), button._value or "") if button.name else ("", "") for button in buttons}
        found += [(form, pair) for pair in sorted(pairs or {("", "")}) if form.method.upper() == "POST"]
    return found


def sends(attributes: Mapping[str, str]) -> bool:
    """Whether a button sends the form in which it stands."""
    return attributes.get("type", "submit") == "submit" and "form" not in attributes


def fill_in(browser: Browser, portal: WidePortal, module: str) -> Iterator[str]:
    """Fills in the form of a record."""
    form: list[tuple[str, str]] = []
    for name in portal.modules[module]["fields"]:
        offered = browser.see(f"/{module}/find?field={name}&q=")
        if offered.status_int == 200:
            form += [(name, str(found["id"])) for found in offered.json[-1:]]
        else:
            form += portal.typed(module, name)
    answer = browser.send(f"/{module}/create", form)
    if answer.status_int not in (303, 422):
        yield f"/{module}/create answers {answer.status_int}"


def kind_of(address: str) -> str:
    """The address without what differs from record to record and from page to page."""
    path, _mark, query = address.partition("?")
    names = sorted(pair.partition("=")[0] for pair in query.split("&"))
    return re.sub(r"\d+|=[\w-]{16,}", "N", path) + "?" + "&".join(names)

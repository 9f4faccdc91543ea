"""Previewing declarations that are not in force, with the real data: nothing is written, nothing fails."""

import re
import shutil

import pytest
from webtest import TestApp

from portal.application import make_application
from portal.database.engine import writing
from portal.database.errors import DatabaseError
from portal.settings import ProcessSettings
from portal.web.preview_portal import Previewing
from tests.functional.conftest import CHEAP, fill_in
from tests.functional.test_viewing import rows
from tests.portal_files import change

# ruff: noqa: E501 - one change a line
KEY = "key-of-the-address"
ANNA, NANCY = "anna@acme.example", "nancy@supplier.example"


@pytest.fixture
def ticket(app, sign_in):
    """A ticket by Anna, with a comment."""
    anna = sign_in(ANNA)
    fill_in(anna, "/tickets/create", {"title": "Printer", "urgency": "high"})
    fill_in(anna, "/tickets/1/", {"text": "It prints stripes."}, action="/tickets/1/comments")
    return app


@pytest.fixture
def preview(ticket, database, portal_folder, tmp_path):
    """A function that opens a changed copy of the folder as someone, in a browser that has the key."""
    opened = []

    def open_preview(*changes, email=NANCY):
        folder = shutil.copytree(portal_folder, tmp_path / f"changed{len(opened)}")
        for file, old, new in changes:
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new))
        settings = ProcessSettings(folder=portal_folder, database=database, reload_every=0, development=True, **CHEAP)
        application = make_application(settings, previewing=Previewing("changed", folder, KEY, email))
        opened.append(application)
        browser = TestApp(application)
        browser.get(f"/-/preview?key={KEY}", status=303)
        return browser

    yield open_preview
    for application in opened:
        application.registry.live.current().engine.dispose()
        application.registry.live.engine.dispose()


def links(page):
    """The addresses of this portal that a page links to."""
    return {
        link.partition("#")[0]
        for link in re.findall(r'href="(/[^"]*)"', page.text)
        if "static" not in link and "sort=" not in link
    }


def walk(browser):
    """Every page that can be reached, whatever its parameters, with its status and whether it has the banner."""
    seen, waiting = {}, ["/"]
    while waiting:
        address = waiting.pop().replace("&amp;", "&")
        path = address.partition("?")[0]
        if path in seen:
            continue
        page = browser.get(address, status="*")
        is_page = page.content_type == "text/html" and page.status_int == 200
        seen[path] = page.status_int, not is_page or "which is not in force" in page
        if is_page:
            waiting += links(page)
    return seen


CHANGED = (
    ("modules.yaml", "      cost: money\n", "      price: {type: money, formerly: cost}\n      rank: integer\n"),
    ("modules.yaml", "title: {type: text, required: true, max_length: 120", "subject: {type: text, formerly: title"),
    ("modules.yaml", "[reference, title, status,", "[reference, subject, rank, price, status,"),
    ("modules.yaml", "stopped_since: {type: date, show", "stopped_since: {type: text, show"),
    ("modules.yaml", "      body: markdown\n", "      body: markdown\n      orders: {type: links, to: tickets}\n"),
    ("modules.yaml", "{low: Low, normal: Normal, high: {label: High,", "{low: Low, normal: Normal, top: {label: Top, formerly: high,"),
    ("modules.yaml", "{urgency: high}", "{urgency: top}"),
    ("modules.yaml", "  people:\n    singular", "  parts:\n    see: all\n    fields: {name: text, ticket: {type: link, to: tickets}}\n\n  people:\n    singular"),
    ("profiles/customer.yaml", "[title, description", "[subject, description"),
    ("profiles/staff.yaml", "modules:\n", "modules:\n  parts: {can: [create, edit]}\n"),
    ("buttons.yaml", "{urgency: high}", "{urgency: top}"),
)  # fmt: skip


def test_every_page_shows_what_is_not_in_force_over_the_real_data(preview):
    browser = preview(*CHANGED)
    page = browser.get("/tickets/")
    assert [text in page for text in ("Printer", "Price", "Rank", "Top")] == [True] * 4
    assert "It prints stripes." in browser.get("/tickets/1/")
    assert "Preview of changed, which is not in force, as Nancy Smith (Staff)" in page
    seen = walk(browser)
    assert {path for path, (status, _banner) in seen.items() if status >= 500} == set()
    assert {path for path, (_status, banner) in seen.items() if not banner} == set()
    assert {"/parts/", "/tickets/1/edit", "/-/problems", "/people/"} <= set(seen)
    missing = browser.get("/-/problems")
    assert "tickets.stopped_since is shown empty" in missing
    assert "add module parts" in missing


def test_nothing_can_be_sent_and_nothing_is_written(preview, ticket):
    before = rows(ticket)
    browser = preview(*CHANGED, email=ANNA)
    answer = fill_in(browser, "/tickets/create", {"subject": "Another"}, status=403)
    assert "This is a preview. Nothing can be changed or sent here." in answer
    of_ticket = (f"/tickets/1/{action}" for action in ("comments", "move/resolve", "seen"))
    for path in (*of_ticket, "/logout", "/login", "/account/letters"):
        assert browser.post(path, {"text": "x"}, status="*").status_int == 403
    for path in ("/tickets/", "/tickets/1/", "/account/", "/search?q=printer"):
        browser.get(path)
    assert rows(ticket) == before
    with pytest.raises(DatabaseError), writing(browser.app.registry.live.current().engine):
        pass


@pytest.mark.sqlite_suffices
def test_only_a_browser_with_the_key_sees_anything(preview, ticket):
    browser = preview()
    stranger = TestApp(browser.app)
    assert stranger.get("/tickets/", status="*").status_int == 303
    assert stranger.get("/-/preview?key=wrong", status="*").status_int == 303
    stranger.set_cookie("portal_preview", "wrong")
    assert stranger.get("/tickets/", status="*").status_int == 303
    assert ticket.get(f"/-/preview?key={KEY}", status="*").status_int == 404


@pytest.mark.sqlite_suffices
def test_it_follows_its_files_and_the_rights_of_whom_one_looks_as(preview, tmp_path):
    browser = preview(email=ANNA)
    assert browser.get("/tickets/1/", status=200)
    change(tmp_path / "changed0", "see: own\n", "see: own\n    where: {urgency: low}\n", "profiles/customer.yaml")
    assert "The “where” condition is not met" in browser.get("/tickets/1/", status=404)

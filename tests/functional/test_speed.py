"""The cost of pages: statements, bytes and requests, not seconds. And what happens when many write at once."""

import datetime
import gzip
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from webob import Request

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import make_engine, writing
from portal.records.indexing.search_entries import rebuild
from portal.records.reading.count_statements import MOST_TESTED
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row
from tests.functional.world import (
    ANNA,
    BRUNO,
    NANCY,
    NOW,
    PEOPLE_MODULES,
    Browser,
    titles,
    way,
    written_world,
)

STATES = ("new", "waiting", "answered", "resolved", "closed", None)


def add_requests(world, count, ancient=0):
    """Adds this many requests of Acme and Globex, with gaps in sort values; the oldest are named “Ancient”."""
    people = [world.the("people", name) for name in ("Anna Rossi", "Bruno Verdi", "Carla Neri")]
    companies = [world.the("companies", name) for name in ("Acme", "Acme", "Globex")]
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "requests")
        rows = []
        for number in range(1, count + 1):
            values = {
                "name": f"Item {number * 7919 % 500}" if number <= count - ancient else "Ancient",
                "body": "paper jam" if number % 3 else "toner empty",
                "caller": people[number % 3] if number % 11 else None,
                "company": companies[number % 3],
                "status": STATES[number % 6],
                "created": NOW - datetime.timedelta(minutes=number // 2),
            }
            rows.append(new_row(records, values, number, SYSTEM))
        connection.execute(sa.insert(records.table), rows)
        connection.execute(sa.insert(world.portal.tables.sequence).values(module="requests", last=count))
        rebuild(connection, world.portal.tables, ["requests"])


def statements_of(world, browser, address):
    """How many statements a page takes, without those of threads in the background."""
    found, page_thread = [], threading.get_ident()

    def note(connection, cursor, statement, *others):
        if threading.get_ident() == page_thread:
            found.append(statement)

    sa.event.listen(world.portal.engine, "before_cursor_execute", note)
    try:
        browser.get(address)
    finally:
        sa.event.remove(world.portal.engine, "before_cursor_execute", note)
    return len([statement for statement in found if not statement.startswith(("SET", "BEGIN"))])


# The maximum number of statements of a page, for any reader: each is a round trip to PostgreSQL.
RECORD = "/requests/ID/"
PAGES = {
    "/": 12,  # with five panels; a list and notices count before they read
    "/requests/": 7,
    "/requests/?tab=all&sort=status": 7,
    "/requests/?name=item": 7,
    "/requests/create": 7,
    RECORD: 10,
    "/requests/?q=paper": 24,  # a search reads older stretches of its index until it has a page
}


def statements_of_pages(world, browser):
    """How many statements each of PAGES takes."""
    record = browser.get("/requests/").html.find("a", class_="cover")["href"]
    return {page: statements_of(world, browser, record if page == RECORD else page) for page in PAGES}


@pytest.mark.parametrize("email", [ANNA, BRUNO, NANCY])
def test_a_page_takes_as_many_statements_however_many_records_there_are(world, email):
    add_requests(world, 120)
    before = statements_of_pages(world, world[email])
    with writing(world.portal.engine) as connection:
        connection.execute(sa.delete(world.portal.tables.module("requests")))
        connection.execute(sa.delete(world.portal.tables.sequence))
    add_requests(world, 400)
    after = statements_of_pages(world, world[email])
    for address, most in PAGES.items():
        # Hits that fit on one page are not counted: that and one look farther into the index, no more.
        assert after[address] <= before[address] + (6 if "q=" in address else 0), address
        assert after[address] <= most, address


CONDITIONAL = """
  MODULE:
    see: all
    fields: {title: text, weight: integer, note: text, color: text}
    detail: {sections: [SECTIONS]}
"""


def test_all_conditions_of_sections_are_asked_together(request):
    sections = [f"{{title: {name}, fields: [{name}], show_when: {{weight: {{over: {least}}}}}}}"
                for name, least in (("note", 1), ("color", 2), ("weight", 9))]  # fmt: skip
    modules = PEOPLE_MODULES.replace("fields: {name: text}}", "see: all, fields: {name: text}}")
    modules += CONDITIONAL.replace("MODULE", "one").replace("SECTIONS", sections[0])
    modules += CONDITIONAL.replace("MODULE", "three").replace("SECTIONS", ", ".join(sections))
    staff = "{staff: true, modules: {one: {}, three: {}, people: {see: all}, companies: {}}}"
    with written_world(request, modules, [AccessRequest(NANCY, "staff", "Nancy Smith")], staff=staff) as world:
        values = {"title": "T", "weight": 5, "note": "N", "color": "C"}
        addresses = [f"/{module}/{world.add(module, **values)}/" for module in ("one", "three")]
        assert len({statements_of(world, world[NANCY], address) for address in addresses}) == 1
        titles_of_sections = [h2.get_text(strip=True) for h2 in world[NANCY].get(addresses[1]).html.find_all("h2")]
        assert [title for title in titles_of_sections if title in ("note", "color", "weight")] == ["note", "color"]


def test_a_page_does_not_say_that_there_are_fewer_records_than_it_shows(world):
    add_requests(world, MOST_TESTED + 30, ancient=30)
    text = world[NANCY].get("/requests/?tab=all&name=ancient").html.get_text(" ", strip=True)
    assert "1–25 of 25+" in text


def test_what_was_searched_for_is_marked(world):
    add_requests(world, 3)
    rows = world[NANCY].get("/requests/?tab=all&q=item").html.find("tbody").find_all("mark")
    assert {mark.text for mark in rows} == {"Item"}
    assert titles(world[NANCY].get("/requests/?tab=all&q=item"))


def test_the_field_is_named_where_what_was_searched_for_is_not_on_the_page(world):
    add_requests(world, 3)
    page = world[NANCY].get("/requests/?tab=all&q=toner")
    assert "found in " in page.html.find("a", class_="cover").text
    assert not page.html.find("mark")


@pytest.mark.parametrize("typed", ["<b>", "&amp;", '"><script>', "item<script>alert(1)</script>"])
def test_marking_does_not_let_markup_in(world, typed):
    world.add("requests", name=f"item {typed}", body="x")
    page = world[NANCY].get(f"/requests/?tab=all&q=item {quote(typed)}")
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text


def sent(browser, address):
    """The answer as sent over the wire: WebTest would decompress it."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookiejar)
    headers = {"Accept-Encoding": "gzip", "Cookie": cookies}
    return Request.blank(address, headers=headers).get_response(browser.app)


def test_a_list_weighs_forty_kilobytes_at_first_and_fifteen_afterwards(world):
    add_requests(world, 60)
    page = sent(world[NANCY], "/requests/")
    assert (page.status_code, page.headers["Content-Encoding"]) == (200, "gzip")
    assert "Accept-Encoding" in page.headers["Vary"]
    text = gzip.decompress(page.body).decode()
    parts = {found.partition("#")[0] for found in re.findall(r'(?:href|src)="(/static/[^"]+)"', text)}
    answers = [sent(world[NANCY], address) for address in parts]
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    assert len(page.body) <= 15_000
    assert len(parts) + 1 <= 5
    assert len(page.body) + sum(len(answer.body) for answer in answers) <= 40_000


def test_a_compressed_page_is_the_page(world):
    plain = world[NANCY].get("/requests/").text
    packed = gzip.decompress(sent(world[NANCY], "/requests/").body).decode()
    token = re.compile(r'value="[0-9a-f]{128}"')
    assert token.sub("", packed) == token.sub("", plain)


def test_the_token_of_forms_is_written_differently_in_every_page(world):
    tokens = {re.search(r'name="_csrf"[^>]*value="([^"]+)"', world[ANNA].get("/").text)[1] for _time in range(3)}
    assert len(tokens) == 3
    assert all(world[ANNA].post("/language", {"_csrf": each, "language": "en"}, status=303) for each in tokens)


def test_eight_people_writing_at_once_lose_nothing_and_are_not_turned_away(world):
    """On SQLite writers take turns, on PostgreSQL they do not conflict; nobody sees an error about locks."""
    browsers = [world.signed_in(ANNA) for _person in range(8)]
    begin = threading.Barrier(8)

    def write(person: int, browser: Browser) -> list[str]:
        begin.wait()
        found = []
        for number in range(5):
            form = {"name": f"P{person} N{number}", "body": "x", "service": str(service.id)}
            found.append(browser.send("/requests/create", form).status)
        return found

    acme = world.the("companies", "Acme")
    from_services = world.add("services", name="Printing", customers=(acme,))
    service = world.the("services", "Printing")
    assert service.id == from_services
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8), browsers))
    assert {status for found in answers for status in found} == {"303 See Other"}
    names = {record.values["name"] for record in world.all("requests")}
    assert names >= {f"P{person} N{number}" for person in range(8) for number in range(5)}
    assert way(world[ANNA].get("/requests/"), "next")


def test_looking_at_pages_writes_nothing_until_half_of_the_sessions_time_is_over(world):
    before = world.rows()
    for hours in (0, 5):
        world.clock.now = NOW + datetime.timedelta(hours=hours)
        for address in ("/", "/requests/", "/requests/?q=paper", "/requests/create", "/search?q=paper"):
            world[ANNA].get(address)
        assert world.rows() == before
    world.clock.now = NOW + datetime.timedelta(hours=7)
    world[ANNA].get("/")
    assert [name for name, rows in world.rows().items() if rows != before[name]] == ["portal_session"]


def test_nobody_loses_a_page_when_the_database_ends_all_connections(world):
    add_requests(world, 30)
    world[ANNA].get("/requests/")
    if world.portal.engine.dialect.name == "postgresql":
        beside = make_engine(world.portal.engine.url.render_as_string(hide_password=False))
        with writing(beside) as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(sa.text(f"{others} AND datname = current_database()"))
        beside.dispose()
    for address in ("/requests/", "/requests/?q=paper", "/"):
        assert world[ANNA].get(address).status_code == 200

"""What pages cost: statements, bytes and requests, not seconds. And what happens when many write at once."""

import datetime
import gzip
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from webob import Request

from portal.conditions import ALWAYS, parse
from portal.database.engine import make_engine, reading, writing
from portal.records.indexing.search_entries import rebuild
from portal.records.policy import Policy
from portal.records.reading import count_statements
from portal.records.reading.count_statements import MOST_TESTED, Count
from portal.records.reading.ordered_pages import FEW_ROWS
from portal.records.reading.records import Query, Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row
from tests.functional.world import ANNA, BRUNO, NANCY, NOW, Browser, titles, way

STATES = ("new", "waiting", "answered", "resolved", "closed", None)
MANY = FEW_ROWS + 400  # so many that lists are read along an index


def add_requests(world, count, ancient=0):
    """So many requests of Acme and Globex, with gaps in what they are sorted by; the oldest are named “Ancient”."""
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
    """How many statements a page takes."""
    found = []

    def note(connection, cursor, statement, *others):
        found.append(statement)

    sa.event.listen(world.portal.engine, "before_cursor_execute", note)
    try:
        browser.get(address)
    finally:
        sa.event.remove(world.portal.engine, "before_cursor_execute", note)
    return len([statement for statement in found if not statement.startswith(("SET", "BEGIN"))])


# The most statements of a page, whoever reads it: each further one is a message to PostgreSQL and back.
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


SORTS = ["-modified", "name", "-name", "status", "-status", "caller", "-caller", "comments", "reference"]
OPEN, NEW = parse({"status": {"not": ["resolved", "closed"]}}), parse({"status": "new"})
CONDITIONS = {"all": ALWAYS, "open": OPEN, "one": NEW}


@pytest.fixture
def crowded(world):
    add_requests(world, MANY)
    return world


def records_of(world, connection, email):
    account = world.portal.tables.account
    row = connection.execute(sa.select(account).where(account.c["email"] == email)).mappings().one()
    companies = {ANNA: ("Acme",), BRUNO: ("Acme",), NANCY: ("Supplier",)}[email]
    reader = world.portal.declaration.reader(
        person=row["person"], companies=tuple(world.the("companies", name).id for name in companies), now=NOW
    )
    declaration = world.portal.declaration
    policy = Policy(world.portal.tables, declaration.profiles[row["profile"]], reader)
    return Records(connection, policy, "requests")


def forwards_and_back(records, query):
    """The ids of all pages, read to the end and back to the beginning."""
    there, back, page = [], [], records.page(query, [])
    there += [row.id for row in page.records]
    while page.next:
        page = records.page(replace(query, after=page.next), [])
        there += [row.id for row in page.records]
    last = [row.id for row in page.records]
    while page.previous:
        page = records.page(replace(query, before=page.previous), [])
        back = [row.id for row in page.records] + back
    return there, [*back, *last]


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_every_order_shows_every_record_once_forwards_and_back(crowded, email):
    with reading(crowded.portal.engine) as connection:
        for name, condition in CONDITIONS.items():
            for sort in SORTS:
                records = records_of(crowded, connection, email)
                query = Query(condition=condition, sort=(sort,), size=170)
                there, back = forwards_and_back(records, query)
                whole = records.page(Query(condition=condition, sort=(sort,), size=10_000), [])
                assert there == back == [row.id for row in whole.records], (name, sort)
                assert len(set(there)) == len(there)


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_records_of_people_with_one_name_are_sorted_together_in_every_page(crowded, email):
    people, requests = (crowded.portal.tables.module(name) for name in ("people", "requests"))
    with writing(crowded.portal.engine) as connection:
        anna, bruno = (crowded.the("people", name).id for name in ("Anna Rossi", "Bruno Verdi"))
        namesakes = sa.update(people).where(people.c["id"].in_([anna, bruno]))
        connection.execute(namesakes.values(name="Bruno Verdi", _name_folded="bruno verdi"))
        callers = dict(connection.execute(sa.select(requests.c["id"], requests.c["caller"])).all())
    rank = {anna: 0, bruno: 0, None: 2}
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, email)
        for condition in (ALWAYS, OPEN):
            there, back = forwards_and_back(records, Query(condition=condition, sort=("caller",), size=170))
            assert there == back == sorted(there, key=lambda one: (rank.get(callers[one], 1), one))
            assert {anna, bruno} <= {callers[one] for one in there}


def test_empty_values_come_last_in_both_directions_and_options_in_their_order(crowded):
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, NANCY)
        for sort, order in (("status", STATES), ("-status", (*STATES[:-1][::-1], None))):
            rows = records.page(Query(sort=(sort,), size=5_000), ["status"]).records
            found = list(dict.fromkeys(row.values["status"] for row in rows))
            assert found == [state for state in order if state in found]


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_records_of_an_option_that_is_gone_come_behind_all_options_and_before_the_empty_ones(crowded, email):
    requests = crowded.portal.tables.module("requests")
    with writing(crowded.portal.engine) as connection:
        for gone, number in (("aardvark", 30), ("resolves", 40), ("zebra", 10)):
            few = sa.select(requests.c["id"]).order_by(requests.c["id"]).limit(number).offset(number)
            connection.execute(sa.update(requests).where(requests.c["id"].in_(few)).values(status=gone))
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, email)
        for sort, rank in (("status", [*STATES[:-1], "gone", None]), ("-status", ["gone", *STATES[:-1][::-1], None])):
            there, back = forwards_and_back(records, Query(sort=(sort,), size=170))
            rows = connection.execute(sa.select(requests.c["id"], requests.c["status"])).all()
            states = {row.id: row.status if row.status in STATES else "gone" for row in rows}
            assert there == back
            assert len(set(there)) == len(there) > 900
            ranks = [rank.index(states[identity]) for identity in there]
            assert ranks == sorted(ranks)
            assert rank.index("gone") in ranks


def test_counts_are_exact_as_far_as_they_go_and_say_when_there_are_more(crowded):
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, NANCY)
        every, new = records.counts([Query(), Query(condition=NEW)])
        assert (every.number, every.more) == (1_000, True)
        assert (new.number, new.more) == (sum(number % 6 == 0 for number in range(1, MANY + 1)), False)


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_a_filter_is_counted_among_all_rows_of_a_small_tab_and_among_the_newest_of_a_large_one(
    crowded, email, monkeypatch
):
    monkeypatch.setattr(count_statements, "MOST_TESTED", 300)
    typed = {"name": {"contains": "item 3"}}
    conditions = [typed, {**typed, "status": "new"}, {**typed, "status": {"not": ["new", "closed"]}}]
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, email)
        counts = records.counts([Query(condition=parse(condition)) for condition in conditions])
        rows = records.page(Query(sort=("-modified",), size=10_000), ["name", "status"]).records
    found = [(row.values["status"], place) for place, row in enumerate(rows) if row.values["name"][:6] == "Item 3"]
    newest = [state for state, place in found if place < 300]
    assert counts == [
        Count(len(newest), more=True),
        Count(sum(state == "new" for state, _place in found)),
        Count(sum(state not in ("new", "closed") for state in newest), more=True),
    ]


def test_a_list_that_ends_on_its_first_page_is_counted_by_it(crowded, monkeypatch):
    monkeypatch.setattr(count_statements, "MOST_TESTED", 300)
    query = Query(condition=parse({"name": {"contains": "nothing like this"}}))
    with reading(crowded.portal.engine) as connection:
        records = records_of(crowded, connection, NANCY)
        assert not records.page(query).records
        assert records.count(query) == Count(0)


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
    """The answer as it goes over the line: WebTest would unpack it."""
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
    """On SQLite writers take turns, on PostgreSQL they do not meet; nobody reads of a lock."""
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

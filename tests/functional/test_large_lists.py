"""Lists with more records than are sorted at once: every order, from both ends, and their counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.conditions import ALWAYS, parse
from portal.database.engine import reading, writing
from portal.records.policy import Policy
from portal.records.reading import count_statements
from portal.records.reading.count_statements import Count
from portal.records.reading.ordered_pages import FEW_ROWS
from portal.records.reading.records import Query, Records
from tests.functional.test_speed import STATES, add_requests
from tests.functional.world import ANNA, BRUNO, NANCY, NOW, World

MANY = FEW_ROWS + 400  # enough for lists to be read along an index
SORTS = ["-modified", "name", "-name", "status", "-status", "caller", "-caller", "comments", "reference"]
OPEN, NEW = parse({"status": {"not": ["resolved", "closed"]}}), parse({"status": "new"})
CONDITIONS = {"all": ALWAYS, "open": OPEN, "one": NEW}


def fill(world):
    add_requests(world, MANY)


@contextmanager
def taken_back(world: World) -> Iterator[sa.Connection]:
    """A connection whose writes nobody else ever sees."""
    with writing(world.portal.engine) as connection:
        yield connection
        connection.rollback()


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
def test_every_order_shows_every_record_once_forwards_and_back(filled, email):
    with reading(filled.portal.engine) as connection:
        records = records_of(filled, connection, email)
        for name, condition in CONDITIONS.items():
            for sort in SORTS:
                query = Query(condition=condition, sort=(sort,), size=170)
                there, back = forwards_and_back(records, query)
                whole = records.page(Query(condition=condition, sort=(sort,), size=10_000), [])
                assert there == back == [row.id for row in whole.records], (name, sort)
                assert len(set(there)) == len(there)


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_records_of_people_with_one_name_are_sorted_together_in_every_page(filled, email):
    people, requests = (filled.portal.tables.module(name) for name in ("people", "requests"))
    anna, bruno = (filled.the("people", name).id for name in ("Anna Rossi", "Bruno Verdi"))
    with taken_back(filled) as connection:
        namesakes = sa.update(people).where(people.c["id"].in_([anna, bruno]))
        connection.execute(namesakes.values(name="Bruno Verdi", _name_folded="bruno verdi"))
        callers = dict(connection.execute(sa.select(requests.c["id"], requests.c["caller"])).all())
        rank = {anna: 0, bruno: 0, None: 2}
        records = records_of(filled, connection, email)
        for condition in (ALWAYS, OPEN):
            there, back = forwards_and_back(records, Query(condition=condition, sort=("caller",), size=170))
            assert there == back == sorted(there, key=lambda one: (rank.get(callers[one], 1), one))
            assert {anna, bruno} <= {callers[one] for one in there}


def test_empty_values_come_last_in_both_directions_and_options_in_their_order(filled):
    with reading(filled.portal.engine) as connection:
        records = records_of(filled, connection, NANCY)
        for sort, order in (("status", STATES), ("-status", (*STATES[:-1][::-1], None))):
            rows = records.page(Query(sort=(sort,), size=5_000), ["status"]).records
            found = list(dict.fromkeys(row.values["status"] for row in rows))
            assert found == [state for state in order if state in found]


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_records_of_an_option_that_is_gone_come_behind_all_options_and_before_the_empty_ones(filled, email):
    requests = filled.portal.tables.module("requests")
    with taken_back(filled) as connection:
        for gone, number in (("aardvark", 30), ("resolves", 40), ("zebra", 10)):
            few = sa.select(requests.c["id"]).order_by(requests.c["id"]).limit(number).offset(number)
            connection.execute(sa.update(requests).where(requests.c["id"].in_(few)).values(status=gone))
        records = records_of(filled, connection, email)
        for sort, rank in (("status", [*STATES[:-1], "gone", None]), ("-status", ["gone", *STATES[:-1][::-1], None])):
            there, back = forwards_and_back(records, Query(sort=(sort,), size=170))
            rows = connection.execute(sa.select(requests.c["id"], requests.c["status"])).all()
            states = {row.id: row.status if row.status in STATES else "gone" for row in rows}
            assert there == back
            assert len(set(there)) == len(there) > 900
            ranks = [rank.index(states[identity]) for identity in there]
            assert ranks == sorted(ranks)
            assert rank.index("gone") in ranks


def test_counts_are_exact_as_far_as_they_go_and_say_when_there_are_more(filled):
    with reading(filled.portal.engine) as connection:
        records = records_of(filled, connection, NANCY)
        every, new = records.counts([Query(), Query(condition=NEW)])
        assert (every.number, every.more) == (1_000, True)
        assert (new.number, new.more) == (sum(number % 6 == 0 for number in range(1, MANY + 1)), False)


@pytest.mark.parametrize("email", [BRUNO, NANCY])
def test_a_filter_is_counted_among_all_rows_of_a_small_tab_and_among_the_newest_of_a_large_one(
    filled, email, monkeypatch
):
    monkeypatch.setattr(count_statements, "MOST_TESTED", 300)
    typed = {"name": {"contains": "item 3"}}
    conditions = [typed, {**typed, "status": "new"}, {**typed, "status": {"not": ["new", "closed"]}}]
    with reading(filled.portal.engine) as connection:
        records = records_of(filled, connection, email)
        counts = records.counts([Query(condition=parse(condition)) for condition in conditions])
        rows = records.page(Query(sort=("-modified",), size=10_000), ["name", "status"]).records
    found = [(row.values["status"], place) for place, row in enumerate(rows) if row.values["name"][:6] == "Item 3"]
    newest = [state for state, place in found if place < 300]
    assert counts == [
        Count(len(newest), more=True),
        Count(sum(state == "new" for state, _place in found)),
        Count(sum(state not in ("new", "closed") for state in newest), more=True),
    ]


def test_a_list_that_ends_on_its_first_page_is_counted_by_it(filled, monkeypatch):
    monkeypatch.setattr(count_statements, "MOST_TESTED", 300)
    query = Query(condition=parse({"name": {"contains": "nothing like this"}}))
    with reading(filled.portal.engine) as connection:
        records = records_of(filled, connection, NANCY)
        assert not records.page(query).records
        assert records.count(query) == Count(0)

"""The search in thousands of records on both databases: every strategy finds and counts the same."""

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.search import index
from portal.database.search import postgresql as engine_of_search
from portal.database.search.index import (
    Entry,
    count,
    create_search_index,
    filling,
    find,
    finish_search_index,
    is_finished,
    page,
    put_many,
)
from portal.database.search.search_request import Search
from portal.database.search.tokens import organization_token, owner_token
from portal.database.search.words import parse_words
from tests.real_parts import empty_database
from tests.unit.database.search.searching import articles, found, metadata, search, tickets

CONDITIONS = [
    (tickets.c.open, [record for record in range(9000, 0, -1) if record % 3000 == 0]),
    (tickets.c.id < 30, list(range(29, 0, -1))),
    (tickets.c.id < 6000, list(range(5999, 0, -1))),
    (tickets.c.id > 8990, list(range(9000, 8990, -1))),
    (tickets.c.id.in_(sa.select(articles.c.id)), [5, 4]),
    (sa.false(), []),
    (sa.true(), list(range(9000, 0, -1))),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request):
    """9,000 tickets of which every one is about a printer, every third thousandth is open; not changed by its tests."""
    with empty_database(request) as url:
        yield from filled(url)


def filled(url):
    engine = make_engine(url)
    with writing(engine) as connection:
        metadata.create_all(connection)
        create_search_index(connection)
        records = range(1, 9001)
        connection.execute(tickets.insert(), [{"id": record, "open": record % 3000 == 0} for record in records])
        connection.execute(articles.insert(), [{"id": 4}, {"id": 5}])
        with filling(connection):
            put_many(connection, search, map(ticket, records))
    with reading(engine) as connection:
        yield connection
    engine.dispose()


def ticket(record):
    words = ["printer paper jam"] + ["rarely"] * (record % 4000 == 0) + ["sometimes"] * (record % 20 == 0)
    words += ["formerly"] * (record <= 3000)
    return Entry("tickets", record, words, scopes=[organization_token(record % 2), owner_token(record % 1000)])


@pytest.mark.parametrize("typed", ["print", '"paper jam"', ""])
def test_a_condition_on_the_module_holds_for_every_hit(many, typed):
    for condition, expected in CONDITIONS:
        assert found(many, typed, condition=condition) == expected[:25], condition
        number = count(many, Search(search, tickets, parse_words(typed), condition=condition))
        assert min(26, len(expected)) <= number.number <= len(expected), condition
        assert number.more or number.number == len(expected), condition
        before, after = (
            [record for record in expected if record < 5000],
            [record for record in expected if record > 5000],
        )
        assert found(many, typed, 3, condition=condition, before=5000) == before[:3], condition
        assert found(many, typed, 3, condition=condition, after=5000) == after[-3:], condition


@pytest.mark.parametrize("condition", [None, sa.true(), tickets.c.id > 0])
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("rarely", [8000, 4000]),
        ("rarely printer", [8000, 4000]),
        ("sometimes", list(range(9000, 0, -20))),
        ("some printer", list(range(9000, 0, -20))),
        ("never", []),
    ],
)
def test_rare_and_common_words_are_found_alike(many, typed, expected, condition):
    assert found(many, typed, condition=condition) == expected[:25]
    assert found(many, typed, 2000, condition=condition) == expected
    assert found(many, typed, condition=condition, scopes=(organization_token(1),)) == []
    alone = [record for record in expected if record % 1000 == 0]
    assert found(many, typed, condition=condition, scopes=(owner_token(0),)) == alone


@pytest.mark.parametrize("typed", ["formerly", "form print", '"paper jam" formerly'])
def test_words_that_only_old_records_have_are_found_newest_first_and_counted(many, typed):
    asked = Search(search, tickets, parse_words(typed))
    together = find(many, asked, 26, counted=1001)
    assert [hit.record for hit in together.hits] == list(range(3000, 2974, -1))
    assert (together.number >= 1001, together.more) == (True, True)
    assert found(many, typed, 3, before=1500) == [1499, 1498, 1497]
    assert found(many, typed, 3, after=1500) == [1503, 1502, 1501]
    assert found(many, typed, 5000) == list(range(3000, 0, -1))
    assert found(many, typed, scopes=(owner_token(7),)) == [2007, 1007, 7]


def test_a_condition_on_few_of_very_many_matches_is_tested_in_all_of_them(many, monkeypatch):
    monkeypatch.setattr(index, "MAX_SCANNED", 100)
    monkeypatch.setattr(index, "FEW_RECORDS", 10)
    asked = Search(search, tickets, parse_words("printer"), condition=tickets.c.id % 300 == 0)
    result = find(many, asked, 26, counted=1001)
    assert [hit.record for hit in result.hits] == list(range(9000, 1200, -300))
    assert (result.number, result.more) == (30, False)


def test_counts_stop_and_say_so(many):
    all_of_them = count(many, Search(search, tickets, parse_words("printer")))
    assert (all_of_them.number >= 1001, all_of_them.more) == (True, True)
    assert count(many, Search(search, tickets, parse_words("printer")), cap=5).more
    some = count(many, Search(search, tickets, parse_words("sometimes")))
    assert some.number == 450 or (26 <= some.number < 450 and some.more)


@pytest.mark.parametrize("typed", ["printer", "sometimes", "rarely", "never"])
@pytest.mark.parametrize(
    "scopes", [None, (organization_token(1),), (owner_token(20),), (organization_token(0), owner_token(20))]
)
def test_a_page_tells_in_the_same_go_how_many_there_are(many, typed, scopes):
    asked = Search(search, tickets, parse_words(typed), scopes=scopes)
    hits = page(many, asked, 10_000)
    together = find(many, asked, 26, counted=1001)
    assert together.hits == hits[:26]
    assert together.more or together.number == len(hits)
    assert together.number <= len(hits)
    if len(hits) <= 26:
        assert (together.number, together.more) == (len(hits), False)


def test_pages_follow_each_other_without_gap_or_repetition(many):
    records, before = [], None
    while hits := page(many, Search(search, tickets, parse_words("sometimes"), condition=sa.true()), 40, before):
        records += [hit.record for hit in hits]
        before = hits[-1].seq
    assert records == list(range(9000, 0, -20))


def test_a_large_index_is_made_beside_a_running_portal_which_searches_meanwhile(postgresql, monkeypatch):
    monkeypatch.setattr(engine_of_search, "FEW_ROWS", 100)
    with postgresql.empty_database() as url:
        engine = make_engine(url)
        with writing(engine) as connection:
            metadata.create_all(connection)
            put_many(connection, search, map(ticket, range(1, 121)))
            create_search_index(connection)
            assert not is_finished(connection)
            assert found(connection, "sometimes printer") == [120, 100, 80, 60, 40, 20]
            assert found(connection, "paper", scopes=(owner_token(7),)) == [7]
        finish_search_index(engine)
        with reading(engine) as connection:
            assert is_finished(connection)
            assert found(connection, "sometimes printer") == [120, 100, 80, 60, 40, 20]
        with writing(engine) as connection:  # killed before it removed what the version before had
            connection.exec_driver_sql("CREATE INDEX portal_search_words ON portal_search (seq)")
            assert not is_finished(connection)
        finish_search_index(engine)
        with reading(engine) as connection:
            assert is_finished(connection)
        engine.dispose()

"""The search index on both databases: what is found, by whom, in which order, and what a change does to it."""

import dataclasses
import sqlite3

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.search import postgresql as search_postgresql
from portal.database.search import sqlite as search_sqlite
from portal.database.search.index import (
    Entry,
    Hit,
    SearchResult,
    count,
    create_search_index,
    is_index_object,
    page,
    put_many,
    remove,
    replace_texts,
)
from portal.database.search.search_request import Search
from portal.database.search.tokens import organization_token, owner_token
from portal.database.search.words import parse_words
from tests.real_parts import empty_database
from tests.unit.database.search.searching import articles, found, metadata, search, tickets, write


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def indexed(request):
    """An empty index; every test leaves it empty."""
    with empty_database(request) as url:
        engine = make_engine(url)
        with writing(engine) as connection:
            metadata.create_all(connection)
            create_search_index(connection)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(indexed):
    """For tests that commit: the tickets 1 and 2."""
    yield indexed
    with writing(indexed) as connection:
        remove(connection, search, "tickets", [1, 2])


@pytest.fixture
def connection(indexed):
    """In a writing transaction; its result is checked and rolled back."""
    with writing(indexed) as connection:
        yield connection
        assert_whole(connection)
        connection.rollback()


def assert_whole(connection):
    """FTS5 compares its index with the texts; PostgreSQL guarantees its own."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT INTO portal_search_fts(portal_search_fts, rank) VALUES ('integrity-check', 1)"
        )


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("Größe der Straße", "strasse"),
        ("Größe der Straße", "GRÖSS"),
        ("naïve café", "naive CAFE"),
        ("ＡＢＣ printer", "abc"),
        ("abc", "ＡＢＣ"),
        ("Łódź", "łódź"),
        ("Łódź", "ŁODZ"),
        ("Łódź", "lodz"),
        ("Wi-Fi", "wifi"),
        ("wifi", "Wi-Fi"),
        ("Ærø smørrebrød", "smør"),
        ("東京タワーの問題", "東京"),
        ("東京タワーの問題", "問題"),
        ("프린터 고장", "프린터"),
        ("الطابعة معطلة", "الطاب"),
        ("המדפסת מקולקלת", "המדפ"),
        ("ПРИНТЕР сломан", "принт"),
        ("ελληνική ΓΛΏΣΣΑ", "γλωσσ"),
        ("representative misconfiguration", "misconfiguration"),
        ("representative misconfiguration", "misconfigur rep"),
        ("device SN-159C78F6", "SN-159C78F6"),
        ("device SN-159C78F6", "159c"),
        ("write to a.b@c.example", "a.b@c.example"),
        ("write to a.b@c.example", "c.exam"),
        ("error_code 0x80", "code"),
        ("plan B please", "b"),
        ("and OR not NEAR", "or AND near NOT"),
        ("room 007", "7"),
        ("a paper jam again", '"paper jam"'),
        ("the word 𬀀 of a newer Unicode", "𬀀"),
        ("long " + "x" * 5000, "x" * 5000),
        ("nul \x00 byte", "nul byte\x00"),
    ],
)
def test_every_typed_word_starts_a_word_of_the_record(connection, kept, typed):
    write(connection, 1, kept)
    write(connection, 2, "something else")
    assert found(connection, typed) == [1]


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("printer", "rinter"),
        ("printer", "printers"),
        ("misconfiguration", "misconfigurations"),
        ("misconfiguration", "misconfix"),
        ("printer", "printer jam"),
        ("plan Bravo", "b"),
        ("a paper with jam", '"paper jam"'),
        ("paper jams", '"paper jam"'),
        ("wallpaper jam", '"paper jam"'),
        ("jam paper", '"paper jam"'),
        ("printers", '"printer"'),
    ],
)
def test_nothing_else_is_found(connection, kept, typed):
    write(connection, 1, kept)
    assert found(connection, typed) == []


def test_quoted_words_do_not_stand_together_across_two_fields(connection):
    write(connection, 1, "out of paper", "jam in tray")
    assert found(connection, '"paper jam"') == []
    assert found(connection, "paper jam") == [1]


@pytest.mark.parametrize("typed", ["TT000030", "tt000030", "30", "tt30", "tt0000"])
def test_a_reference_is_found_by_whole_and_by_its_number(connection, typed):
    write(connection, 1, "printer", reference="TT000030")
    write(connection, 2, "scanner", reference="TT000031")
    assert found(connection, typed)[-1] == 1
    assert (found(connection, typed) == [1]) is (typed != "tt0000")


@pytest.mark.parametrize(
    "typed",
    ['"', '""', "*", "-x", "NEAR(", "text:printer", "'; DROP TABLE portal_search; --", '" OR "_mtickets', "(((", "^a",
     "{a b}", "a*b", "\\", "%", "\x00", "\ud800", "' :* | 'x", "!printer", "<->", "_", "__", ":*"],
)  # fmt: skip
def test_what_means_something_to_a_database_means_nothing_here(connection, typed):
    write(connection, 1, "printer")
    assert found(connection, typed) in ([], [1])
    assert found(connection, "printer") == [1]


@pytest.mark.parametrize("typed", ["_p17", "_mtickets", "_stickets", '"_p17"', "mtickets", "p17", "_o42 printer"])
def test_tokens_of_the_scope_cannot_be_typed(connection, typed):
    write(connection, 1, "printer", scopes=[owner_token(17), organization_token(42)], internal=["secret"])
    assert found(connection, typed) == []


def test_a_text_without_words_restricts_nothing(connection):
    write(connection, 1, "printer")
    write(connection, 2, "")
    assert found(connection, "…") == [2, 1]


def test_more_words_than_a_search_takes_are_harmless(connection):
    write(connection, 1, " ".join(f"w{number}" for number in range(100)))
    assert found(connection, " ".join(f"w{number}" for number in range(10_000))) == [1]


def test_only_records_of_the_scope_are_found(connection):
    write(connection, 1, "printer", scopes=[owner_token(17), organization_token(4)])
    write(connection, 2, "printer", scopes=[owner_token(18), organization_token(4), organization_token(42)])
    write(connection, 3, "printer")
    assert found(connection, "printer", scopes=(owner_token(17),)) == [1]
    assert found(connection, "printer", scopes=(organization_token(4),)) == [2, 1]
    assert found(connection, "printer", scopes=(organization_token(42), owner_token(17))) == [2, 1]
    assert found(connection, "", scopes=(organization_token(42),)) == [2]
    assert found(connection, "printer", scopes=(owner_token(1),)) == []
    assert found(connection, "printer", scopes=()) == []
    assert found(connection, "printer") == [3, 2, 1]


def test_modules_do_not_mix(connection):
    write(connection, 1, "printer")
    write(connection, 1, "printer", module="help_articles")
    write(connection, 2, "printer", module="help")
    assert found(connection, "printer") == [1]
    assert found(connection, "printer", module=articles) == [1]


def test_internal_texts_are_found_in_their_own_part_only(connection):
    write(connection, 1, "printer", internal=["blacklisted customer"])
    write(connection, 2, "printer", internal=[])
    assert found(connection, "blacklisted") == []
    assert found(connection, "blacklisted printer", part=1) == [1]
    assert found(connection, "printer") == found(connection, "printer", part=1) == [2, 1]


def test_the_newest_change_comes_first(connection):
    for record in (1, 2, 3):
        write(connection, record, "printer")
    write(connection, 2, "printer changed")
    assert found(connection, "printer") == [2, 3, 1]


def test_the_number_of_a_removed_record_does_not_come_again(connection):
    for record in (1, 2):
        write(connection, record, "printer")
    before = page(connection, Search(search, tickets, parse_words("printer")), 1)[0].seq
    remove(connection, search, "tickets", [2])
    write(connection, 3, "printer")
    assert page(connection, Search(search, tickets, parse_words("printer")), 1)[0].seq > before


def test_a_text_replaced_by_a_change_elsewhere_keeps_its_place(connection):
    for record in (1, 2, 3):
        write(connection, record, "old", scopes=[owner_token(1)], internal=["old"])
    replace_texts(connection, search, [Entry("tickets", 2, ["new"], scopes=[owner_token(2)], internal=["new"])])
    assert found(connection, "") == found(connection, "", part=1) == [3, 2, 1]
    assert found(connection, "old") == found(connection, "", scopes=(owner_token(1),)) == [3, 1]
    assert found(connection, "new") == found(connection, "", scopes=(owner_token(2),)) == [2]


def test_replacing_a_text_follows_the_module_when_internal_fields_come_and_go(connection):
    write(connection, 1, "printer")
    replace_texts(connection, search, [Entry("tickets", 1, ["printer"], internal=["secret"])])
    assert found(connection, "secret", part=1) == [1]
    replace_texts(connection, search, [Entry("tickets", 1, ["printer"])])
    assert found(connection, "printer", part=1) == []
    replace_texts(connection, search, [Entry("tickets", 9, ["printer"])])
    assert found(connection, "printer") == [9, 1]


def test_a_removed_record_is_not_found(connection):
    write(connection, 1, "printer", internal=["secret"])
    write(connection, 2, "printer")
    remove(connection, search, "tickets", [1])
    assert found(connection, "printer") == [2]
    assert found(connection, "secret", part=1) == []


def test_a_changed_text_is_no_longer_found_by_what_it_was(connection):
    write(connection, 1, "printer")
    write(connection, 1, "scanner")
    assert found(connection, "printer") == []
    assert found(connection, "scanner") == [1]


def test_what_is_rolled_back_is_not_found(engine):
    with writing(engine) as connection:
        write(connection, 1, "printer")
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        write(connection, 2, "ghost")
        write(connection, 1, "ghost")
        raise ZeroDivisionError
    with writing(engine) as connection:
        assert found(connection, "ghost") == []
        assert found(connection, "printer") == [1]
        assert_whole(connection)


def test_a_transaction_that_only_reads_can_search(engine):
    with writing(engine) as connection:
        write(connection, 1, "printer")
    with reading(engine) as connection:
        assert found(connection, "printer") == [1]


def test_pages_go_forward_and_back(connection):
    put_many(connection, search, [Entry("tickets", record, ["printer"]) for record in range(1, 11)])
    hits = page(connection, Search(search, tickets, parse_words("printer")), 10)
    assert [hit.record for hit in hits] == list(range(10, 0, -1))
    assert found(connection, "printer", 3, before=hits[2].seq) == [7, 6, 5]
    assert found(connection, "printer", 3, after=hits[5].seq) == [8, 7, 6]
    assert found(connection, "printer", 3, after=hits[1].seq) == [10]
    assert found(connection, "printer", 3, before=hits[9].seq) == []


def test_pages_go_over_gaps_between_the_numbers_of_changes(connection):
    numbers = [1, 2, 1023, 1024, 262_143, 262_144, 300_000, 5_000_000]
    rows = [Entry("tickets", number, ["printer"]).rows()[0] | {"seq": number} for number in numbers]
    connection.execute(search.insert(), rows)
    assert found(connection, "printer") == numbers[::-1]
    assert found(connection, "printer", 3, before=262_144) == [262_143, 1024, 1023]
    assert found(connection, "printer", 3, after=262_143) == [5_000_000, 300_000, 262_144]
    assert found(connection, "printer", after=0) == numbers[::-1]
    assert found(connection, "printer", before=1) == []


def test_very_many_numbers_without_a_change_are_leaped_over(connection):
    """Walking over them in eras would take years."""
    numbers = [5, 2**40, 2**61, 2**61 + 2000]
    words = ["printer", "printer", "toner", "toner"]
    entries = [Entry("tickets", number, [word]) for number, word in zip(numbers, words, strict=True)]
    rows = [entry.rows()[0] | {"seq": entry.record} for entry in entries]
    connection.execute(search.insert(), rows)
    assert found(connection, "printer") == [2**40, 5]
    assert found(connection, "printer", after=1) == [2**40, 5]
    assert found(connection, "toner", after=1) == [2**61 + 2000, 2**61]


def test_the_index_can_be_made_twice_and_from_the_texts(connection):
    create_search_index(connection)
    write(connection, 1, "printer")
    if connection.dialect.name == "sqlite":
        triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in connection.scalars(triggers).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(f"DROP TABLE {search_sqlite.INDEX}")
    else:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(search_postgresql.INDEXES)}")
    connection.execute(search.insert().values(module="tickets", record=2, part=0, scope=" _mtickets", text=" printer "))
    create_search_index(connection)
    create_search_index(connection)
    assert found(connection, "printer") == [2, 1]


def test_what_belongs_to_the_index_is_known_by_name(connection):
    there = sa.inspect(connection)
    wanted = {*metadata.tables}
    assert {name for name in there.get_table_names() if not is_index_object(name)} == wanted
    if connection.dialect.name == "postgresql":
        names = {index["name"] for index in there.get_indexes("portal_search")}
        assert {name for name in names if not is_index_object(name)} == {"uq_portal_search_module_record_part"}
    assert not is_index_object("portal_search")


def test_texts_of_any_size_are_kept(connection):
    write(connection, 1, "last", " ".join(f"word{number}" for number in range(300_000)), "ü" * 1_000_000)
    write(connection, 2, *(["printer"] * 10_000))
    assert found(connection, "word77") == found(connection, "last") == [1]
    assert found(connection, "printer") == [2]


def test_a_record_of_several_companies_is_found_by_each_of_them(connection):
    put_many(connection, search, [Entry("tickets", record, ["printer"], scopes=[organization_token(9)])
                                  for record in range(1, 40)])  # fmt: skip
    write(connection, 40, "printer", scopes=[owner_token(1), organization_token(1), organization_token(2)])
    write(connection, 41, "printer", scopes=[owner_token(2), owner_token(3), organization_token(1)])
    write(connection, 42, "printer", scopes=[owner_token(1), organization_token(2)])
    write(connection, 43, "printer", scopes=[organization_token(22)])
    write(connection, 44, "printer")
    assert found(connection, "printer", scopes=(organization_token(1),)) == [41, 40]
    assert found(connection, "printer", scopes=(organization_token(2),)) == [42, 40]
    assert found(connection, "printer", scopes=(owner_token(3),)) == [41]
    assert found(connection, "printer", scopes=(organization_token(2), owner_token(1))) == [42, 40]
    scopes = (owner_token(1), owner_token(2), organization_token(9))
    assert found(connection, "printer", scopes=scopes, limit=4) == [42, 41, 40, 39]
    everyone = tuple(map(owner_token, range(1, 30)))
    assert found(connection, "printer", scopes=everyone) == [42, 41, 40]
    assert found(connection, "", scopes=(organization_token(2),)) == [42, 40]


@pytest.mark.parametrize("small", [0, 5_000])
def test_a_word_of_few_records_is_found_behind_thousands_of_another_module(connection, monkeypatch, small):
    monkeypatch.setattr(search_sqlite, "SMALL_MODULE", small)  # rows, up to which a module is looked for by its token
    write(connection, 1, "printer", module="help_articles", scopes=[organization_token(1)])
    write(connection, 2, "printer jam", module="help_articles", scopes=[organization_token(2)])
    put_many(connection, search, [Entry("tickets", record, ["printer"], scopes=[organization_token(1)])
                                  for record in range(1, 1_500)])  # fmt: skip
    asked = Search(search, articles, parse_words("printer"))
    assert [hit.record for hit in page(connection, asked, 25)] == [2, 1]
    assert count(connection, asked) == SearchResult([Hit(*hit) for hit in page(connection, asked, 25)], 2, more=False)
    assert found(connection, "printer", module=articles, scopes=(organization_token(1),)) == [1]
    assert found(connection, "printer", module=articles, condition=articles.c.id > 0) == []
    assert found(connection, '"printer jam"', module=articles) == [2]


def test_internal_texts_are_found_in_their_own_part_only_in_large_modules_too(connection, monkeypatch):
    monkeypatch.setattr(search_sqlite, "SMALL_MODULE", 0)
    write(connection, 1, "printer", internal=["suspicion"])
    write(connection, 2, "suspicion", internal=[])
    assert found(connection, "suspicion") == [2]
    assert found(connection, "suspicion", part=1) == [2, 1]
    assert found(connection, "printer suspicion") == []
    assert count(connection, Search(search, tickets, parse_words("suspicion"))).number == 1


def test_very_many_entries_are_replaced_with_as_many_parameters_as_a_statement_takes(connection):
    """PostgreSQL takes 65,535 in one statement; SQLite is told to take fewer."""
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1_000)
    entries = [Entry("tickets", number, ["old"]) for number in range(2_000)]
    put_many(connection, search, entries)
    replace_texts(connection, search, [dataclasses.replace(entry, texts=["new"]) for entry in entries])
    assert count(connection, Search(search, tickets, parse_words("new")), 3_000).number == 2_000

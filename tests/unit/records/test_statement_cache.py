"""Two statements never share a key, and no shared statement contains a value of one reader."""

import dataclasses
import datetime
import sys
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest

from portal.conditions import ALWAYS, AllOf, AnyOf, Comparison, ParsedValue, parse
from portal.fields.reader import Reader
from portal.records import statement_cache
from portal.records.statement_cache import (
    MOST_COMPANIES,
    MOST_STATEMENTS,
    ReaderKind,
    StatementCache,
    StatementKey,
    may_be_shared,
    shared_reader,
    values_of,
)

DIFFERENT = [
    parse({"a": value}) for value in (1, 1.0, True, "1", "true", 0, False, "0", "", None, [1], [True], [1, 1], ["1"])
] + [
    parse({"a": {"not": 1}}), parse({"a": {"min": 1}}), parse({"a": {"max": 1}}), parse({"a.b": 1}), parse({"b": 1}),
    parse({"a": {"empty": False}}), parse({"a": 1, "b": 1}), parse({"b": 1, "a": 1}),
    parse({"any": [{"a": 1}, {"b": 1}]}),
    parse({"a": datetime.date(2024, 3, 5)}), parse({"a": datetime.datetime(2024, 3, 5)}), ALWAYS, AnyOf(()),
]  # fmt: skip


def test_different_conditions_never_share_a_key():
    cache = StatementCache()
    for place, condition in enumerate(DIFFERENT):
        for key in (
            StatementKey("page", "tasks", conditions=((condition,),)),
            StatementKey("page", "tasks", narrowed=AllOf((condition,))),
        ):
            assert cache.get(key, lambda place=place: place) == place, condition
    assert len(cache) == 2 * len(DIFFERENT)


def test_every_part_of_a_key_tells_two_statements_apart():
    key = StatementKey("page", "tasks")
    others = {
        "purpose": "scan", "module": "notes", "dialect": "sqlite", "narrowed": parse({"a": 1}),
        "conditions": ((ALWAYS,),),
        "fields": ("a",), "sort": ("a",), "start": "after", "among_ids": True, "size": 26,
        "ends": (1,),
    }  # fmt: skip
    assert set(others) == set(StatementKey._fields)
    keys = {key, *(key._replace(**{part: value}) for part, value in others.items())}
    assert len(keys) == len(others) + 1


@pytest.mark.parametrize("condition", [
    parse({"a": {"within": "3 days"}}), parse({"a": "now"}), Comparison(("a",), "equal", ParsedValue("x")),
    Comparison(("a",), "equal", [7]),
])  # fmt: skip
def test_what_depends_on_the_moment_or_was_typed_is_not_shared(condition):
    assert not may_be_shared([ALWAYS, condition])
    assert may_be_shared([ALWAYS, parse({"a": "today", "b": "me"})])


def test_a_shared_reader_holds_nothing_of_the_reader():
    now = datetime.datetime(2024, 3, 5, 23, 30, tzinfo=datetime.UTC)
    reader = Reader(language="it", person=7, companies=(8, 9), now=now, time_zone=ZoneInfo("Europe/Rome"))
    shared, other = shared_reader(reader), shared_reader(dataclasses.replace(reader, person=1, companies=(2, 3)))
    assert shared.today == reader.today == datetime.date(2024, 3, 6)
    assert shared.now == datetime.datetime(2024, 3, 5, 23, tzinfo=datetime.UTC)
    assert [shared.person.key, *(company.key for company in shared.companies)] == list(values_of(reader))
    assert list(values_of(reader).values()) == [7, 8, 9]
    assert (shared.language, shared.plain) == (other.language, other.plain) == ("en", True)


def test_readers_of_one_kind_have_as_many_companies():
    reader = Reader(person=7, companies=(8,))
    assert ReaderKind.of("a", reader) == ReaderKind.of("a", dataclasses.replace(reader, person=1, companies=(2,)))
    assert ReaderKind.of("a", reader) != ReaderKind.of("a", dataclasses.replace(reader, person=None))
    assert ReaderKind.of("a", reader) != ReaderKind.of("a", dataclasses.replace(reader, companies=()))
    assert ReaderKind.of("a", reader) != ReaderKind.of("b", reader)
    assert ReaderKind.of("a", dataclasses.replace(reader, companies=tuple(range(MOST_COMPANIES + 1)))) is None


def test_a_cache_stays_small():
    cache = StatementCache()
    for number in range(MOST_STATEMENTS + 5):
        assert cache.get(StatementKey(str(number), "tasks"), lambda number=number: number) == number
    assert len(cache) <= MOST_STATEMENTS


def test_a_request_gets_its_statement_while_another_one_empties_the_cache(monkeypatch):
    monkeypatch.setattr(statement_cache, "MOST_STATEMENTS", 1)
    cache, interval = StatementCache(), sys.getswitchinterval()

    def ask(thread: int) -> bool:
        keys = [StatementKey("page", str(thread and number % 2)) for number in range(5_000)]
        return all(cache.get(key, lambda key=key: key.module) == key.module for key in keys)

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(ask, range(4)))
    finally:
        sys.setswitchinterval(interval)

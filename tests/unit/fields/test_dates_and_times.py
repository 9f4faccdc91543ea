"""The search words for dates, times of day and booleans, in the languages of the portal."""

import datetime

import pytest

from portal.database.search.words import indexed_text, parse_words
from portal.declaration.load import load
from tests.portal_files import write_portal

MODULES = """
portal: {languages: [en, it, pl], time_zone: Europe/Rome}
modules:
  visits:
    see: all
    fields: {name: text, day: date, at: datetime, clock: time, paid: {type: boolean, label: {en: Paid, it: Pagato}}}
    list: {columns: [name, day, at, clock, paid]}
"""
VALUES = {
    "day": datetime.date(2026, 2, 5),
    "at": datetime.datetime(2026, 11, 26, 23, 30, tzinfo=datetime.UTC),  # in Rome half an hour past midnight
    "clock": datetime.time(9, 5),
    "paid": True,
}


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = write_portal(tmp_path_factory.mktemp("visits"), MODULES, staff="modules: {visits: {}}\n")
    return load(folder).declaration.modules["visits"].fields


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("day", "5 feb"), ("day", "February 5"), ("day", "5 febbraio 2026"), ("day", "luty 2026"), ("day", "5 lutego"),
        ("day", "5/2/2026"), ("day", "05.02.2026"), ("day", "05-02-2026"), ("day", "2026-02-05"),
        ("day", '"5 febbraio 2026"'), ("at", "27 nov"), ("at", "listopad"), ("at", "00:30"), ("at", "12:30 AM"),
        ("clock", "9:05"), ("clock", "09:05"), ("clock", "9:05 am"), ("clock", "09.05"), ("paid", "paid"),
        ("paid", "pagato"),
    ],
)  # fmt: skip
def test_values_are_found_as_people_of_each_language_write_them(fields, name, typed):
    assert fields[name].searched
    assert parse_words(typed).match([indexed_text(fields[name].texts(VALUES[name]))])


@pytest.mark.parametrize(("name", "typed"), [("at", "26 nov"), ("clock", "9:50"), ("day", "5 mar"), ("paid", "yes")])
def test_they_are_not_found_by_something_else(fields, name, typed):
    assert not parse_words(typed).match([indexed_text(fields[name].texts(VALUES[name]))])


def test_a_boolean_that_is_not_true_is_not_found_by_its_name(fields):
    assert list(fields["paid"].texts(False)) == list(fields["paid"].texts(None)) == []

"""Dates, times and durations as people write them; zones, and the two days on which clocks change."""

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from webob.multidict import MultiDict

from portal.fields.base import Field
from portal.fields.dates_and_times import parse_date, parse_time
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.whole_day import Span, WholeDay

ROME = Reader(
    language="it", time_zone=ZoneInfo("Europe/Rome"), now=datetime.datetime(2024, 3, 5, 23, 30, tzinfo=datetime.UTC)
)


def field(kind: str, **keys: object) -> Field:
    return Field.types[kind].model_validate({"name": "x", "type": kind, **keys})


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "3/5/2024"), ("en", "3/5/24"), ("en", "Mar 5, 2024"), ("en", "March 5 2024"), ("en", "5 March 2024"),
        ("en-GB", "05/03/2024"), ("it", "5/3/2024"), ("it", "05.03.24"), ("it", "5 marzo 2024"), ("it", "5 mar 2024"),
        ("de", "5.3.2024"), ("de", "5. März 2024"), ("pl", "5.03.2024"), ("pl", "5 marca 2024"), ("pl", "5 mar 2024"),
        ("fr", "05/03/2024"), ("fr", "5 mars 2024"), ("es", "5 de marzo de 2024"), ("sv", "2024-03-05"),
        ("hu", "2024. 03. 05."), ("ja", "2024/03/05"), ("it", "2024-03-05"), ("en", "2024/3/5"), ("ar", "٥‏/٣‏/٢٠٢٤"),
    ],
)  # fmt: skip
def test_dates_are_read_in_the_readers_own_way(language, typed):
    assert parse_date(typed, Reader(language=language)) == datetime.date(2024, 3, 5)


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "13/13/2024"), ("it", "3/13/2024"), ("en", "5 marzo 2024"), ("en", "2024-3"), ("en", "March 2024"),
        ("en", "31 Feb 2024"), ("en", "1 2 3 4"), ("en", "5/3/12345"), ("en", "Mar Mar 2024"), ("en", "//"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_an_example_of_the_readers_own(language, typed):
    reader = Reader(language=language)
    with pytest.raises(Refused) as refused:
        parse_date(typed, reader)
    assert {"en": "3/31/2024", "it": "31/03/2024"}[language] in reader.text(refused.value.message)


@pytest.mark.parametrize(
    ("language", "typed"),
    [("en", "2:30 PM"), ("en", "2:30pm"), ("en", "2.30 p.m."), ("en", "14:30"), ("it", "14.30"), ("fr", "14h30")],
)
def test_times_are_read_in_several_ways(language, typed):
    assert parse_time(typed, Reader(language=language)) == datetime.time(14, 30)


def test_a_moment_is_typed_and_shown_in_the_readers_zone_and_kept_in_utc():
    due = field("datetime")
    for typed in ("2024-03-05T14:30", "2024-03-05 14:30", "5/3/2024 14:30", "5 marzo 2024, 14.30", "2024-03-05T13:30Z"):
        assert due.parse(typed, ROME) == utc(2024, 3, 5, 13, 30), typed
    assert due.show(utc(2024, 3, 5, 13, 30), ROME) == "5 mar 2024, 14:30"
    assert due.show(utc(2024, 7, 5, 13, 30), ROME) == "5 lug 2024, 15:30"
    assert due.inputs(utc(2024, 3, 5, 13, 30), ROME) == {"x": "2024-03-05T14:30"}
    assert due.write(utc(2024, 3, 5, 13, 30)) == "2024-03-05T13:30:00Z"


def test_an_hour_that_the_clocks_leave_out_is_refused():
    with pytest.raises(Refused) as refused:
        field("datetime").parse("2024-03-31T02:30", ROME)
    assert "non esiste" in ROME.text(refused.value.message)


def test_both_hours_of_the_long_night_keep_apart_in_a_form():
    due = field("datetime")
    for moment in (utc(2024, 10, 27, 0, 30), utc(2024, 10, 27, 1, 30)):
        inputs = due.inputs(moment, ROME)
        assert inputs["x"] == "2024-10-27T02:30"
        assert due.parse_form(MultiDict(inputs), ROME) == moment
    assert due.parse("2024-10-27T02:30", ROME) == utc(2024, 10, 27, 0, 30)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2024-03-05", utc(2024, 3, 4, 23), utc(2024, 3, 5, 23)),
        ("2024-03-31", utc(2024, 3, 30, 23), utc(2024, 3, 31, 22)),
        ("2024-10-27", utc(2024, 10, 26, 22), utc(2024, 10, 27, 23)),
        ("31/3/2024", utc(2024, 3, 30, 23), utc(2024, 3, 31, 22)),
        ("today", utc(2024, 3, 5, 23), utc(2024, 3, 6, 23)),
    ],
)
def test_a_date_in_a_condition_is_that_whole_day_where_the_reader_is(day, start, end):
    due = field("datetime")
    constant = due.constant(day, ROME)
    assert constant == Span(start, end)
    last = end - datetime.timedelta(microseconds=1)
    assert due.matches(start, "equal", constant)
    assert due.matches(last, "equal", constant)
    assert due.matches(last, "max", constant)
    assert not due.matches(end, "max", constant)
    assert not due.matches(last, "after", constant)
    assert due.matches(end, "after", constant)
    assert not due.matches(start, "before", constant)


def test_a_day_may_begin_later_than_midnight():
    santiago = Reader(time_zone=ZoneInfo("America/Santiago"))
    spring = field("datetime").constant("2024-09-08", santiago)
    assert spring.end - spring.start == datetime.timedelta(hours=23)


def test_a_filter_for_a_minute_finds_its_seconds():
    due = field("datetime")
    constant = due.constant("2024-03-05T14:30", ROME)
    assert due.matches(utc(2024, 3, 5, 13, 30, 59), "equal", constant)
    assert due.matches(utc(2024, 3, 5, 13, 30, 59), "max", constant)
    assert not due.matches(utc(2024, 3, 5, 13, 31), "max", constant)


def test_now_and_today_are_the_readers():
    assert field("date").constant("today", ROME) == datetime.date(2024, 3, 6)
    assert field("date").default_value("today", ROME) == datetime.date(2024, 3, 6)
    assert field("datetime").default_value("now", ROME) == ROME.now
    assert field("datetime").default_value("today", ROME) == utc(2024, 3, 5, 23)
    assert field("datetime").default_value("nothing", ROME) is None


def test_days_and_moments_are_counted_from_today_and_now_by_the_readers_calendar_and_clocks():
    before_summer = replace(ROME, now=utc(2024, 3, 30, 22, 30))
    day, moment = field("date", max="today + 1 year"), field("datetime")
    assert day.default_value("today + 1 month", before_summer) == datetime.date(2024, 4, 30)
    assert day.default_value("today - 1 month", before_summer) == datetime.date(2024, 2, 29)
    assert day.constant("today + 2 weeks", before_summer) == datetime.date(2024, 4, 13)
    assert day.bounds(before_summer) == (None, datetime.date(2025, 3, 30))
    assert moment.default_value("now + 4 h", before_summer) == utc(2024, 3, 31, 2, 30)
    assert moment.default_value("now + 1 day", before_summer) == utc(2024, 3, 31, 21, 30)
    assert moment.constant("today + 1 day", before_summer) == Span(utc(2024, 3, 30, 23), utc(2024, 3, 31, 22))


def test_bounds_may_be_today_and_now():
    day, moment = field("date", min="today"), field("datetime", min="now", max="2024-03-10")
    assert day.parse("2024-03-06", ROME) == datetime.date(2024, 3, 6)
    with pytest.raises(Refused) as refused:
        day.parse("2024-03-05", ROME)
    assert ROME.text(refused.value.message) == "Al più presto: 6 mar 2024."
    assert moment.parse("2024-03-10T23:59", ROME) == utc(2024, 3, 10, 22, 59)
    for typed in ("2024-03-06T00:29", "2024-03-11T00:00"):
        with pytest.raises(Refused):
            moment.parse(typed, ROME)


@pytest.mark.parametrize(
    ("language", "typed", "seconds"),
    [
        ("en", "90", 5400), ("en", "1:30", 5400), ("en", "1:30:15", 5415), ("en", "1h30m", 5400), ("en", "1,5 h", None),
        ("it", "1h30", 5400), ("fr", "1 H 05", 3900), ("en", "1h75", None),
        ("it", "1,5 h", 5400), ("it", "2 ore 5 minuti", 7500), ("pl", "2 godz. 5 min", 7500),
        ("de", "2 Std., 5 Min.", 7500),
        ("fr", "2\u202fh 5\xa0min", 7500), ("de", "2 Tage", 172_800), ("it", "1.5 h", 5400), ("en", "0.5 s", None),
    ],
)  # fmt: skip
def test_durations_are_written_in_the_words_of_the_language(language, typed, seconds):
    reader = Reader(language=language)
    if seconds is None:
        with pytest.raises(Refused):
            field("duration").parse(typed, reader)
    else:
        assert field("duration").parse(typed, reader) == seconds


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", "1_hr 30_min"), ("it", "1_h 30_min"), ("pl", "1_godz. 30_min"), ("de", "1_Std. 30_Min.")],
)
def test_durations_are_shown_in_the_language_and_typed_in_signs(language, shown):
    assert field("duration").show(5400, Reader(language=language)) == shown.replace("_", "\u00a0")
    assert field("duration").inputs(5400, Reader(language=language)) == {"x": "1 h 30 min"}


def test_a_bare_number_in_a_condition_means_minutes_too():
    assert field("duration").constant(90, PLAIN) == field("duration").constant("90 min", PLAIN) == 5400


def test_a_day_without_a_time_is_a_day_for_readers_everywhere():
    day = field("datetime", time="optional")
    day._zone = ROME.time_zone
    value = day.parse("2024-03-31", ROME)  # the day on which clocks go forward
    assert value == WholeDay(2024, 3, 30, 23, tzinfo=datetime.UTC)
    assert utc(2024, 3, 30, 23) != value != utc(2024, 3, 30, 23)
    for zone in ("Pacific/Auckland", "America/Los_Angeles", "Europe/Rome"):
        reader = replace(ROME, time_zone=ZoneInfo(zone), language="en")
        assert day.show(value, reader) == "Mar 31, 2024"
        assert day.sheet_cell(value, reader).value == datetime.date(2024, 3, 31)
        assert day.read(day.write(value), reader.machine) == value
        assert day.parse_form(MultiDict(day.inputs(value, reader)), reader) == value
    assert day.sheet_cell(utc(2024, 3, 30, 23), ROME) is None  # a cell at midnight would be read as a day
    stored = day.store(value)
    assert stored == {"x": utc(2024, 3, 30, 23), "_x_end": utc(2024, 3, 31, 22)}
    assert day.load(stored) == value
    day._zone = ZoneInfo("America/New_York")  # a portal that moved
    assert day.show(value, replace(ROME, language="en")) == "Mar 31, 2024"


@pytest.mark.parametrize(
    ("keys", "typed", "fits"),
    [
        ({"min": "now"}, "2024-03-06", True), ({"min": "now"}, "2024-03-05", False),
        ({"max": "now"}, "2024-03-06", True), ({"max": "now"}, "2024-03-07", False),
    ],
)  # fmt: skip
def test_a_day_without_a_time_may_be_in_part_out_of_bounds(keys, typed, fits):
    day = field("datetime", time="optional", **keys)
    day._zone = ROME.time_zone
    try:
        assert bool(day.parse(typed, ROME)) is fits
    except Refused:
        assert not fits

"""Working time: added and measured like a count of its minutes, over weekends, holidays and clock changes."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.fields.working_hours import WorkingHours

ROME = ZoneInfo("Europe/Rome")
OFFICE = ((540, 750), (810, 1080))  # 9:00-12:30, 13:30-18:00
WEEK = (OFFICE,) * 4 + (((540, 900),), (), ())
MINUTE = datetime.timedelta(minutes=1)

# The clocks of Rome change on March 29.
moments = st.integers(0, 6 * 24 * 60).map(lambda m: datetime.datetime(2026, 3, 26, tzinfo=datetime.UTC) + m * MINUTE)
lengths = st.integers(0, 60 * 60).map(lambda minutes: minutes * 60)
spans = st.sampled_from([(), ((0, 1440),), OFFICE, ((360, 361),), ((1200, 1440),), ((0, 90), (300, 1439))])


def has_an_hour(week):
    """With only a few minutes per week, `lengths` would exceed the range in which working time is searched for."""
    return sum(until - begin for day in week for begin, until in day) >= 60


hours = st.builds(
    WorkingHours,
    st.sampled_from([ROME, ZoneInfo("UTC"), ZoneInfo("America/New_York")]),
    st.tuples(*[spans] * 7).filter(has_an_hour),
    st.frozensets(st.dates(datetime.date(2026, 3, 24), datetime.date(2026, 4, 2)), max_size=3),
)


def counted(hours, start, end):
    """The working minutes between two moments by the clock, counted one by one, in seconds."""
    total, moment = 0, start
    while moment < end:
        here = moment.astimezone(hours.zone)
        minute = here.hour * 60 + here.minute
        working = here.date() not in hours.dates_off
        total += 60 * (working and any(begin <= minute < until for begin, until in hours.week[here.weekday()]))
        moment += MINUTE
    return total


def at(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=ROME)


@settings(max_examples=40)
@given(hours, moments, st.integers(0, 36 * 60))
def test_the_time_between_two_moments_is_that_of_its_minutes(hours, start, minutes):
    end = start + minutes * MINUTE
    assert hours.between(start, end) == counted(hours, start, end) == -hours.between(end, start)


@settings(max_examples=60)
@given(hours, moments, moments, moments)
def test_parts_of_time_add_up(hours, one, two, three):
    assert hours.between(one, two) + hours.between(two, three) == hours.between(one, three)


@settings(max_examples=60)
@given(hours, moments, lengths, lengths)
def test_what_is_added_is_what_has_passed_then_and_no_minute_sooner(hours, start, first, second):
    later = hours.later(start, first)
    assert hours.between(start, later) == first
    assert later == start or hours.between(start, later - MINUTE) < first
    assert hours.later(later, second) == hours.later(start, first + second) >= later
    earlier = hours.later(start, -first)
    assert hours.between(earlier, start) == first
    assert earlier <= start


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-11-24T10:00", "4 h", "2026-11-24T15:00"),  # over lunch
        ("2026-11-24T17:00", "1 h", "2026-11-24T18:00"),  # the end of a day, not the beginning of the next one
        ("2026-11-26T17:00", "2 h", "2026-11-27T10:00"),
        ("2026-11-27T14:30", "1 h", "2026-11-30T09:30"),  # over a weekend
        ("2026-11-29T11:00", "30 m", "2026-11-30T09:30"),  # from a Sunday
        ("2026-11-24T10:00", "1 w", "2026-12-01T10:00"),
        ("2026-12-04T14:00", "2 h", "2026-12-07T10:00"),
        ("2026-12-07T17:00", "2 h", "2026-12-09T10:00"),  # December 8 is a holiday in Italy
    ],
)
def test_deadlines_of_an_office(start, period, end):
    office = WorkingHours(ROME, WEEK, countries=("IT",))
    assert office.later(at(start), office.seconds(period)) == at(end)


def test_a_day_is_a_working_day_of_average_length_and_without_hours_one_around_the_clock():
    assert WorkingHours(ROME, WEEK).seconds("5 days") == WorkingHours(ROME, WEEK).seconds("1 week") == 38 * 3600
    assert WorkingHours(ROME, (OFFICE,) * 5 + ((),) * 2).later(at("2026-11-24T10:00"), 2 * 8 * 3600) == at(
        "2026-11-26T10:00"
    )
    assert WorkingHours(ROME).seconds("2 days") == 2 * 86_400


def test_the_holidays_of_a_region_and_the_days_of_a_list_count_as_off():
    day = at("2026-01-06T00:00"), at("2026-01-07T00:00")  # Epiphany: in Bavaria, not in all of Germany
    assert [WorkingHours(ROME, countries=(place,)).between(*day) for place in ("DE", "DE-BY")] == [86_400, 0]
    assert WorkingHours(ROME, dates_off=frozenset({day[0].date()})).between(*day) == 0


def test_where_there_is_no_working_time_no_deadline_is_looked_for_forever():
    sundays = WorkingHours(ROME, ((),) * 6 + (((540, 600),),))
    assert sundays.later(at("2026-11-24T10:00"), 5_000 * 3600) is None


@pytest.mark.parametrize("spans", [((150, 600),), ((0, 150),), ((135, 165),), ((120, 150), (160, 200)), ((0, 1440),)])
def test_hours_that_begin_or_end_in_the_hour_that_comes_twice_are_those_that_clocks_show(spans):
    night = WorkingHours(ROME, ((),) * 6 + (spans,))
    day = at("2026-10-25T00:00"), at("2026-10-26T00:00")
    seconds = counted(night, *(moment.astimezone(datetime.UTC) for moment in day))
    assert night.between(*day) == seconds
    assert night.later(day[0], seconds) <= day[1]


def test_hours_that_begin_or_end_where_the_clocks_go_forward_have_what_clocks_show_of_them():
    night = WorkingHours(ROME, ((),) * 6 + (((90, 150), (165, 240)),))  # 1:30-2:30, 2:45-4:00
    day = at("2026-03-29T00:00"), at("2026-03-30T00:00")
    assert night.between(*day) == 30 * 60 + 60 * 60

"""Working time: the `hours` and `holidays` of `portal:`, and how deadlines are counted with them.

Hours are local time in the portal's time zone; their length is real time, so that an hour that occurs twice in autumn
counts twice. Moments are in UTC.
"""

import contextlib
import datetime
import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, WithJsonSchema

from portal.fields.base_shape import OneOrSeveral, as_list
from portal.fields.periods import SECONDS, read_period
from portal.lazy import LazyModule

public_holidays = LazyModule("portal.fields.public_holidays")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
MINUTES_OF_DAY = 24 * 60
DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
MOST_DAYS = 4_000  # within which working time is searched for
MOST_TIME = datetime.timedelta(days=3_650)  # within which working time is measured
FIRST_YEAR, MOST_YEARS = 2020, 60  # where readings begin, and how far they reach
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-\u2013]\s*(\d{1,2})(?:[:.](\d{2}))?")
_EXAMPLE = 'must be hours such as "9:00-18:00", or "9:00-12:30, 13:30-18:00" with a break'

Span = tuple[int, int]  # minutes after midnight


def _parse_spans(value: Any) -> tuple[Span, ...]:
    """The hours of one day. Raises ValueError."""
    if isinstance(value, tuple):
        return value
    spans = tuple(_parse_span(part.strip()) for part in str(value).split(","))
    for (_start, end), (start, _end) in pairwise(spans):
        if start < end:
            raise ValueError("hours of one day must follow each other, without an overlap")
    return spans


def _parse_span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(_EXAMPLE)
    numbers = [int(part or 0) for part in match.groups()]
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if max(numbers[1], numbers[3]) > 59 or max(start, end) > MINUTES_OF_DAY:
        raise ValueError(_EXAMPLE)
    if end <= start:
        raise ValueError("must end after it begins: hours over midnight belong to two days, until 24:00 and from 0:00")
    return start, end


def _parse_day_off(value: Any) -> datetime.date | str:
    """A holiday: a date, or otherwise a text that should be a country."""
    if type(value) is datetime.date:
        return value
    with contextlib.suppress(ValueError):
        return datetime.datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 a day, of no zone
    return str(value)


DayHours = Annotated[
    tuple[Span, ...],
    BeforeValidator(_parse_spans),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,2}([:.]\d{2})?\s*[-\u2013]\s*\d{1,2}([:.]\d{2})?\s*(,|$)"}),
]
DayOff = Annotated[datetime.date | str, BeforeValidator(_parse_day_off), WithJsonSchema({"type": "string"})]
DaysOff = Annotated[tuple[DayOff, ...], BeforeValidator(as_list), OneOrSeveral()]


@dataclass(frozen=True)
class WorkingHours:
    """The hours of each day of the week, Monday first; by default around the clock."""

    zone: ZoneInfo = ZoneInfo("UTC")
    week: tuple[tuple[Span, ...], ...] = (((0, MINUTES_OF_DAY),),) * 7
    dates_off: frozenset[datetime.date] = frozenset()
    countries: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Any) -> "WorkingHours":
        """The hours of `portal:`."""
        days_off: Collection[datetime.date | str] = settings.holidays
        return cls(
            ZoneInfo(settings.time_zone),
            tuple(settings.hours.get(day, ()) for day in WEEKDAYS) if settings.hours else cls.week,
            frozenset(day for day in days_off if isinstance(day, datetime.date)),
            tuple(country for country in days_off if isinstance(country, str)),
        )

    def seconds(self, period: str) -> int:
        """The length of a working period. A week has the hours of the week, a day those of an average working day."""
        number, unit = read_period(period)
        if unit not in ("d", "w"):
            return number * SECONDS[unit]
        week = 60 * sum(end - start for spans in self.week for start, end in spans)
        return number * week if unit == "w" else round(number * week / sum(map(bool, self.week)))

    def later(self, start: datetime.datetime, seconds: int) -> datetime.datetime | None:
        """The first moment at which `seconds` of working time have passed since `start`; earlier than it if negative.

        None if there is no such working time within some ten years.
        """
        if seconds < 0:
            return self._earlier(start, -seconds)
        for begin, end in self._spans_from(start) if seconds else ():
            length = _seconds_between(begin, end)
            if seconds <= length:
                return begin + datetime.timedelta(seconds=seconds)
            seconds -= length
        return None if seconds else start

    def _earlier(self, end: datetime.datetime, seconds: int) -> datetime.datetime | None:
        for begin, until in self._spans_until(end):
            length = _seconds_between(begin, until)
            if seconds <= length:
                return until - datetime.timedelta(seconds=seconds)
            seconds -= length
        return None

    def between(self, start: datetime.datetime, end: datetime.datetime) -> int:
        """The seconds of working time from `start` to `end`; negative if `end` is earlier."""
        if end < start:
            return -self.between(end, start)
        total = 0
        for begin, until in self._spans_from(start):
            if begin >= end:
                break
            total += _seconds_between(begin, min(until, end))
        return total

    def reading(self, moment: datetime.datetime) -> int:
        """The working time from the beginning of FIRST_YEAR to `moment`, in seconds; negative before it."""
        day = moment.astimezone(self.zone).date()
        if abs(day.year - FIRST_YEAR) > MOST_YEARS:
            day = day.replace(year=FIRST_YEAR + (MOST_YEARS if day.year > FIRST_YEAR else -MOST_YEARS), day=1)
        today = (_seconds_between(begin, min(end, moment)) for begin, end in _spans_of(self, day) if begin < moment)
        return _readings(self, day.year)[day.timetuple().tm_yday - 1] + sum(today)

    def _spans_from(self, start: datetime.datetime) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
        day = start.astimezone(self.zone).date()
        for number in range(MOST_DAYS):
            for begin, end in _spans_of(self, day + number * DAY):
                if end > start:
                    yield max(begin, start), end

    def _spans_until(self, end: datetime.datetime) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
        day = end.astimezone(self.zone).date()
        for number in range(MOST_DAYS):
            for begin, until in reversed(_spans_of(self, day - number * DAY)):
                if begin < end:
                    yield begin, min(until, end)


@functools.lru_cache(maxsize=1_000)
def _readings(hours: WorkingHours, year: int) -> tuple[int, ...]:
    """The `reading` of working time at the beginning of each day of a year, and at its end."""
    first = datetime.date(year, 1, 1)
    days = (datetime.date(year + 1, 1, 1) - first).days
    lengths = (sum(_seconds_between(*span) for span in _spans_of(hours, first + n * DAY)) for n in range(days))
    totals = list(accumulate(lengths, initial=0))
    begins = 0
    if year > FIRST_YEAR:
        begins = _readings(hours, year - 1)[-1]
    elif year < FIRST_YEAR:
        begins = _readings(hours, year + 1)[0] - totals[-1]
    return tuple(begins + total for total in totals)


# A list of deadlines is counted over the same few days again and again.
@functools.lru_cache(maxsize=5_000)
def _spans_of(hours: WorkingHours, day: datetime.date) -> tuple[tuple[datetime.datetime, datetime.datetime], ...]:
    """The working time of a day, in order and without overlaps."""
    spans: list[tuple[datetime.datetime, datetime.datetime]] = []
    for start, end in hours.week[day.weekday()] if not _is_off(hours, day) else ():
        (begin, until), (again, last) = (
            (_moment(hours, day, start, fold), _moment(hours, day, end, fold)) for fold in (0, 1)
        )
        if (begin, until) != (again, last):  # the repeated hour in autumn
            change = _clocks_go_back(hours.zone, begin)
            spans.append((begin, min(until, change)))
            begin, until = max(again, change), last
        if begin < until:
            spans.append((begin, until))
    return tuple(spans)


def _clocks_go_back(zone: ZoneInfo, moment: datetime.datetime) -> datetime.datetime:
    """The moment after `moment` at which clocks go back, for the count of working time."""
    while not moment.astimezone(zone).fold:
        moment += MINUTE
    return moment


def _moment(hours: WorkingHours, day: datetime.date, minutes: int, fold: int) -> datetime.datetime:
    """When clocks show so many minutes after midnight, for working hours: the second time if `fold` is 1 and there are
    two; if they skip it, when they go forward."""
    clock = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
    while True:
        moment = clock.replace(tzinfo=hours.zone, fold=fold).astimezone(datetime.UTC)
        if moment.astimezone(hours.zone).replace(tzinfo=None) == clock:
            return moment
        clock += MINUTE


def _is_off(hours: WorkingHours, day: datetime.date) -> bool:
    if day in hours.dates_off:
        return True
    return any(day in public_holidays.public_holidays(country, day.year) for country in hours.countries)


def _seconds_between(start: datetime.datetime, end: datetime.datetime) -> int:
    return int((end - start).total_seconds())

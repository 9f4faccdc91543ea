"""`datetime`: a moment. Aware and in UTC in Python, UTC in the database, typed and shown in the reader's time zone."""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from babel.dates import format_date
from pydantic import BeforeValidator, PrivateAttr
from pydantic import Field as Key

from portal.conditions import is_nothing, special_word
from portal.fields.base_parts import Measure
from portal.fields.base_shape import Names, OneOrSeveral, as_list
from portal.fields.column_types import UTCDateTime
from portal.fields.dates_and_times import (
    EXAMPLE,
    LONGEST,
    DateOrTime,
    Unreadable,
    clock_texts,
    day_from_today,
    day_texts,
    minute_text,
    moment_from_now,
    parse_date,
    parse_time,
    utc_text,
)
from portal.fields.deadline import DeadlineRule
from portal.fields.periods import WorkingTarget
from portal.fields.protocols import Declared, Form
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, filled
from portal.fields.sheet_cell import DATE, DATE_AND_TIME, FIRST_DAY, SheetCell
from portal.fields.whole_day import Span, WholeDay, moment_of, whole_day
from portal.fields.working_hours import WorkingHours
from portal.texts import _, is_blank

ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[Tt]|,?\s+)(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?)\d*")
# An offset after a time of day: “09:35 UTC”, “09:35Z”, “9:35 PM +02”, “09:35:46 GMT+02:00”.
OFFSET_AT_END = re.compile(
    r"(.*\d[:.h]\d{2}.*?)\s*(?:Z|(?:UTC|GMT)?\s?([+\u2212-])(\d{1,2})(?::?(\d{2}))?|UTC|GMT)", re.IGNORECASE | re.DOTALL
)
CLOCK_AT_END = re.compile(r"(.*\S)[\s,]+(\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?(?:\s?[^\W\d]+[^\d]*)?)")
INSTANT = datetime.timedelta(microseconds=1)
SECOND = datetime.timedelta(seconds=1)
SHORTER_THAN_A_DAY = datetime.timedelta(hours=1)  # an instant, a minute


def _moment_at(date: datetime.date, time: datetime.time, reader: Reader, later: bool = False) -> datetime.datetime:
    """The moment, in UTC, at which the reader's local clocks show this. Raises Refused for a time that they skip.

    An hour that occurs twice in autumn means the first one, unless `later`.
    """
    here = datetime.datetime.combine(date, time).replace(tzinfo=reader.time_zone, fold=int(later))
    try:
        moment = here.astimezone(datetime.UTC)
        same = moment.astimezone(reader.time_zone).replace(tzinfo=None) == here.replace(tzinfo=None)
    except OverflowError:
        raise Refused(_("This date is out of range.")) from None
    if not same:
        raise Refused(_("This time does not exist because the clocks go forward."))
    return moment


def _bound(value: Any) -> Any:
    try:
        if isinstance(value, datetime.datetime) or _counted(value, PLAIN):
            return value
        return str(value) if _parse_moment_or_day(str(value), PLAIN) else None
    except Refused:
        raise ValueError("must be a date such as 2024-03-31 or 2024-03-31T14:30, or today, or now + 4 h") from None


def _counted(raw: Any, reader: Reader) -> Span | None:
    """What `today`, `today + 30 days` and `now + 4 h` mean for a datetime: a day, or an instant. None for others."""
    if moment := moment_from_now(raw, reader):
        return Span(moment, moment + INSTANT)
    day = day_from_today(raw, reader)
    return whole_day(day, reader.time_zone) if day else None


# Kept as it was written: the moment depends on the reader's time zone.
Moment = Annotated[str, BeforeValidator(_bound)]


def _parse_moment_or_day(text: str, reader: Reader, later: bool = False) -> datetime.datetime | datetime.date:
    """What the text of a datetime means: ISO with or without an offset, or the reader's format. Raises Refused."""
    text = filled(text)
    match = OFFSET_AT_END.fullmatch(text) if len(text) <= LONGEST else None
    if match and (parts := _date_and_time(match[1], reader)):
        return _with_offset(*parts, match, reader)
    if parts := _date_and_time(text, reader):
        return _moment_at(*parts, reader, later)
    return parse_date(text, reader)


def _date_and_time(text: str, reader: Reader) -> tuple[datetime.date, datetime.time] | None:
    """The date and the time of day in the typed `text` of a datetime; None if it has no time. Raises Refused."""
    if match := ISO.fullmatch(text):
        return parse_date(match[1], reader), parse_time(match[2].replace(",", "."), PLAIN)
    match = CLOCK_AT_END.fullmatch(text) if len(text) <= LONGEST and not reader.plain else None
    return (parse_date(match[1], reader), parse_time(match[2], reader)) if match else None


def _with_offset(date: datetime.date, time: datetime.time, match: re.Match[str], reader: Reader) -> datetime.datetime:
    _text, sign, hours, minutes = match.groups()
    offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (1 if sign == "+" else -1)
    try:
        moment = datetime.datetime.combine(date, time, datetime.timezone(offset))
        moment.astimezone(reader.time_zone)  # a page will show it there
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise Refused(_("This date is out of range.")) from None


def _utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime.datetime:
    return datetime.datetime(year, month, day, hour, minute, tzinfo=datetime.UTC)


# One period or path of a duration, or one for each option of a choice.
Within = WorkingTarget | dict[Annotated[str, Names("own field")], dict[str, WorkingTarget]]


States = Annotated[tuple[Annotated[str, Names("state")], ...], BeforeValidator(as_list), OneOrSeveral()]


class Datetime(DateOrTime):
    """A day and a time, shown in the reader's time zone."""

    type: Literal["datetime"]
    column_type: ClassVar[Any] = UTCDateTime
    is_moment: ClassVar[bool] = True
    measure: ClassVar[Measure | None] = Measure("datetime")
    input_type: ClassVar[str] = "datetime-local"
    display: ClassVar[str] = "datetime"
    specials: ClassVar[tuple[str, ...]] = ("today", "now")
    sample: ClassVar[Mapping[str, Any]] = {"min": "1900-01-01"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("1999-12-31T23:59", _utc(1999, 12, 31, 23, 59), "Dec 31, 1999, 11:59\u202fPM"),
        ("2024-03-05T14:30+01:00", _utc(2024, 3, 5, 13, 30), "Mar 5, 2024, 1:30\u202fPM"),
        ("2024-03-05 14:30", _utc(2024, 3, 5, 14, 30), "Mar 5, 2024, 2:30\u202fPM"),
        ("2024-03-05 16:31 +02", _utc(2024, 3, 5, 14, 31), "Mar 5, 2024, 2:31\u202fPM"),
        ("2024-03-06", _utc(2024, 3, 6, 0, 0), "Mar 6, 2024, 12:00\u202fAM"),
        ("3/6/24, 2:30 PM", _utc(2024, 3, 6, 14, 30), "Mar 6, 2024, 2:30\u202fPM"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "2024-02-30T10:00", "2024-03-05T25:00", "now", "14:30", "1899-12-31T23:59",
        "0001-01-01T00:00+14:00", "2024-03-05T14:30+99:00", "2024-03-05T14:30\x00", "1" * 100_000,
    )  # fmt: skip

    widget: ClassVar[str] = property(lambda field: "day_and_time" if field.time else "input")  # type: ignore[assignment]

    min: Moment | None = None
    max: Moment | None = None
    time: Literal["optional"] | None = None
    within: Within | None = None
    pause: States = ()
    stop: States = ()
    from_: Annotated[str, Names("field")] | None = Key(None, alias="from")
    to_: Annotated[str, Names("field")] | None = Key(None, alias="to")

    _rule: DeadlineRule | None = PrivateAttr(None)

    def bind(self, declaration: Declared, module: Any) -> None:
        """Reads time zone and hours from `portal:`, and the states in which a deadline does not run from the module."""
        super().bind(declaration, module)
        if not self.within:
            return
        choice, targets = next(iter(self.within.items())) if isinstance(self.within, dict) else ("", {"": self.within})
        state_field = module.fields.get(module.state_field)
        final = {state for state in (state_field.declared_options if state_field else ()) if module.is_final(state)}
        pause, hours = frozenset(self.pause), WorkingHours.of(declaration.settings)
        stop = frozenset(final.union(self.stop) - pause)
        since, clock = self.from_ or "created", self._clock_column
        self._rule = DeadlineRule(choice, targets, pause, stop, hours, clock, since, self.to_)

    @property
    def takes_days(self) -> bool:
        return self.time is not None

    @property
    def sets_deadline(self) -> bool:
        return self.within is not None

    @property
    def done_field(self) -> str | None:
        return self.to_

    @property
    def deadline_rule(self) -> DeadlineRule | None:
        return self._rule

    @property
    def _clock_column(self) -> str:
        return f"_{self.name}_clock"

    @property
    def _end_column(self) -> str:
        return f"_{self.name}_end"

    def columns(self) -> list[sa.Column[Any]]:
        """The moment; for a deadline, its clock; and the end of a day without a time, if days may have none."""
        clock = [sa.Column(self._clock_column, sa.JSON(none_as_null=True))] if self.within else []
        ends: list[sa.Column[Any]] = [sa.Column(self._end_column, UTCDateTime())] if self.time else []
        return [*super().columns(), *clock, *ends]

    @property
    def _columns_read(self) -> tuple[str, ...]:
        return (self.name, self._end_column) if self.time else (self.name,)

    def store(self, value: Any) -> dict[str, Any]:
        """Without fractions of a second. The clock of a deadline is empty: the code that writes records sets it."""
        # Forms have seconds at best: more precise values would change when they are edited.
        more: dict[str, Any] = {self._clock_column: None} if self.within else {}
        if self.time:
            more[self._end_column] = self._day(value).end if isinstance(value, WholeDay) else None
        return {self.name: value and moment_of(value).replace(microsecond=0), **more}

    def load(self, row: Mapping[str, Any]) -> Any:
        """The moment, or the day without a time."""
        is_day = self.time and row[self.name] is not None and row[self._end_column] is not None
        return WholeDay.beginning(row[self.name]) if is_day else row[self.name]

    def due(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """A day without a time is over when it ends."""
        return sa.func.coalesce(table.c[self._end_column], table.c[self.name]) if self.time else super().due(table)

    def _day(self, value: WholeDay) -> Span:
        return whole_day(value.date_in(self._zone), self._zone)

    def _with_day(self, date: datetime.date, reader: Reader) -> Span:
        """The meaning of a date alone: in the portal's time zone if it stays without a time."""
        return whole_day(date, self._zone if self.time else reader.time_zone)

    def parse(self, text: str, reader: Reader) -> datetime.datetime | None:
        """A date and a time in the reader's time zone, or with an offset; a date alone is that day, or its start."""
        return self._parse_moment(text, reader, later=False)

    def parse_form(self, form: Form, reader: Reader) -> datetime.datetime | None:
        """With NAME.later, the second of two equal hours in autumn."""
        text = " ".join(filter(None, (self.input_text(form), self.input_text(form, "time") if self.time else "")))
        return self._parse_moment(text, reader, later=self.input_text(form, "later") == "1")

    def _parse_moment(self, text: str, reader: Reader, later: bool) -> datetime.datetime | None:
        if is_blank(text):
            return None
        try:
            moment = _parse_moment_or_day(text, reader, later)
        except Unreadable:
            example = self.example(EXAMPLE, reader)
            example = str(self.inputs(example, reader)[self.name]) if reader.plain else self.show(example, reader)
            raise Refused(_("Enter a date such as ${example}.", mapping={"example": example})) from None
        least, most = self.bounds(reader)
        if isinstance(moment, datetime.datetime):
            return self.in_bounds((least, most), moment, reader)
        day = self._with_day(moment, reader)
        # A day without a time may be partly outside a bound, which can be a moment within it.
        self.in_bounds((least, None), day.end - INSTANT if self.time else day.start, reader)
        self.in_bounds((None, most), day.start, reader)
        return WholeDay.beginning(day.start) if self.time else day.start

    def bounds(self, reader: Reader) -> tuple[datetime.datetime | None, datetime.datetime | None]:
        """From the start of the first minute to the last instant of the last day, minute or second."""
        bounds = (None if special_word(bound) and not reader.chooses_now else bound for bound in (self.min, self.max))
        least, most = (self.constant(bound, reader) if bound else None for bound in bounds)
        # Inputs and messages show whole minutes, so the first minute is accepted from its start.
        first = least.start.replace(second=0, microsecond=0) if least else None
        return first, most.end - INSTANT if most else None

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """With `NAME.later` for the second of two equal hours in autumn, which the input alone cannot express."""
        if value is None or isinstance(value, WholeDay):
            return {self.name: value.date_in(self._zone).isoformat() if value else ""}
        here = value.astimezone(reader.time_zone)
        typed = here.replace(tzinfo=None).isoformat(timespec="seconds" if here.second else "minutes")
        inputs: dict[str, str | list[str]] = {self.name: typed}
        if self.time:
            inputs = {self.name: typed.partition("T")[0], f"{self.name}.time": typed.partition("T")[2]}
        ambiguous = here.utcoffset() != here.replace(fold=0).utcoffset()
        return {**inputs, f"{self.name}.later": "1"} if ambiguous else inputs

    def show(self, value: Any, reader: Reader) -> str:
        """“Mar 5, 2024, 2:30 PM” in the reader's time zone; only the date of a day without a time."""
        if isinstance(value, WholeDay):
            return format_date(value.date_in(self._zone), "medium", locale=reader.locale_name)
        return "" if value is None else minute_text(value, reader.time_zone, reader.locale_name)

    def write(self, value: Any) -> str:
        """`2024-03-05T13:30:00Z`, in UTC; `2024-03-05` for a day without a time."""
        if isinstance(value, WholeDay):
            return value.date_in(self._zone).isoformat()
        return "" if value is None else utc_text(value)

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """Midnight in the portal's time zone can also be a date."""
        text, zone = self.write(value), reader.time_zone
        if value is None or value != whole_day(value.astimezone(zone).date(), zone).start:
            return (text,)
        return (text, value.astimezone(zone).date().isoformat())

    def constant(self, raw: Any, reader: Reader) -> Span:
        """A date is the whole day in the reader's time zone; a time without seconds is the whole minute."""
        if isinstance(raw, datetime.datetime):
            return Span(raw, raw + INSTANT)
        if isinstance(raw, datetime.date):
            return whole_day(raw, reader.time_zone)
        if span := _counted(raw, reader):
            return span
        moment = _parse_moment_or_day(str(raw), reader)
        if not isinstance(moment, datetime.datetime):
            return whole_day(moment, reader.time_zone)
        try:
            return Span(moment, moment + datetime.timedelta(seconds=1 if moment.second else 60))
        except OverflowError:
            raise Refused(_("This date is out of range.")) from None

    def default_value(self, raw: Any, reader: Reader) -> datetime.datetime | None:
        """The start of the day or minute; the day itself if it may have no time."""
        if is_nothing(raw):
            return None
        span = self.constant(raw, reader)
        if self.time and span.end - span.start > SHORTER_THAN_A_DAY:
            return WholeDay.beginning(self._with_day(span.start.astimezone(reader.time_zone).date(), reader).start)
        return span.start.replace(microsecond=0)

    def check_lower_bound(self, value: Any, least: Any, reader: Reader) -> None:
        """Compares the days if one of them has no time."""
        if isinstance(value, WholeDay) or isinstance(least, WholeDay):
            dates = (self._date_of(moment) for moment in (value, least))
            value, least = (WholeDay.beginning(whole_day(date, self._zone).start) for date in dates)
        super().check_lower_bound(value, least, reader)

    def _date_of(self, value: datetime.datetime) -> datetime.date:
        if isinstance(value, WholeDay):
            return value.date_in(self._zone)
        return value.astimezone(self._zone).date()

    def matches_field(self, value: Any, operator: str, other: Any) -> bool:
        """Compares the moments, as in SQL."""
        return super().matches_field(moment_of(value), operator, moment_of(other))

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`value` is a Span: `equal` means within it, `after` means after its end."""
        if not isinstance(value, Span):
            return super().compare(table, operator, value)
        column = self.expression(table)
        match operator:
            case "equal":
                return sa.and_(column >= value.start, column < value.end)
            case "max":
                return column < value.end
            case "after":
                return column >= value.end
        return super().compare(table, operator, value.start)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The first and the last second of the span and their neighbors; a bound is a single moment."""
        start, end = (constant.start, constant.end) if isinstance(constant, Span) else (constant, constant + SECOND)
        return start - SECOND, start, end - SECOND, end

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """`constant` is a Span: `equal` means within it, `after` means after its end."""
        if value is None or not isinstance(constant, Span):
            return super().matches(value, operator, constant)
        before, within = value < constant.start, constant.start <= value < constant.end
        behind = not before and not within
        answers = {"equal": within, "min": not before, "max": not behind, "before": before, "after": behind}
        return answers.get(operator, False)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """In the reader's time zone; not for what a cell cannot express: the second of two equal hours in autumn, and
        midnight if a cell without a time means the whole day."""
        if isinstance(value, WholeDay):
            date = value.date_in(self._zone)
            return SheetCell(date, DATE) if date >= FIRST_DAY else None
        here = value.astimezone(reader.time_zone).replace(tzinfo=None)
        is_read_as_a_day = self.time and here.time() == datetime.time()
        is_later = f"{self.name}.later" in self.inputs(value, reader)
        is_expressible = here.date() >= FIRST_DAY and not is_later and not is_read_as_a_day
        return SheetCell(here, DATE_AND_TIME) if is_expressible else None

    def texts(self, value: Any) -> Iterable[str]:
        """In the portal's time zone."""
        if value is None:
            return ()
        if isinstance(value, WholeDay):
            return day_texts(value.date_in(self._zone), self._locales)
        here = value.astimezone(self._zone)
        return (*day_texts(here.date(), self._locales), *clock_texts(here.time(), self._locales))

"""`time`: a time of day, without a time zone."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from babel.dates import format_time
from pydantic import BeforeValidator

from portal.fields.dates_and_times import (
    EXAMPLE,
    DateOrTime,
    Unreadable,
    clock_texts,
    parse_time,
    time_hint,
)
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.sheet_cell import CLOCK, CLOCK_WITH_SECONDS, SheetCell
from portal.texts import is_blank


def _bound(value: Any) -> Any:
    try:
        return value if isinstance(value, datetime.time) else parse_time(str(value), PLAIN)
    except Refused:
        raise ValueError('must be a time such as "14:30"') from None


Clock = Annotated[datetime.time, BeforeValidator(_bound)]


class Time(DateOrTime):
    """A time of day."""

    type: Literal["time"]
    column_type: ClassVar[Any] = sa.Time
    input_type: ClassVar[str] = "time"
    specials: ClassVar[tuple[str, ...]] = ("now",)
    sample: ClassVar[Mapping[str, Any]] = {"max": "23:00"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("00:00", datetime.time(0, 0), "12:00\u202fAM"),
        ("9:05 am", datetime.time(9, 5), "9:05\u202fAM"),
        ("14:30", datetime.time(14, 30), "2:30\u202fPM"),
        ("14:30:15", datetime.time(14, 30, 15), "2:30\u202fPM"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "24:00", "14", "14:60", "13:00 pm", "0:30 am", "23:01", "noon", "1:2:3", "14:30\x00", "1" * 100_000,
    )  # fmt: skip

    min: Clock | None = None
    max: Clock | None = None

    def parse(self, text: str, reader: Reader) -> datetime.time | None:
        """A time of day in the reader's format, or `14:30`; between `min` and `max`."""
        if is_blank(text):
            return None
        try:
            time = parse_time(text, reader)
        except Unreadable:
            raise Refused(time_hint(self.example(EXAMPLE.time(), reader), reader)) from None
        return self.in_bounds(self.bounds(reader), time, reader)

    def show(self, value: Any, reader: Reader) -> str:
        """“2:30 PM” in the reader's language."""
        return "" if value is None else format_time(value, "short", locale=reader.locale)

    def write(self, value: Any) -> str:
        """`14:30`, with seconds if it has any."""
        if value is None:
            return ""
        return value.isoformat("auto" if value.second or value.microsecond else "minutes")

    def constant(self, raw: Any, reader: Reader) -> datetime.time:
        """`now` is the time of day in the reader's time zone."""
        if isinstance(raw, datetime.time):
            return raw
        if raw == "now":
            return reader.now.astimezone(reader.time_zone).time().replace(microsecond=0)
        return parse_time(str(raw), reader)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The time of day, and a second earlier and later within the same day."""
        moment = datetime.datetime.combine(EXAMPLE, constant)
        beside = (moment - datetime.timedelta(seconds=1), moment + datetime.timedelta(seconds=1))
        return constant, *(other.time() for other in beside if other.date() == moment.date())

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell:
        return SheetCell(value, CLOCK_WITH_SECONDS if value.second else CLOCK)

    def texts(self, value: Any) -> Iterable[str]:
        """In 24-hour format, and as written in the portal's languages."""
        return () if value is None else clock_texts(value, self._locales)

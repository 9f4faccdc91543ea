"""`date`: a day."""

import datetime
import functools
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from babel.dates import format_date
from pydantic import BeforeValidator, WithJsonSchema

from portal.conditions import special_word
from portal.fields.base_parts import Measure
from portal.fields.dates_and_times import (
    EXAMPLE,
    DateOrTime,
    Unreadable,
    date_hint,
    day_from_today,
    day_texts,
    parse_date,
)
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.sheet_cell import DATE, FIRST_DAY, SheetCell
from portal.texts import is_blank

DAY = datetime.timedelta(days=1)


def _bound(value: Any) -> Any:
    try:
        if type(value) is datetime.date or (special_word(value) == "today" and day_from_today(value, PLAIN)):
            return value
        return parse_date(str(value), PLAIN)
    except Refused:
        raise ValueError("must be a date such as 2024-03-31, or today, or today + 30 days") from None


# A bound relative to today is kept as it was written.
_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2}|today.*)$"})
Day = Annotated[datetime.date | str, BeforeValidator(_bound), _SCHEMA]


@functools.lru_cache(maxsize=5_000)
def _format(value: datetime.date, locale: str) -> str:
    return format_date(value, "medium", locale=locale)


class Date(DateOrTime):
    """A day."""

    type: Literal["date"]
    column_type: ClassVar[Any] = sa.Date
    measure: ClassVar[Measure | None] = Measure("date")
    input_type: ClassVar[str] = "date"
    display: ClassVar[str] = "date"
    specials: ClassVar[tuple[str, ...]] = ("today",)
    sample: ClassVar[Mapping[str, Any]] = {"min": "1900-01-01"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("1999-12-31", datetime.date(1999, 12, 31), "Dec 31, 1999"),
        ("2024-02-29", datetime.date(2024, 2, 29), "Feb 29, 2024"),
        ("3/5/24", datetime.date(2024, 3, 5), "Mar 5, 2024"),
        (" Mar 6, 2024 ", datetime.date(2024, 3, 6), "Mar 6, 2024"),
        ("7 March 2024", datetime.date(2024, 3, 7), "Mar 7, 2024"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "2023-02-29", "1899-12-31", "31/12/1999", "2024", "soon", "3/5", "1.2.3.4", "10000-01-01", "0000-01-01",
        "2024-03-05\x00", "1" * 100_000,
    )  # fmt: skip

    min: Day | None = None
    max: Day | None = None

    def parse(self, text: str, reader: Reader) -> datetime.date | None:
        """A date in the reader's format, or ISO; between `min` and `max`."""
        if is_blank(text):
            return None
        try:
            date = parse_date(text, reader)
        except Unreadable:
            raise Refused(date_hint(self.example(EXAMPLE.date(), reader), reader)) from None
        return self.in_bounds(self.bounds(reader), date, reader)

    def bounds(self, reader: Reader) -> tuple[datetime.date | None, datetime.date | None]:
        """`today` is the reader's own day."""
        least, most = (self._bound_for(bound, reader) for bound in (self.min, self.max))
        return least, most

    def _bound_for(self, bound: datetime.date | str | None, reader: Reader) -> datetime.date | None:
        if not isinstance(bound, str):
            return bound
        return day_from_today(bound, reader) if reader.chooses_now else None

    def show(self, value: Any, reader: Reader) -> str:
        """“Mar 5, 2024” in the reader's language."""
        return "" if value is None else _format(value, reader.locale_name)

    def write(self, value: Any) -> str:
        """`2024-03-05`."""
        return "" if value is None else value.isoformat()

    def constant(self, raw: Any, reader: Reader) -> datetime.date:
        """`today`, and days relative to it, are in the reader's time zone; so is the day of a moment."""
        if isinstance(raw, datetime.datetime):
            return raw.astimezone(reader.time_zone).date()
        if isinstance(raw, datetime.date):
            return raw
        return day_from_today(raw, reader) or parse_date(str(raw), reader)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The day, the one before and the one after."""
        return constant, constant - DAY, constant + DAY

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """The day, if spreadsheets support it."""
        return SheetCell(value, DATE) if value >= FIRST_DAY else None

    def texts(self, value: Any) -> Iterable[str]:
        """In figures, and in words in the portal's languages."""
        return () if value is None else day_texts(value, self._locales)

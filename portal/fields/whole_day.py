"""Span: what a moment in a condition means, such as a whole day; WholeDay: a datetime whose time was left out."""

import datetime
from dataclasses import dataclass
from typing import Any, Self

from portal.fields.refused import Refused
from portal.texts import _

HALF = datetime.timedelta(hours=12)


@dataclass(frozen=True)
class Span:
    """What a moment in a condition means: a whole day, a whole minute, or a single instant. `end` is exclusive."""

    start: datetime.datetime
    end: datetime.datetime


def whole_day(date: datetime.date, zone: datetime.tzinfo) -> Span:
    """The whole day in the time zone `zone`; it may have 23 or 25 hours."""
    try:
        return Span(_start_of(date, zone), _start_of(date + datetime.timedelta(days=1), zone))
    except OverflowError:
        raise Refused(_("This date is out of range.")) from None


def _start_of(date: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    # If clocks go forward at midnight, zoneinfo uses the offset before: the moment of the change itself.
    return datetime.datetime.combine(date, datetime.time(), zone).astimezone(datetime.UTC)


class WholeDay(datetime.datetime):
    """The beginning of a day without a time: ordered like that moment, but unequal to any moment with a time."""

    @classmethod
    def beginning(cls, moment: datetime.datetime) -> Self:
        """The day that begins at `moment`."""
        return cls.combine(moment.date(), moment.time(), moment.tzinfo)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WholeDay) and super().__eq__(other)

    def __ne__(self, other: object) -> bool:  # that of datetime would not call __eq__
        return not self == other

    __hash__ = datetime.datetime.__hash__

    def date_in(self, zone: datetime.tzinfo) -> datetime.date:
        """The date. Determined at noon, so that it stays the same if the portal's time zone changes."""
        return (moment_of(self) + HALF).astimezone(zone).date()


def moment_of(value: Any) -> Any:
    """A moment as a plain datetime, including the beginning of a day without a time; None for None."""
    if not isinstance(value, WholeDay):
        return value
    return datetime.datetime.combine(value.date(), value.time(), value.tzinfo)

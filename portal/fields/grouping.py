"""How charts count and sum: by which fields, in which periods, and the SQL for both.

A filter finds what each part of a chart counts: every counted value has parameters for the address of a list.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.reader import Reader

Period = Literal["day", "week", "month", "quarter", "year"]
# The number of periods in a chart: the present one and those before it.
SHOWN: dict[Period, int] = {"day": 30, "week": 13, "month": 12, "quarter": 8, "year": 5}
MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}
DAYS: dict[Period, int] = {"day": 1, "week": 7}


def is_dated(field: Field) -> bool:
    """Whether its values are days or moments, which belong to periods."""
    return "today" in field.specials


def has_groups(field: Field) -> bool:
    """Whether a chart can count records by the values of a field, each of which a filter can find."""
    return field.filter in ("options", "link") and not (field.multiple or field.virtual)


@dataclass(frozen=True)
class Periods:
    """The latest periods, up to that of a given day: `starts` has the first day of each, and the day after the last."""

    kind: Period
    starts: tuple[datetime.date, ...]

    def __iter__(self) -> Iterator[tuple[datetime.date, datetime.date]]:
        """The first and the last day of each."""
        day = datetime.timedelta(days=1)
        return ((start, after - day) for start, after in zip(self.starts, self.starts[1:], strict=False))

    def ends(self, field: Field, reader: Reader) -> tuple[Any, ...]:
        """The constants of `field` before which each period ends, with days in the time zone of `reader`."""
        return tuple(field.constant(after, reader) for after in self.starts[1:])


def place_in_periods(field: Field, table: sa.FromClause, ends: Sequence[Any]) -> sa.ColumnElement[int]:
    """SQL for the index of the period of a chart that contains the value of `field`; `ends`: see Periods."""
    ways: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[int]]] = [
        (field.compare(table, "before", end), sa.literal_column(str(place))) for place, end in enumerate(ends)
    ]
    return sa.case(*ways, else_=sa.literal_column(str(len(ways))))


def latest_periods(kind: Period, today: datetime.date) -> Periods:
    """The present period and those before it. Weeks begin on Mondays."""
    number = SHOWN[kind]
    if kind in MONTHS:
        months = MONTHS[kind]
        present = (today.year * 12 + today.month - 1) // months
        firsts = (present * months + months * (place - number + 1) for place in range(number + 1))
        return Periods(kind, tuple(datetime.date(month // 12, month % 12 + 1, 1) for month in firsts))
    first = today - datetime.timedelta(days=today.weekday() if kind == "week" else 0)
    return Periods(
        kind, tuple(first + datetime.timedelta(days=DAYS[kind] * (place - number + 1)) for place in range(number + 1))
    )

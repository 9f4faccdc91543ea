"""Stopwatches: elapsed times that are counted in working time, or over the states of a record, with their columns.

Working time up to a moment is a number (`WorkingHours.reading`), so that the difference of two numbers is the time
between. A stopwatch that has stopped holds its `total`; one that runs holds `since`: what the reading was when it was
at zero.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.fields.working_hours import WorkingHours


@dataclass(frozen=True)
class Stopwatch:
    """`start`, `end`: the datetimes between which it runs; or `states`: those of the record in which it does."""

    start: str
    end: str
    states: frozenset[str]
    hours: WorkingHours
    columns: tuple[str, str]  # the names of those that hold `total` and `since`

    @property
    def recipe(self) -> list[Any]:
        """All that decides about its columns, as plain JSON."""
        hours = self.hours
        counted = [str(hours.zone), list(hours.week), sorted(map(str, hours.dates_off)), list(hours.countries)]
        return [self.start, self.end, sorted(self.states), counted]

    def between(self, start: datetime.datetime | None, end: datetime.datetime | None) -> tuple[int | None, int | None]:
        """`total` and `since` of one that runs between two moments, the second of which may be to come."""
        if start is None:
            return None, None
        since = self.hours.reading(start)
        return (None, since) if end is None else (self.hours.reading(end) - since, None)

    def over(self, stays: Iterable[tuple[datetime.datetime, str | None]]) -> tuple[int | None, int | None]:
        """`total` and `since` of one that runs in some states; `stays`: since when the record was in which."""
        total, since = 0, None
        for moment, state in stays:
            if state in self.states and since is None:
                since = self.hours.reading(moment)
            elif state not in self.states and since is not None:
                total, since = total + self.hours.reading(moment) - since, None
        return (total, None) if since is None else (None, since - total)

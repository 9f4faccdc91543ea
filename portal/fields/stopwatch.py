"""Stopwatches: elapsed times in working time, or over the states of a record, with their columns.

Working time up to a moment is a number (`WorkingHours.reading`), so that the difference of two numbers is the time
between them. A stopped stopwatch has its `total`; a running one has `since`: the reading at which it was at zero.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.fields.working_hours import WorkingHours


@dataclass(frozen=True)
class Stopwatch:
    """The stopwatch of an elapsed time: runs between the datetimes `start` and `end`, or while the record is in one of
    `states`."""

    start: str
    end: str
    states: frozenset[str]
    hours: WorkingHours
    columns: tuple[str, str]  # the names of those for `total` and `since`

    @property
    def recipe(self) -> list[Any]:
        """Everything that determines its columns, as plain JSON."""
        hours = self.hours
        counted = [str(hours.zone), list(hours.week), sorted(map(str, hours.dates_off)), list(hours.countries)]
        return [self.start, self.end, sorted(self.states), counted]

    def between(self, start: datetime.datetime | None, end: datetime.datetime | None) -> tuple[int | None, int | None]:
        """`total` and `since` of one that runs between two moments, of which the second may not have come yet."""
        if start is None:
            return None, None
        since = self.hours.reading(start)
        return (None, since) if end is None else (self.hours.reading(end) - since, None)

    def over(self, stays: Iterable[tuple[datetime.datetime, str | None]]) -> tuple[int | None, int | None]:
        """`total` and `since` of one that runs in some states; `stays`: when the record entered each state."""
        total, since = 0, None
        for moment, state in stays:
            if state in self.states and since is None:
                since = self.hours.reading(moment)
            elif state not in self.states and since is not None:
                total, since = total + self.hours.reading(moment) - since, None
        return (total, None) if since is None else (None, since - total)

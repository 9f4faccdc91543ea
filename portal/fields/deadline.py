"""Deadlines that the portal sets: `within` of a datetime, and the clock that runs towards one.

The clock stands still in the states of `pause`, where the record has no deadline, and in those of `stop`, where the
work is done and its deadline stays. What is left when it stands is left when it goes on.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.fields.working_hours import MOST_TIME, WorkingHours

ALWAYS = ""  # stands for the choice of a deadline that depends on none


@dataclass(frozen=True)
class Clock:
    """`used`: the working seconds that had passed when it began to run, at `since`, or when it came to stand still.

    `left`: how many were left then until the deadline; None without one, and for one that was given meanwhile.
    """

    used: int = 0
    since: datetime.datetime | None = None  # None: it stands still
    left: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored beside the deadline."""
        return {"used": self.used, "since": self.since and self.since.isoformat(), "left": self.left}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any] | None, created: datetime.datetime) -> "Clock":
        """The stored clock; of a record from before there was one a clock that runs since then."""
        if stored is None:
            return cls(since=created)
        since = datetime.datetime.fromisoformat(stored["since"]) if stored["since"] else None
        return cls(stored["used"], since, stored["left"])


@dataclass(frozen=True)
class Timing:
    """The deadline of one record and its clock."""

    deadline: datetime.datetime | None
    clock: Clock


@dataclass(frozen=True)
class Change:
    """What a change of a record does that concerns a deadline; `gives`: somebody sets the deadline to `given`."""

    state_before: str | None
    state: str | None
    option_before: str | None
    option: str | None
    gives: bool = False
    given: datetime.datetime | None = None


@dataclass(frozen=True)
class DeadlineRule:
    """`choice`: the field whose option decides how much time there is; "" where it is always the same."""

    choice: str
    periods: Mapping[str, str]  # by option, or one under ALWAYS
    pause: frozenset[str]
    stop: frozenset[str]
    hours: WorkingHours

    def allowed(self, option: str | None) -> int | None:
        """The working seconds that there are; None: there is no deadline."""
        period = self.periods.get(option or ALWAYS)
        return None if period is None else self.hours.seconds(period)

    def kind(self, state: str | None) -> str:
        """What the clock does in a state: it runs, pauses or is stopped."""
        return "pauses" if state in self.pause else "is stopped" if state in self.stop else "runs"

    def is_late(self, deadline: datetime.datetime | None, state: str | None, now: datetime.datetime) -> bool:
        """Whether a deadline has passed and the clock still runs."""
        return deadline is not None and deadline < now and self.kind(state) == "runs"

    def start(
        self, created: datetime.datetime, option: str | None, state: str | None, given: datetime.datetime | None
    ) -> Timing:
        """Of a new record; `given`: a deadline that somebody set. None where the clock never runs."""
        allowed, created = self.allowed(option), created.replace(microsecond=0)
        deadline = given or (None if allowed is None else self.hours.later(created, allowed))
        timing = Timing(deadline, Clock(since=created))
        if self.kind(state) == "runs":
            return timing
        still = self._standing(timing, created, state)
        return self._give(still, given) if given else replace(still, deadline=None)

    def change(self, timing: Timing, now: datetime.datetime, change: Change) -> Timing:
        """What becomes of a deadline by a change of its record."""
        now, kind = now.replace(microsecond=0), self.kind(change.state)
        moves = kind != self.kind(change.state_before)
        # A clock may also stand in a state in which it runs, since the declaration has changed.
        if timing.clock.since is None and (moves or kind == "runs"):
            timing = self._going_on(timing, now)
        if change.option != change.option_before:
            timing = self._choose(timing, change.option, change.state)
        if change.gives:
            timing = self._give(timing, change.given)
        return self._standing(timing, now, change.state) if moves and kind != "runs" else timing

    def _going_on(self, timing: Timing, now: datetime.datetime) -> Timing:
        clock = timing.clock
        deadline = timing.deadline if clock.left is None else self.hours.later(now, clock.left)
        return Timing(deadline, Clock(clock.used, now))

    def _standing(self, timing: Timing, now: datetime.datetime, state: str | None) -> Timing:
        clock, deadline = timing.clock, timing.deadline
        used = clock.used + (self.hours.between(clock.since, now) if clock.since else 0)
        if deadline is None or abs(deadline - now) > MOST_TIME:  # so far away, it is not moved by pauses
            return Timing(deadline, Clock(used))
        left = self.hours.between(now, deadline)
        return Timing(None if self.kind(state) == "pauses" else deadline, Clock(used, None, left))

    def _choose(self, timing: Timing, option: str | None, state: str | None) -> Timing:
        """The deadline for another option: as if it had been chosen from the beginning."""
        allowed, clock = self.allowed(option), timing.clock
        left = None if allowed is None else allowed - clock.used
        if clock.since is None:
            return Timing(None if self.kind(state) == "pauses" else timing.deadline, replace(clock, left=left))
        return replace(timing, deadline=None if left is None else self.hours.later(clock.since, left))

    @staticmethod
    def _give(timing: Timing, deadline: datetime.datetime | None) -> Timing:
        """A deadline that somebody set, which is still that one when the clock goes on."""
        clock = timing.clock
        return Timing(deadline, clock if clock.since else replace(clock, left=None))

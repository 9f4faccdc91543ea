"""Deadlines that the portal sets: `within` of a datetime, and the clock that runs toward a deadline.

The clock pauses in the states of `pause`, in which the record has no deadline, and stops in those of `stop`, in which
the work is done and its deadline stays; it also stops once the moment of `to` is set. The time left when it pauses or
stops is still left when it continues.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from portal.fields.working_hours import MOST_TIME, WorkingHours

ALWAYS = ""  # the option of a deadline that does not depend on a choice


def is_path(target: str) -> bool:
    """Whether `within` of a deadline names a field that holds a duration, not a period."""
    return not target[:1].isdigit()


class ClockState(StrEnum):
    """What the clock of a deadline does."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Clock:
    """The clock of a deadline. `used`: the working seconds that had passed when it began to run (`since`), or stopped.

    `left`: how many were left until the deadline at that time; None without one, and if it was set by hand since.
    """

    used: int = 0
    since: datetime.datetime | None = None  # None: it does not run
    left: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the deadline."""
        return {"used": self.used, "since": self.since and self.since.isoformat(), "left": self.left}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any] | None, begun: datetime.datetime | None) -> "Clock":
        """The stored clock; for a record older than the clock, one that has been running since it has `begun`."""
        if stored is None:
            return cls(since=begun)
        since = datetime.datetime.fromisoformat(stored["since"]) if stored["since"] else None
        return cls(stored["used"], since, stored["left"])


@dataclass(frozen=True)
class Timing:
    """The deadline of one record and its clock."""

    deadline: datetime.datetime | None
    clock: Clock


@dataclass(frozen=True)
class Situation:
    """What determines the deadline of a record at a moment.

    `since`: the moment from which the time counts; `allowed`: the working seconds available, None for no deadline;
    `choice`: the option that decided them; `done`: when the work was done, if a field says so.
    """

    clock_state: ClockState
    since: datetime.datetime | None
    allowed: int | None
    choice: Any = None
    done: datetime.datetime | None = None


@dataclass(frozen=True)
class DeadlineRule:
    """How the portal sets a deadline. `choice`: the field whose option decides the time; "" if none does."""

    choice: str
    targets: Mapping[str, str]  # by option, or one under ALWAYS: a period, or the dotted path of a duration
    pause: frozenset[str]
    stop: frozenset[str]
    hours: WorkingHours
    clock_column: str  # the name of the companion column that holds the clock
    since: str = "created"  # the field from whose moment the time counts
    until: str | None = None  # the field with the moment when the work was done

    def target(self, option: str | None) -> str | None:
        """The period, or the path, for an option; None: there is no deadline."""
        return self.targets.get(option or ALWAYS)

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted paths of the durations that set the available time."""
        return tuple(dict.fromkeys(target for target in self.targets.values() if is_path(target)))

    @property
    def sources(self) -> tuple[str, ...]:
        """The fields of the record that determine the deadline, except its state."""
        links = (path.partition(".")[0] for path in self.paths)
        return tuple(dict.fromkeys(filter(None, (self.choice, *links, self.since, self.until))))

    def clock_state(self, state: str | None, done: datetime.datetime | None = None) -> ClockState:
        """What the clock does in a state of the record; `done`: the moment of `until`."""
        if done is not None or state in self.stop:
            return ClockState.STOPPED
        return ClockState.PAUSED if state in self.pause else ClockState.RUNNING

    def start(self, situation: Situation, given: datetime.datetime | None) -> Timing:
        """The timing of a new record; `given`: a deadline set by hand. Without it, there is no deadline if the clock
        does not run, unless the record comes with the moment at which it was done."""
        timing = self._begin(situation)
        timing = replace(timing, deadline=given or timing.deadline)
        if situation.clock_state is ClockState.RUNNING or timing.clock.since is None:
            return timing
        halted = self._halt(timing, situation.done or timing.clock.since, situation.clock_state)
        if given:
            return self._set_by_hand(halted, given)
        return halted if situation.done else replace(halted, deadline=None)

    def change(
        self,
        timing: Timing,
        now: datetime.datetime,
        before: Situation,
        after: Situation,
        *given: datetime.datetime | None,
    ) -> Timing:
        """The timing after a change of the record; `given`: the deadline set by hand, if any."""
        now, clock_state = now.replace(microsecond=0), after.clock_state
        is_running, moves = clock_state is ClockState.RUNNING, clock_state is not before.clock_state
        if after.since != before.since:
            timing, moves = self._begin(after), True
        # A clock may also be paused in a state in which it should run, because the declaration has changed.
        elif timing.clock.since is None and after.since and (moves or is_running):
            timing = self._resume(timing, now)
        if after.choice != before.choice:
            timing = self._choose(timing, after)
        for deadline in given:
            timing = self._set_by_hand(timing, deadline)
        return self._halt(timing, now, clock_state) if moves and not is_running and after.since else timing

    def _begin(self, situation: Situation) -> Timing:
        if situation.since is None:
            return Timing(None, Clock())
        since, allowed = situation.since.replace(microsecond=0), situation.allowed
        return Timing(None if allowed is None else self.hours.later(since, allowed), Clock(since=since))

    def _resume(self, timing: Timing, now: datetime.datetime) -> Timing:
        clock = timing.clock
        deadline = timing.deadline if clock.left is None else self.hours.later(now, clock.left)
        return Timing(deadline, Clock(clock.used, now))

    def _halt(self, timing: Timing, now: datetime.datetime, clock_state: ClockState) -> Timing:
        """The timing with the clock paused or stopped."""
        clock, deadline = timing.clock, timing.deadline
        used = clock.used + (self.hours.between(clock.since, now) if clock.since else 0)
        if deadline is None or abs(deadline - now) > MOST_TIME:  # too far away to be moved by pauses
            return Timing(deadline, Clock(used))
        left = self.hours.between(now, deadline)
        return Timing(None if clock_state is ClockState.PAUSED else deadline, Clock(used, None, left))

    def _choose(self, timing: Timing, situation: Situation) -> Timing:
        """The deadline for another choice, as if it had been made from the beginning."""
        clock, allowed = timing.clock, situation.allowed if situation.since else None
        left = None if allowed is None else allowed - clock.used
        if clock.since is None:
            deadline = None if situation.clock_state is ClockState.PAUSED else timing.deadline
            return Timing(deadline, replace(clock, left=left))
        return replace(timing, deadline=None if left is None else self.hours.later(clock.since, left))

    @staticmethod
    def _set_by_hand(timing: Timing, deadline: datetime.datetime | None) -> Timing:
        """A deadline set by hand, which stays the same when the clock continues."""
        clock = timing.clock
        return Timing(deadline, clock if clock.since else replace(clock, left=None))

"""The clock of a deadline whose declaration has changed since it was stored."""

import datetime

import pytest

from portal.fields.deadline import ClockState, DeadlineRule, Situation
from portal.fields.working_hours import WorkingHours

NOON, DAY = datetime.datetime(2026, 3, 5, 12, tzinfo=datetime.UTC), datetime.timedelta(days=1)
RULE = DeadlineRule("", {"": "4 h"}, frozenset({"waiting"}), frozenset(), WorkingHours(), "_due_clock")
RUNS, PAUSES = Situation(ClockState.RUNNING, NOON, 4 * 3_600), Situation(ClockState.PAUSED, NOON, 4 * 3_600)


@pytest.mark.parametrize("year", [1900, 9999])
def test_a_deadline_that_was_set_for_the_far_future_or_past_is_still_that_one_after_a_pause(year):
    far = datetime.datetime(year, 12, 31, tzinfo=datetime.UTC)
    timing = RULE.start(RUNS, far)
    timing = RULE.change(timing, NOON, RUNS, PAUSES)
    assert RULE.change(timing, NOON + DAY, PAUSES, RUNS).deadline == far


def test_a_clock_that_stood_still_in_a_state_that_is_no_pause_any_more_goes_on_with_the_next_change():
    still = RULE.start(PAUSES, None)
    going = RULE.change(still, NOON + DAY, RUNS, RUNS)
    assert (still.deadline, going.deadline) == (None, NOON + DAY + datetime.timedelta(hours=4))
    assert going.clock.since == NOON + DAY

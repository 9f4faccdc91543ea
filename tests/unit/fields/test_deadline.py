"""The clock of a deadline where the declaration has changed since it was stored."""

import datetime
from dataclasses import replace

import pytest

from portal.fields.deadline import Change, DeadlineRule
from portal.fields.working_hours import WorkingHours

NOON, DAY = datetime.datetime(2026, 3, 5, 12, tzinfo=datetime.UTC), datetime.timedelta(days=1)
RULE = DeadlineRule("", {"": "4 h"}, frozenset({"waiting"}), frozenset(), WorkingHours())


@pytest.mark.parametrize("year", [1900, 9999])
def test_a_deadline_that_was_set_for_the_far_future_or_past_is_still_that_one_after_a_pause(year):
    far = datetime.datetime(year, 12, 31, tzinfo=datetime.UTC)
    timing = RULE.start(NOON, None, "new", far)
    timing = RULE.change(timing, NOON, Change("new", "waiting", None, None))
    assert RULE.change(timing, NOON + DAY, Change("waiting", "new", None, None)).deadline == far


def test_a_clock_that_stood_still_in_a_state_that_is_no_pause_any_more_goes_on_with_the_next_change():
    still = RULE.start(NOON, None, "waiting", None)
    without_pause = replace(RULE, pause=frozenset())
    going = without_pause.change(still, NOON + DAY, Change("waiting", "new", None, None))
    assert (still.deadline, going.deadline) == (None, NOON + DAY + datetime.timedelta(hours=4))
    assert going.clock.since == NOON + DAY

"""The clock of a deadline where the declaration has changed since it was stored."""

import datetime
from dataclasses import replace

from portal.fields.deadline import Change, DeadlineRule
from portal.fields.working_hours import WorkingHours

NOON, DAY = datetime.datetime(2026, 3, 5, 12, tzinfo=datetime.UTC), datetime.timedelta(days=1)
RULE = DeadlineRule("", {"": "4 h"}, frozenset({"waiting"}), frozenset(), WorkingHours())


def test_a_clock_that_stood_still_in_a_state_that_is_no_pause_any_more_goes_on_with_the_next_change():
    still = RULE.start(NOON, None, "waiting", None)
    without_pause = replace(RULE, pause=frozenset())
    going = without_pause.change(still, NOON + DAY, Change("waiting", "new", None, None))
    assert (still.deadline, going.deadline) == (None, NOON + DAY + datetime.timedelta(hours=4))
    assert going.clock.since == NOON + DAY

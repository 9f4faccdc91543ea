"""When the worker rests, and for how long."""

import datetime
import threading

import pytest

from portal.jobs import worker
from portal.jobs.worker import PAUSE, Regularly, run

NOW = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


class Stopping(threading.Event):
    """Remembers the length of the rest after a round, and ends it."""

    rest: float = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.rest = timeout or 0.0
        self.set()
        return True


@pytest.mark.parametrize(("worked", "rests_long"), [([True, False], False), ([False, False], True)])
def test_only_rounds_that_find_nothing_to_do_are_followed_by_long_rest(monkeypatch, worked, rests_long):
    monkeypatch.setattr(worker, "RESTS", 10**9)
    stopping = Stopping()
    run(lambda: [lambda done=done: done for done in worked], stopping)
    assert (stopping.rest > PAUSE) is rests_long


def test_what_is_done_regularly_is_done_once_in_a_period_and_after_the_clock_was_set_back():
    every = Regularly(MINUTE)
    moments = [NOW, NOW + MINUTE / 2, NOW + MINUTE, NOW + MINUTE * 1.5, NOW - MINUTE]
    assert [every.is_time(moment) for moment in moments] == [True, False, True, False, True]

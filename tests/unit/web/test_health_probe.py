"""What monitors see, also while the database does not answer."""

import dataclasses
import threading

import pytest

from portal.jobs.pending_work import PendingWork
from portal.web.health_probe import LATE, LEAST_SPACE, RESULT_LIFETIME, WORKER_SILENT, Health, Probe

WELL = Health(PendingWork(worker_seen=3.0), LEAST_SPACE * 10, sends_email=True, declarations_accepted=True)


def pending_work(**values):
    return dataclasses.replace(WELL, pending_work=dataclasses.replace(WELL.pending_work, **values))


@pytest.mark.parametrize(
    ("health", "behind"),
    [
        (WELL, ()),
        (pending_work(letters=3, oldest_letter=LATE + 1), ("letters",)),
        (dataclasses.replace(pending_work(letters=3, oldest_letter=LATE + 1), sends_email=False), ()),
        (pending_work(letters=3, oldest_letter=60.0), ()),
        (pending_work(news=1, oldest_news=LATE + 1), ("news",)),
        (pending_work(worker_seen=WORKER_SILENT + 1), ("worker",)),
        (pending_work(worker_seen=None), ()),
        (pending_work(worker_seen=None, news=1, oldest_news=2.0), ("worker",)),
        (dataclasses.replace(WELL, free_space=LEAST_SPACE - 1), ("disk",)),
        (dataclasses.replace(WELL, free_space=None, declarations_accepted=False), ("declarations",)),
    ],
)
def test_what_needs_attention_is_named(health, behind):
    assert health.behind == behind


def test_a_database_that_hangs_is_waited_for_by_one_thread_and_by_no_answer():
    gone, asked, now = threading.Event(), [], [0.0]

    def ask():
        asked.append(threading.current_thread())
        if len(asked) > 1:
            gone.wait()
        return WELL

    probe = Probe(ask, clock=lambda: now[0])
    assert probe.health(timeout=30) == WELL
    assert probe.health(timeout=0) == WELL  # the last answer counts for a while
    now[0] += RESULT_LIFETIME
    # An answer that waited for the database would never come.
    assert [probe.health(timeout=0.01) for _number in range(3)] == [None] * 3
    assert len(asked) == 2
    gone.set()
    asked[-1].join()
    assert probe.health(timeout=30) == WELL


def test_a_database_that_refuses_is_unavailable_at_once():
    def ask():
        raise OSError("no such host")

    assert Probe(ask).health(timeout=30) is None

"""The health of the portal, for monitors: answered immediately, even if the database or a disk does not respond.

A thread of its own checks. While it waits for a database that is gone, further requests start no more checks; a recent
result counts until then, so that a slow database does not look like a dead one.
"""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portal.database.errors import DatabaseError
from portal.jobs.pending_work import PendingWork

TIMEOUT = 0.08  # seconds that a response waits for the database
RESULT_LIFETIME = 10.0  # seconds for which the last result counts while the next one is awaited
LATE = 15 * 60.0  # seconds after which waiting work is late
WORKER_SILENT = 5 * 60.0  # seconds without a heartbeat of the worker
LEAST_SPACE = 200_000_000  # bytes


@dataclass(frozen=True)
class Health:
    """What monitors read. `free_space` in bytes, None if the files are on no disk of this machine."""

    pending_work: PendingWork
    free_space: int | None
    sends_email: bool  # without a mail server, letters wait forever, and none is late
    declarations_accepted: bool

    @property
    def behind(self) -> tuple[str, ...]:
        """The names of everything that needs attention."""
        return tuple(name for name, is_behind in self.attention.items() if is_behind)

    @property
    def attention(self) -> dict[str, bool]:
        """Everything that may need attention, and whether it does."""
        pending_work = self.pending_work
        has_work = pending_work.news > 0 or pending_work.webhooks > 0 or (pending_work.letters > 0 and self.sends_email)
        return {
            "letters": self.sends_email and (pending_work.oldest_letter or 0) > LATE,
            "news": (pending_work.oldest_news or 0) > LATE,
            "webhooks": (pending_work.oldest_webhook or 0) > LATE,
            "worker": (has_work or pending_work.worker_seen is not None)
            and (pending_work.worker_seen is None or pending_work.worker_seen > WORKER_SILENT),
            "inbox": (pending_work.inbox_seen or 0) > LATE,
            "disk": self.free_space is not None and self.free_space < LEAST_SPACE,
            "declarations": not self.declarations_accepted,
        }

    def details(self) -> dict[str, Any]:
        """All figures of the portal's health, for those who may see them."""
        return {
            "behind": list(self.behind),
            **asdict(self.pending_work),
            "free_space": self.free_space,
            "sends_email": self.sends_email,
            "declarations_accepted": self.declarations_accepted,
        }


class Probe:
    """Checks the health of one portal; `ask` may take any time, and raise the database's errors."""

    def __init__(self, ask: Callable[[], Health], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock, self._guard = ask, clock, threading.Lock()
        self._done: threading.Event | None = None  # of the running check
        self._last: Health | None = None
        self._answered = float("-inf")

    def health(self, timeout: float | None = None) -> Health | None:
        """The health now; None if the database does not answer within `timeout`, or TIMEOUT."""
        with self._guard:
            done = self._done
            if done is None:
                done = self._done = threading.Event()
                threading.Thread(target=self._run, args=(done,), name="health", daemon=True).start()
        if done.wait(TIMEOUT if timeout is None else timeout):
            return self._last
        return self._last if self._clock() - self._answered < RESULT_LIFETIME else None

    def _run(self, done: threading.Event) -> None:
        try:
            health = self._ask()
        except (*DatabaseError, OSError):
            health = None
        with self._guard:
            self._last, self._answered, self._done = health, self._clock(), None
        done.set()


def free_space(*places: Path) -> int | None:
    """The free bytes in the fullest of the places; None if none of them exists."""
    return min((shutil.disk_usage(place).free for place in places if place.exists()), default=None)

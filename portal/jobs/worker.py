"""The worker: announces events, does what is due, invites, sends letters, notifies webhooks, until it is stopped.

It also finishes the work on the search index that a killed process has left.

Without a mail server, letters stay in the outbox.
"""

import contextlib
import datetime
import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.database import queue
from portal.database.deliveries import forget_deliveries
from portal.database.errors import DatabaseError, driver_error
from portal.database.schema.tables import Tables
from portal.jobs.announcing import Announcing
from portal.jobs.delivering import Delivering
from portal.jobs.inviting import Inviting
from portal.jobs.pending_work import WORKER, record_heartbeat
from portal.jobs.retention import Retention
from portal.jobs.scheduled_tasks import Due
from portal.jobs.sending import Sending, tell_administrators
from portal.jobs.transactions import in_retried_transaction
from portal.mail.account_letters import letters_given_up_letter, webhooks_given_up_letter
from portal.mail.builder import Sender
from portal.mail.smtp import SmtpServer
from portal.records.indexing.backlog import catch_up_later, running_threads
from portal.records.writing.form_keys import forget_old_keys

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two rounds
SHUTDOWN_TIMEOUT = 5.0  # seconds for what is being sent when the process ends
RESTS = 3  # a pause lasts at least this many times as long as a round that found nothing to do
BEAT_EVERY = datetime.timedelta(seconds=30)
DUE_EVERY = datetime.timedelta(minutes=1)
MOST_OF_THE_TIME = 50  # looking for due tasks takes at most this fraction (1/n) of the time
DELETE_EVERY = datetime.timedelta(hours=1)
INDEX_EVERY = datetime.timedelta(hours=1)  # not more often: what cannot be built is tried again each time


@dataclass(frozen=True)
class Done:
    """What one turn of the worker did."""

    announced: int = 0  # letters written about records
    due: int = 0  # records moved, deleted, or with a reminder
    sent: int = 0  # letters that the mail server accepted
    examined: int = 0  # people who might be invited

    def __bool__(self) -> bool:
        return bool(self.announced or self.due or self.sent or self.examined)


@dataclass
class Regularly:
    """What the worker does once per `period`, and immediately if the clock was set back; `last`: when it was done."""

    period: datetime.timedelta
    last: datetime.datetime | None = None

    def is_time(self, now: datetime.datetime) -> bool:
        """Whether it is due now; if so, it counts as done."""
        if self.last is not None and self.last <= now < self.last + self.period:
            return False
        self.last = now
        return True


class Worker:
    """The worker of one database. `tables`: those in force now; `address`: the portal's own, for links in letters.

    When `stopping` is set, it ends after the letter that it is sending. Webhooks have a turn of their own, so that a
    slow one keeps no letter waiting; `webhook_keys`: those in the setting.
    """

    def __init__(  # noqa: PLR0913 - what the process has for it
        self,
        engine: sa.Engine,
        tables: Callable[[], Tables],
        clock: Callable[[], datetime.datetime],
        address: Callable[[Tables], str],
        server: SmtpServer | None,
        stopping: threading.Event | None = None,
        *,
        webhook_keys: str | None = None,
    ) -> None:
        self.engine, self.tables, self.clock, self.address = engine, tables, clock, address
        self.stopping = stopping or threading.Event()
        self.announcing = Announcing(engine, clock, self.sender)
        self.due, self.retention = Due(engine, clock), Retention(engine, clock)
        self.sending = None if server is None else Sending(engine, server, clock, self.announcing.rewrite)
        self.inviting = Inviting(engine, clock, self.sender)
        self.delivering = Delivering(engine, clock, webhook_keys)
        self._beats, self._looks_for_due = Regularly(BEAT_EVERY), Regularly(DUE_EVERY)
        self._deletes_old = Regularly(DELETE_EVERY)
        self._finishes_index = Regularly(INDEX_EVERY, clock())  # at the start, web/live.py does it

    def sender(self, tables: Tables, now: datetime.datetime) -> Sender:
        """The sender of letters at a moment."""
        return Sender(tables.declaration, self.address(tables), now)

    def begin(self) -> None:
        """For the only worker of a database, before its first turn: takes over what another one left."""
        if self.engine.dialect.name == "sqlite":
            in_retried_transaction(self.engine, _release_claims, self.tables())

    def try_turn(self) -> bool:
        """A turn, and whether it found something to do. An error is logged, and the rest is tried again."""
        return self._try(lambda: bool(self.turn()))

    def try_delivering(self) -> bool:
        """Notifies webhooks like `try_turn`: an error is logged, and the rest is tried again."""
        return self._try(lambda: bool(self.deliver()))

    def _try(self, turn: Callable[[], bool]) -> bool:
        try:
            return turn()
        except DatabaseError as error:
            log.error("The database is in the way, and is tried again: %s", driver_error(error))
        except Exception:
            log.exception("The worker could not go on, and tries again")
        return False

    def turn(self) -> Done:
        """Does everything that is due at this moment."""
        tables, is_stopping, now = self.tables(), self.stopping.is_set, self.clock()
        if self._beats.is_time(now):
            in_retried_transaction(self.engine, record_heartbeat, tables, WORKER, now)
        if self._finishes_index.is_time(now) and not running_threads():
            catch_up_later(self.engine, tables)
        due = self._do_what_is_due(tables) if self._looks_for_due.is_time(now) else 0
        if self.retention.places or self._deletes_old.is_time(now):
            due += self.retention.delete_all(tables, is_stopping)
        examined = self.inviting.invite_all(tables, is_stopping)
        announced = self.announcing.announce_all(tables, is_stopping)
        sent = self.sending.send_all(tables, is_stopping) if self.sending else 0
        if self.sending and self.sending.give_up(tables):
            self._tell_administrators(tables, "given-up", letters_given_up_letter)
        return Done(announced, due, sent, examined)

    def deliver(self) -> int:
        """Sends webhooks what is due at this moment; returns how many messages they accepted."""
        tables = self.tables()
        taken = self.delivering.deliver_all(tables, self.stopping.is_set)
        if self.delivering.give_up(tables):
            self._tell_administrators(tables, "webhooks-given-up", webhooks_given_up_letter)
        return taken

    def _tell_administrators(self, tables: Tables, kind: str, write: Callable[[Sender, Account], EmailMessage]) -> None:
        sender = self.sender(tables, self.clock())
        in_retried_transaction(self.engine, tell_administrators, tables, sender, kind, write)

    def _do_what_is_due(self, tables: Tables) -> int:
        began = time.monotonic()
        in_retried_transaction(self.engine, self._forget, tables)
        due = self.due.do_all(tables, self.stopping.is_set)
        took = datetime.timedelta(seconds=time.monotonic() - began)
        self._looks_for_due.period = max(DUE_EVERY, took * MOST_OF_THE_TIME)
        return due

    def _forget(self, connection: sa.Connection, tables: Tables) -> None:
        queue.forget(connection, tables.outbox, self.clock(), queue.SENT)
        forget_deliveries(connection, tables, self.clock())
        forget_old_keys(connection, tables, self.clock())


def run(turns: Callable[[], Iterable[Callable[[], bool]]], stopping: threading.Event) -> None:
    """The workers take turns, round after round, until `stopping` is set.

    `turns` is called before each round; each turn says whether it found something to do. Many idle portals rest longer
    between rounds than one; after work, the rest is not longer, as more may have come in the meantime.
    """
    while not stopping.is_set():
        began, worked = time.monotonic(), False
        for turn in turns():
            worked = turn() or worked
            if stopping.is_set():
                return
        stopping.wait(PAUSE if worked else max(PAUSE, (time.monotonic() - began) * RESTS))


@contextlib.contextmanager
def worker_lock(engine: sa.Engine) -> Iterator[bool]:
    """Whether this process may be the worker while the block runs. On PostgreSQL any number may.

    The lock is on a file next to the database; it ends with the process, however that ends.
    """
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        yield True
        return
    with Path(f"{path}-worker").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


@contextlib.contextmanager
def running_beside(turns: Callable[[], Iterable[Callable[[], bool]]], stopping: threading.Event) -> Iterator[None]:
    """Like `run`, in a thread while the block runs; `stopping` is set at its end."""
    thread = threading.Thread(target=run, args=(turns, stopping), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(SHUTDOWN_TIMEOUT)


def _release_claims(connection: sa.Connection, tables: Tables) -> None:
    queue.release_claims(connection, tables.outbox)
    queue.release_claims(connection, tables.delivery)

"""The worker: announces what happened, does what is due, invites and sends letters, until it is stopped.

Without a mail server it announces and does what is due, and letters stay in the outbox.
"""

import datetime
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database import outbox
from portal.database.errors import DatabaseError, driver_error
from portal.database.schema.tables import Tables
from portal.jobs.announcing import Announcing
from portal.jobs.arrears import beat
from portal.jobs.due import Due
from portal.jobs.giving_up import tell_administrators
from portal.jobs.inviting import Inviting
from portal.jobs.sending import Sending
from portal.jobs.transactions import in_transaction
from portal.mail.builder import Sender
from portal.mail.smtp import SmtpServer

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two looks
RESTS = 3  # times as long as a round took, where that is longer
BEAT_EVERY = datetime.timedelta(seconds=30)
DUE_EVERY = datetime.timedelta(minutes=1)
MOST_OF_THE_TIME = 50  # looking for what is due takes at most one part in so many of the time


@dataclass(frozen=True)
class Done:
    """What one turn of the worker did."""

    announced: int = 0  # letters written about records
    due: int = 0  # records moved or reminded
    sent: int = 0  # letters that the mail server took


class Worker:
    """The worker of one database. `tables`: those in force now; `address`: the portal's own, for links in letters.

    When `stopping` is set, it ends after the letter that it sends.
    """

    def __init__(
        self,
        engine: sa.Engine,
        tables: Callable[[], Tables],
        clock: Callable[[], datetime.datetime],
        address: Callable[[Tables], str],
        server: SmtpServer | None,
        stopping: threading.Event | None = None,
    ) -> None:
        self.engine, self.tables, self.clock, self.address = engine, tables, clock, address
        self.stopping = stopping or threading.Event()
        self.announcing = Announcing(engine, clock, self.sender)
        self.due = Due(engine, clock)
        self.sending = None if server is None else Sending(engine, server, clock, self.announcing.rewrite)
        self.inviting = Inviting(engine, clock, self.sender)
        self._last_beat: datetime.datetime | None = None
        self._due_again: datetime.datetime | None = None
        self._due_pause = DUE_EVERY

    def sender(self, tables: Tables, now: datetime.datetime) -> Sender:
        """Who sends letters at a moment."""
        return Sender(tables.declaration, self.address(tables), now)

    def begin(self) -> None:
        """What the only worker of a database does first (lock.py): it takes up what another one left."""
        if self.engine.dialect.name == "sqlite":
            in_transaction(self.engine, lambda connection: outbox.release_claims(connection, self.tables()))

    def try_turn(self) -> None:
        """A turn. An error is logged, and what it kept from being done is tried again in the next one."""
        try:
            self.turn()
        except DatabaseError as error:
            log.error("The database is in the way, and is tried again: %s", driver_error(error))
        except Exception:
            log.exception("The worker could not go on, and tries again")

    def turn(self) -> Done:
        """Does everything that is due at this moment."""
        tables, is_stopping = self.tables(), self.stopping.is_set
        self._beat(tables)
        due = self._do_what_is_due(tables) if self._is_time_for_due() else 0
        self.inviting.invite_all(tables, is_stopping)
        announced = self.announcing.announce_all(tables, is_stopping)
        if self.sending is None:
            return Done(announced, due)
        sent = self.sending.send_all(tables, is_stopping)
        if self.sending.give_up(tables):
            in_transaction(self.engine, lambda connection: self._tell_administrators(connection, tables))
        return Done(announced, due, sent)

    def _beat(self, tables: Tables) -> None:
        """Lets monitors see that a worker lives."""
        now, last = self.clock(), self._last_beat
        if last is None or not last <= now < last + BEAT_EVERY:
            in_transaction(self.engine, lambda connection: beat(connection, tables, now))
            self._last_beat = now

    def _tell_administrators(self, connection: sa.Connection, tables: Tables) -> None:
        tell_administrators(connection, tables, self.sender(tables, self.clock()))

    def _do_what_is_due(self, tables: Tables) -> int:
        began = time.monotonic()
        in_transaction(self.engine, lambda connection: outbox.forget(connection, tables, self.clock()))
        due = self.due.do_all(tables, self.stopping.is_set)
        took = datetime.timedelta(seconds=time.monotonic() - began)
        self._due_pause = max(DUE_EVERY, took * MOST_OF_THE_TIME)
        self._due_again = self.clock() + self._due_pause
        return due

    def _is_time_for_due(self) -> bool:
        """Once a minute, more seldom where it takes long, and at once where the clock was set back."""
        now, again = self.clock(), self._due_again
        return again is None or not now < again <= now + self._due_pause


def run(workers: Callable[[], Iterable[Worker]], stopping: threading.Event) -> None:
    """One worker after the other takes a turn, again and again, until `stopping` is set.

    `workers` is asked before each round. Many portals rest longer between two rounds than one.
    """
    while not stopping.is_set():
        began = time.monotonic()
        for worker in workers():
            worker.try_turn()
            if stopping.is_set():
                return
        stopping.wait(max(PAUSE, (time.monotonic() - began) * RESTS))

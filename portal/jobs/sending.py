"""Sends the letters of the outbox: many per connection, retried with growing pauses for at most three days.

Whatever happens to the mail server or to this process, no letter is lost; one that was being handed over when either
failed may be handed over again, with the same Message-ID.
"""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.accounts.accounts import Account, accounts_of
from portal.accounts.identity import Identity, admit
from portal.database import outbox, queue
from portal.database.engine import reading
from portal.database.outbox import About, Waiting
from portal.database.schema.tables import Tables
from portal.jobs.transactions import in_retried_transaction
from portal.mail.builder import Sender
from portal.mail.headers import parse_letter
from portal.mail.record_letters import Letter
from portal.mail.smtp import LetterRefusedError, ServerAwayError, SmtpConnection, SmtpServer
from portal.texts import _

log = logging.getLogger(__name__)
Result = TypeVar("Result")

FIRST_REST, LONGEST_REST = datetime.timedelta(seconds=5), datetime.timedelta(minutes=5)
# One refusal is about its recipient; so many in a row may be about the portal.
MANY_REFUSALS, REST_AFTER_MANY = 10, datetime.timedelta(minutes=1)
LETTERS_OF_A_CONNECTION = 100  # servers close longer ones
A_TURN = datetime.timedelta(seconds=30)  # of sending; then the worker does its other tasks
# A misconfigured server refuses everything permanently: it is asked this often before that is believed.
REFUSALS = 3
# A letter that has waited longer is written or checked again: comments may have been withdrawn in the meantime, or
# access.
TEXT_LIFETIME = datetime.timedelta(seconds=30)
TOO_LATE = _("Could not be sent in time")
NO_LONGER_HAS_ACCESS = _("The recipient no longer has access to this")

# A waiting letter that names an account, as of now: unchanged, rewritten, or None if that may no longer read it.
Rewrite = Callable[[sa.Connection, Tables, Waiting], Letter | None]

NOTICE_INTERVAL = datetime.timedelta(days=1)


@dataclass
class Rest:
    """How long to leave the mail server alone after a failure: longer each time, until it accepts a letter again."""

    failures: int = 0
    refusals: int = 0  # letters refused since one was accepted
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    def begin(
        self,
        now: datetime.datetime,
        at_least: datetime.timedelta = FIRST_REST,
        at_most: datetime.timedelta = LONGEST_REST,
    ) -> None:
        """Called when the server has failed."""
        self.since = now
        self.until = now + max(at_least, min(FIRST_REST * 2 ** min(self.failures, 10), at_most))
        self.failures += 1

    def count_refusal(self, now: datetime.datetime) -> None:
        """Called when the server has refused a letter; after many in a row, it is left alone for a while."""
        self.refusals += 1
        if self.refusals % MANY_REFUSALS == 0:
            self.begin(now, at_most=REST_AFTER_MANY)

    def end(self) -> None:
        """Called when the server has accepted a letter."""
        self.failures, self.refusals, self.since, self.until = 0, 0, None, None

    def lasts(self, now: datetime.datetime) -> bool:
        """Whether to leave the server alone at `now`; the clock may have been set back."""
        return self.since is not None and self.until is not None and self.since <= now < self.until


@dataclass
class Sending:
    """Sends the waiting letters of one database through one mail server. `rewrite` updates letters about records."""

    engine: sa.Engine
    server: SmtpServer
    clock: Callable[[], datetime.datetime]
    rewrite: Rewrite
    rest: Rest = field(default_factory=Rest)
    _refused_for_good: int = 0  # letters, since `give_up` was last called

    def send_all(self, tables: Tables, is_stopping: Callable[[], bool]) -> int:
        """Sends what is due, until nothing is, the server fails, the turn is over or the process is stopping; returns
        how many."""
        sent, end = 0, self.clock() + A_TURN

        def ends() -> bool:
            return is_stopping() or self.clock() >= end or self.rest.lasts(self.clock())

        while not ends() and self._is_due(tables):
            letter = self._claim(tables)
            if letter is None:
                break
            sent += self._send_with_one_connection(tables, letter, ends)
        return sent

    def give_up(self, tables: Tables) -> int:
        """Gives up on letters that could not be sent in time; returns how many are lost now, those included that the
        server has refused for good."""
        lost, self._refused_for_good = self._refused_for_good, 0
        with reading(self.engine) as connection:
            if not queue.is_late(connection, tables.outbox, self.clock()):
                return lost
        late = self._store(queue.give_up_late, tables.outbox, self.clock(), TOO_LATE)
        if late:
            log.error("Emails given up, as they could not be sent in time: %s", late)
        return lost + late

    def _send_with_one_connection(self, tables: Tables, first: Waiting, ends: Callable[[], bool]) -> int:
        try:
            smtp = SmtpConnection(self.server)
        except ServerAwayError as error:  # no fault of the letter, which keeps its place
            self._store(queue.hand_back, tables.outbox, first.id, str(error))
            self._server_failed(error)
            return 0
        letter: Waiting | None = first
        sent, tried = 0, 0
        try:
            while letter is not None:
                sent, tried = sent + self._send(tables, smtp, letter), tried + 1
                letter = None if ends() or tried >= LETTERS_OF_A_CONNECTION else self._claim(tables)
        finally:
            smtp.close()
        return sent

    def _send(self, tables: Tables, smtp: SmtpConnection, letter: Waiting) -> int:
        """Sends one letter; returns 1 if the server accepted it."""
        message = self._current(tables, letter)
        if message is None:
            return 0
        recipient = message["To"].addresses[0].addr_spec
        try:
            smtp.send(message["From"].addresses[0].addr_spec, [recipient], message.as_bytes())
        except LetterRefusedError as error:
            self._letter_refused(tables, letter, error)
            return 0
        except ServerAwayError as error:
            self._put_off(tables, letter, str(error))
            self._server_failed(error)
            return 0
        self._store(queue.mark_sent, tables.outbox, letter.id, self.clock())
        self.rest.end()
        log.info("Email sent to %s: %s", recipient, message["Message-ID"])
        return 1

    def _current(self, tables: Tables, letter: Waiting) -> EmailMessage | None:
        """The letter as it may be sent now; None if it must not be sent at all."""
        fresh = letter.created > self.clock() - TEXT_LIFETIME
        if fresh or (letter.about.record is None and letter.about.account is None):
            return parse_letter(letter.message)
        return self._store(self._rewrite, tables, letter)

    def _rewrite(self, connection: sa.Connection, tables: Tables, letter: Waiting) -> EmailMessage | None:
        rewritten = self.rewrite(connection, tables, letter)
        if rewritten is None:
            queue.refuse(connection, tables.outbox, letter.id, NO_LONGER_HAS_ACCESS)
            return None
        return rewritten.message

    def _letter_refused(self, tables: Tables, letter: Waiting, error: LetterRefusedError) -> None:
        final = error.permanent and letter.attempts >= REFUSALS
        if final:
            self._store(queue.refuse, tables.outbox, letter.id, error.reason)
            self._refused_for_good += 1
        else:
            self._put_off(tables, letter, error.reason)
        log.warning("Email to %s %s: %s", letter.recipient, "refused" if final else "put off", error.reason)
        self.rest.count_refusal(self.clock())

    def _server_failed(self, error: ServerAwayError) -> None:
        log.error("Emails cannot be sent at the moment: %s", error)
        self.rest.begin(self.clock())

    def _put_off(self, tables: Tables, letter: Waiting, reason: str) -> None:
        pause = queue.pause_after(letter.attempts)
        keeps_place = letter.ahead and pause <= queue.LEASE  # nobody waits for it much longer
        self._store(queue.put_off, tables.outbox, letter.id, self.clock() + pause, reason, keeps_place)

    def _is_due(self, tables: Tables) -> bool:
        # Without taking the write lock, which others would have to wait for on SQLite.
        with reading(self.engine) as connection:
            return queue.is_due(connection, tables.outbox, self.clock())

    def _claim(self, tables: Tables) -> Waiting | None:
        return self._store(outbox.claim_letter, tables, self.clock())

    def _store(self, write: Callable[..., Result], *arguments: Any) -> Result:
        """Calls `write` with a connection, in a transaction of its own."""
        return in_retried_transaction(self.engine, write, *arguments)


def tell_administrators(
    connection: sa.Connection,
    tables: Tables,
    sender: Sender,
    kind: str,
    write: Callable[[Sender, Account], EmailMessage],
) -> None:
    """Queue a letter to everyone who may open the outbox page, unless they had one of this kind today."""
    if outbox.has_letter_since(connection, tables, kind, sender.now - NOTICE_INTERVAL):
        return
    for profile in tables.declaration.settings.administrators:
        for account in accounts_of(connection, tables, profile=profile):
            if isinstance(admit(connection, tables, account, now=sender.now), Identity):
                letter = write(sender, account)
                outbox.put_letter(connection, tables, letter, sender.now, about=About(kind, account.id))

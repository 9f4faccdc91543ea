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
LETTERS_OF_A_CONNECTION = 100  # servers close longer ones
# A misconfigured server refuses everything permanently: it is asked this often before that is believed.
REFUSALS = 3
# A letter about a record that has waited longer is rewritten: comments may have been withdrawn in the meantime.
STILL_TRUE = datetime.timedelta(seconds=30)
TOO_LATE = _("Could not be sent for three days")
NO_LONGER_HAS_ACCESS = _("The recipient no longer has access to this")

# A waiting letter as of now: unchanged, rewritten, or None if its recipient may no longer read it.
Rewrite = Callable[[sa.Connection, Tables, Waiting], Letter | None]

TOLD_AT_MOST_EVERY = datetime.timedelta(days=1)


@dataclass
class Rest:
    """How long to leave the mail server alone after a failure: longer each time, until it accepts a letter again."""

    failures: int = 0
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    def begin(self, now: datetime.datetime, at_least: datetime.timedelta = FIRST_REST) -> None:
        """Called when the server has failed or refused a letter."""
        self.since = now
        self.until = now + max(at_least, min(FIRST_REST * 2 ** min(self.failures, 10), LONGEST_REST))
        self.failures += 1

    def end(self) -> None:
        """Called when the server has accepted a letter."""
        self.failures, self.since, self.until = 0, None, None

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

    def send_all(self, tables: Tables, is_stopping: Callable[[], bool]) -> int:
        """Sends what is due, until nothing is, the server fails or the process is stopping; returns how many."""
        sent = 0
        while not is_stopping() and not self.rest.lasts(self.clock()) and self._is_due(tables):
            letter = self._claim(tables)
            if letter is None:
                break
            sent += self._send_with_one_connection(tables, letter, is_stopping)
        return sent

    def give_up(self, tables: Tables) -> int:
        """Gives up on letters that could not be sent in three days; returns how many they were."""
        with reading(self.engine) as connection:
            if not queue.is_late(connection, tables.outbox, self.clock()):
                return 0
        late = self._store(queue.give_up_late, tables.outbox, self.clock(), TOO_LATE)
        if late:
            log.error("Emails given up after three days: %s", late)
        return late

    def _send_with_one_connection(self, tables: Tables, letter: Waiting | None, is_stopping: Callable[[], bool]) -> int:
        sent = 0
        try:
            smtp = SmtpConnection(self.server)
        except ServerAwayError as error:
            self._server_failed(tables, letter, error)
            return 0
        try:
            while letter is not None:
                sent += self._send(tables, smtp, letter)
                ends = is_stopping() or self.rest.lasts(self.clock()) or sent >= LETTERS_OF_A_CONNECTION
                letter = None if ends else self._claim(tables)
        except ServerAwayError as error:
            self._server_failed(tables, letter, error)
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
        self._store(queue.mark_sent, tables.outbox, letter.id, self.clock())
        self.rest.end()
        log.info("Email sent to %s: %s", recipient, message["Message-ID"])
        return 1

    def _current(self, tables: Tables, letter: Waiting) -> EmailMessage | None:
        """The letter as it may be sent now; None if it must not be sent at all."""
        fresh = letter.created > self.clock() - STILL_TRUE
        if letter.about.record is None or fresh:
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
        else:
            self._put_off(tables, letter, error.reason)
        log.warning("Email to %s %s: %s", letter.recipient, "refused" if final else "put off", error.reason)
        self.rest.begin(self.clock())

    def _server_failed(self, tables: Tables, letter: Waiting | None, error: ServerAwayError) -> None:
        if letter is not None:
            self._put_off(tables, letter, str(error))
        log.error("Emails cannot be sent at the moment: %s", error)
        self.rest.begin(self.clock())

    def _put_off(self, tables: Tables, letter: Waiting, reason: str) -> None:
        self._store(queue.put_off, tables.outbox, letter.id, queue.pause_after(letter.attempts), reason, self.clock())

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
    """Queue a letter to everybody who may open the outbox page, unless they had one of this kind today."""
    if outbox.has_letter_since(connection, tables, kind, sender.now - TOLD_AT_MOST_EVERY):
        return
    for profile in tables.declaration.settings.administrators:
        for account in accounts_of(connection, tables, profile=profile):
            if isinstance(admit(connection, tables, account, now=sender.now), Identity):
                letter = write(sender, account)
                outbox.put_letter(connection, tables, letter, sender.now, about=About(kind))

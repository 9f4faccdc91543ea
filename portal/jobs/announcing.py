"""Announces what happened to records, about two minutes later, so that several comments make one letter.

The rights at that moment decide who is notified, and of what. Reading the events, writing the letters and deleting the
events is one transaction: nothing is sent twice, and nothing is lost. Only one of several workers handles a record: it
locks the record's first event until letters about all of them are written.
"""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.accounts import load_account
from portal.accounts.identity import Identity, admit
from portal.accounts.keys_and_tokens import portal_key
from portal.database import outbox, queue
from portal.database.engine import reading
from portal.database.errors import affects_whole_database
from portal.database.outbox import Waiting, put_letter
from portal.database.schema.tables import Tables
from portal.jobs.transactions import in_retried_transaction
from portal.mail.announcement import Announcement, load_announcement
from portal.mail.builder import Sender
from portal.mail.headers import parse_letter
from portal.mail.record_letters import Letter, record_letters

log = logging.getLogger(__name__)

DELAY = datetime.timedelta(minutes=2)
UNTRUE = ("corrected", "withdrawn", "detached", "deleted")  # after these, waiting letters may mention what is gone
WITHOUT_DELAY = ("created", "reminded", *UNTRUE)  # nothing else is announced together with these
NEWS_LIFETIME = datetime.timedelta(days=30)  # what no worker announced within this time is no longer news
MOST_ATTEMPTS = 5  # after an error in the portal itself


@dataclass(frozen=True)
class Announcing:
    """Writes the letters about records of one database. `sender` returns the sender of letters at a moment."""

    engine: sa.Engine
    clock: Callable[[], datetime.datetime]
    sender: Callable[[Tables, datetime.datetime], Sender]

    def announce_all(self, tables: Tables, is_stopping: Callable[[], bool]) -> int:
        """Announces what is due; returns the number of letters written."""
        total = 0
        while not is_stopping() and self._is_due(tables):
            number = self._announce_one(tables)
            if number is None:
                break
            total += number
        return total

    def rewrite(self, connection: sa.Connection, tables: Tables, waiting: Waiting) -> Letter | None:
        """A waiting letter as it would be written now; None if its recipient must not see it."""
        about = waiting.about
        if about.record is None:
            account = load_account(connection, tables, int(about.account or 0))
            admitted = account and admit(connection, tables, account, now=self.clock())
            return Letter(parse_letter(waiting.message), about) if isinstance(admitted, Identity) else None
        announcement = load_announcement(connection, tables, str(about.module), int(about.record or 0), about.events)
        sender = self.sender(tables, self.clock())
        letters = record_letters(
            connection, tables, sender, portal_key(connection, tables), announcement, only_to=about.account
        )
        letter = next(iter(letters), None)
        if letter is not None:
            letter.message.replace_header("Message-ID", waiting.message_id)
        return letter

    def _announce_one(self, tables: Tables) -> int | None:
        """Announces the news of one record; returns the number of letters, None if another worker has them."""
        chosen: list[sa.RowMapping] = []  # the first event of the record, once it is known
        try:
            return in_retried_transaction(self.engine, self._tell, tables, chosen)
        except Exception as error:
            if not chosen or affects_whole_database(error):
                raise
            log.exception("What happened to a record could not be announced")
            in_retried_transaction(self.engine, self._put_off, tables, chosen[-1])
            return 0

    def _tell(self, connection: sa.Connection, tables: Tables, chosen: list[sa.RowMapping]) -> int | None:
        table, now = tables.announcement, self.clock()
        first = connection.execute(_due(tables, now).limit(1).with_for_update(skip_locked=True)).mappings().first()
        if first is None:
            return None
        chosen.append(first)
        same = _of_record(table, first)
        taken = connection.execute(sa.delete(table).where(same).returning(table.c["event"], table.c["at"])).all()
        ids = sorted(event for event, at in taken if at > now - NEWS_LIFETIME)
        if not ids:
            return 0
        announcement = load_announcement(connection, tables, first["module"], first["record"], ids)
        if any(event.kind in UNTRUE for event in announcement.events):
            self._refresh(connection, tables, announcement)
        sender, key = self.sender(tables, now), portal_key(connection, tables)
        letters = record_letters(connection, tables, sender, key, announcement)
        for letter in letters:
            put_letter(connection, tables, letter.message, now, about=letter.about)
        return len(letters)

    def _refresh(self, connection: sa.Connection, tables: Tables, announcement: Announcement) -> None:
        """Rewrites waiting letters, so that none contains what was withdrawn or deleted."""
        for waiting in outbox.waiting_about(connection, tables, announcement.module, announcement.record):
            rewritten = self.rewrite(connection, tables, waiting)
            if rewritten is None:
                queue.remove(connection, tables.outbox, waiting.id)
            else:
                outbox.replace_letter(connection, tables, waiting.id, rewritten.message)

    def _put_off(self, connection: sa.Connection, tables: Tables, first: sa.RowMapping) -> None:
        """Postpones an event after an error in the portal, so that the news of other records is not held up."""
        table, same = tables.announcement, _of_record(tables.announcement, first)
        if first["attempts"] + 1 >= MOST_ATTEMPTS:
            connection.execute(sa.delete(table).where(same))
        else:
            later = {"at": self.clock(), "attempts": table.c["attempts"] + 1}
            connection.execute(sa.update(table).where(same).values(later))

    def _is_due(self, tables: Tables) -> bool:
        # Without taking the write lock, which others would have to wait for on SQLite.
        with reading(self.engine) as connection:
            return connection.execute(_due(tables, self.clock()).limit(1)).first() is not None


def _of_record(table: sa.Table, event: sa.RowMapping) -> sa.ColumnElement[bool]:
    """The events waiting to be announced that are about the record of `event`."""
    return sa.and_(table.c["module"] == event["module"], table.c["record"] == event["record"])


def _due(tables: Tables, now: datetime.datetime) -> sa.Select[tuple[int, str, int, int]]:
    """The first events of the records whose news is due to be announced, the oldest first.

    A moment in the future comes from a clock that was wrong.
    """
    table = tables.announcement
    earlier = table.alias()
    same = sa.and_(earlier.c["module"] == table.c["module"], earlier.c["record"] == table.c["record"])
    first = ~sa.exists().where(same, earlier.c["event"] < table.c["event"])
    old = sa.or_(table.c["at"] <= now - DELAY, table.c["at"] > now + DELAY)
    without_delay = sa.and_(table.c["kind"].in_(WITHOUT_DELAY), table.c["attempts"] == 0)
    names = ("event", "module", "record", "attempts")
    query = sa.select(*[table.c[name] for name in names]).where(sa.or_(old, without_delay), first)
    return query.order_by(table.c["event"])

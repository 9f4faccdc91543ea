"""The queue of emails: what it has in addition to other queues (queue.py).

The emails are made in portal/mail and sent in portal/jobs. One that is sent twice because a worker died has the same
Message-ID.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from portal.database.queue import AHEAD, WAITING, claim, queued_row, update_queued_row
from portal.database.schema.tables import Tables


@dataclass(frozen=True)
class About:
    """What a letter in the queue is about. A letter about a record names the recipient's account, whose rights are
    checked again when it is sent, and the events in it. So does any other that only people with access may get."""

    kind: str = ""
    account: int | None = None
    module: str | None = None
    record: int | None = None
    events: tuple[int, ...] = ()


NOTHING = About()


@dataclass(frozen=True)
class Waiting:
    """A letter that this worker sends; `attempts` includes this one. `ahead`: it was queued before others."""

    id: int
    recipient: str
    message: str
    message_id: str
    created: datetime.datetime
    attempts: int
    about: About
    ahead: bool = False


def put_letter(  # noqa: PLR0913 - a letter, and when it is sent
    connection: sa.Connection,
    tables: Tables,
    letter: EmailMessage,
    now: datetime.datetime,
    about: About = NOTHING,
    *,
    ahead: bool = False,
    until: sa.ScalarSelect[datetime.datetime] | None = None,
) -> bool:
    """Queues an email; returns whether it did. It is only sent if the transaction is committed.

    `ahead`: before news and invitations to everyone, as someone is waiting for it. `until`: a query for the moment
    after which it is useless; if that finds none, nothing is queued.
    """
    row: dict[str, Any] = {
        "recipient": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "message": letter.as_string(),
        "message_id": str(letter["Message-ID"]),
        **queued_row(now),
        "account": about.account,
        "module": about.module,
        "record": about.record,
        "kind": about.kind,
        "events": list(about.events),
    }
    if ahead:
        row["next_try"] = now - AHEAD
    columns = {name: sa.literal(value, tables.outbox.c[name].type) for name, value in row.items()}
    values = sa.select(*columns.values())
    if until is not None:
        useless = sa.case((until < columns["give_up"], until), else_=columns["give_up"])
        values = sa.select(*{**columns, "give_up": useless}.values()).where(until.is_not(None))
    insert = sa.insert(tables.outbox).from_select(list(row), values)
    return connection.execute(insert.returning(tables.outbox.c["id"])).first() is not None


def claim_letter(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> Waiting | None:
    """The next letter in the queue that is due, for this worker alone; None if there is none."""
    row = claim(connection, tables.outbox, now)
    return None if row is None else _waiting(row)


def _waiting(row: sa.RowMapping) -> Waiting:
    about = About(row["kind"] or "", row["account"], row["module"], row["record"], tuple(row["events"] or ()))
    texts, ahead = (row["recipient"], row["message"], row["message_id"]), row["next_try"] < row["created"]
    return Waiting(row["id"], *texts, row["created"], row["attempts"], about, ahead)


def find_letter_by_message_id(
    connection: sa.Connection, tables: Tables, message_ids: Sequence[str]
) -> sa.RowMapping | None:
    """The letter of the queue with the first of these Message-IDs that one has."""
    table = tables.outbox
    rows = connection.execute(sa.select(table).where(table.c["message_id"].in_(message_ids))).mappings()
    return min(rows, key=lambda row: message_ids.index(row["message_id"]), default=None)


def waiting_about(connection: sa.Connection, tables: Tables, module: str, record_id: int) -> list[Waiting]:
    """The letters in the queue about a record that no worker is sending; locked until the transaction ends."""
    outbox = tables.outbox.c
    about = outbox["module"] == module, outbox["record"] == record_id, outbox["state"] == WAITING
    query = sa.select(tables.outbox).where(*about).order_by(outbox["id"]).with_for_update(skip_locked=True)
    return [_waiting(row) for row in connection.execute(query).mappings()]


def replace_letter(connection: sa.Connection, tables: Tables, letter_id: int, letter: EmailMessage) -> None:
    """Replaces the text of a letter waiting in the queue."""
    update_queued_row(connection, tables.outbox, letter_id, subject=str(letter["Subject"]), message=letter.as_string())


def find_letter(connection: sa.Connection, tables: Tables, letter_id: int) -> sa.RowMapping | None:
    """One letter of the outbox; None if there is none with this id."""
    return connection.execute(sa.select(tables.outbox).where(tables.outbox.c["id"] == letter_id)).mappings().first()


def last_failure(connection: sa.Connection, tables: Tables) -> str:
    """Why the next letter in the queue could not be sent, in the words of the mail server. Empty if none has failed."""
    outbox = tables.outbox.c
    failed = outbox["state"] == WAITING, outbox["reason"].is_not(None)
    query = sa.select(outbox["reason"]).where(*failed).order_by(outbox["next_try"], outbox["id"]).limit(1)
    return connection.execute(query).scalar() or ""


def has_letter_since(connection: sa.Connection, tables: Tables, kind: str, moment: datetime.datetime) -> bool:
    """Whether an email of this kind was written after `moment`."""
    query = sa.select(tables.outbox.c["id"]).where(tables.outbox.c["kind"] == kind, tables.outbox.c["created"] > moment)
    return connection.execute(query.limit(1)).first() is not None

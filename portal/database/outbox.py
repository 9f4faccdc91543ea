"""The queue of emails, written in the transaction of their cause: none is lost, and none is sent after a rollback.

The emails are made in portal/mail and sent in portal/jobs. A worker claims one, sends it outside of any transaction and
stores what became of it. A worker that dies meanwhile leaves the claim, which ends after LEASE: the repetition has the
same Message-ID.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables

WAITING, SENT, REFUSED = "waiting", "sent", "refused"
FORGET = datetime.timedelta(days=90)  # after this time a letter that was sent is deleted
GIVE_UP = datetime.timedelta(days=3)  # after this time a letter is no longer tried
LEASE = datetime.timedelta(minutes=10)  # longer than a mail server may take for one letter
FIRST_PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)  # between two tries


@dataclass(frozen=True)
class About:
    """What a letter is about. One about a record names the account that it goes to, whose rights are asked once more
    when it is sent, and the events that it tells."""

    kind: str = ""
    account: int | None = None
    module: str | None = None
    record: int | None = None
    events: tuple[int, ...] = ()


NOTHING = About()


@dataclass(frozen=True)
class Waiting:
    """A letter that this worker sends; `attempts` counts this one."""

    id: int
    recipient: str
    message: str
    message_id: str
    created: datetime.datetime
    attempts: int
    about: About


def put_letter(
    connection: sa.Connection,
    tables: Tables,
    letter: EmailMessage,
    now: datetime.datetime,
    condition: sa.ColumnElement[bool] | None = None,
    about: About = NOTHING,
) -> bool:
    """Queue an email, if `condition` holds in the database; whether it did.

    It is sent only if the transaction is committed.
    """
    row: dict[str, Any] = {
        "recipient": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "message": letter.as_string(),
        "message_id": str(letter["Message-ID"]),
        "created": now,
        "state": WAITING,
        "attempts": 0,
        "next_try": now,
        "give_up": now + GIVE_UP,
        "account": about.account,
        "module": about.module,
        "record": about.record,
        "kind": about.kind,
        "events": list(about.events),
    }
    values = sa.select(*(sa.literal(value, tables.outbox.c[name].type) for name, value in row.items()))
    if condition is not None:
        values = values.where(condition)
    insert = sa.insert(tables.outbox).from_select(list(row), values)
    return connection.execute(insert.returning(tables.outbox.c["id"])).first() is not None


# -- sending ----------------------------------------------------------------------------------------------------------


def is_due(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> bool:
    """Whether the outbox holds a letter to claim or to give up."""
    late = sa.select(tables.outbox.c["id"]).where(_late(tables, now))
    return connection.execute(sa.union_all(_due_letters(tables, now).order_by(None), late).limit(1)).first() is not None


def claim_letter(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> Waiting | None:
    """The next letter that is due, for this worker alone until LEASE is over; None where there is none."""
    outbox = tables.outbox
    query = _due_letters(tables, now).limit(1).with_for_update(skip_locked=True)
    claimed = (
        sa.update(outbox)
        .where(outbox.c["id"] == query.scalar_subquery())
        .values(locked_until=now + LEASE, attempts=outbox.c["attempts"] + 1)
        .returning(outbox)
    )
    row = connection.execute(claimed).mappings().first()
    return None if row is None else _waiting(row)


def _waiting(row: sa.RowMapping) -> Waiting:
    about = About(row["kind"] or "", row["account"], row["module"], row["record"], tuple(row["events"] or ()))
    return Waiting(
        row["id"], row["recipient"], row["message"], row["message_id"], row["created"], row["attempts"], about
    )


def release_claims(connection: sa.Connection, tables: Tables) -> None:
    """Frees what a worker had claimed that died. Only for the single worker of a database."""
    locked = tables.outbox.c["locked_until"].is_not(None)
    connection.execute(sa.update(tables.outbox).where(locked).values(locked_until=None))


def mark_sent(connection: sa.Connection, tables: Tables, letter_id: int, now: datetime.datetime) -> None:
    """The mail server has taken the letter."""
    _store(connection, tables, letter_id, state=SENT, sent=now, locked_until=None, reason=None)


def put_letter_off(
    connection: sa.Connection, tables: Tables, letter: Waiting, reason: str, now: datetime.datetime
) -> None:
    """The letter is tried again later, each time after a longer pause."""
    pause = min(FIRST_PAUSE * 2 ** min(letter.attempts - 1, 10), LONGEST_PAUSE)
    _store(connection, tables, letter.id, next_try=now + pause, locked_until=None, reason=reason)


def refuse_letter(connection: sa.Connection, tables: Tables, letter_id: int, reason: str) -> None:
    """The letter is not sent, unless somebody asks for it."""
    _store(connection, tables, letter_id, state=REFUSED, locked_until=None, reason=reason)


def letter_with_id(connection: sa.Connection, tables: Tables, message_ids: Sequence[str]) -> sa.RowMapping | None:
    """The letter that bears one of these Message-IDs."""
    table = tables.outbox
    return (
        connection.execute(sa.select(table).where(table.c["message_id"].in_(message_ids)).limit(1)).mappings().first()
    )


def give_up_late_letters(connection: sa.Connection, tables: Tables, now: datetime.datetime, reason: str) -> int:
    """Refuses what could not be sent in time, for `reason` where no try failed; returns how many letters that were."""
    outbox = tables.outbox
    values = {"state": REFUSED, "reason": sa.func.coalesce(outbox.c["reason"], reason)}
    return connection.execute(sa.update(outbox).where(_late(tables, now)).values(values)).rowcount


def waiting_about(connection: sa.Connection, tables: Tables, module: str, record_id: int) -> list[Waiting]:
    """The letters about a record that no worker sends at this moment; they are locked until the transaction ends."""
    outbox = tables.outbox.c
    about = outbox["module"] == module, outbox["record"] == record_id, outbox["state"] == WAITING
    query = sa.select(tables.outbox).where(*about).order_by(outbox["id"]).with_for_update(skip_locked=True)
    return [_waiting(row) for row in connection.execute(query).mappings()]


def replace_letter(connection: sa.Connection, tables: Tables, letter_id: int, letter: EmailMessage) -> None:
    """Another text for a letter that waits."""
    _store(connection, tables, letter_id, subject=str(letter["Subject"]), message=letter.as_string())


def remove_letter(connection: sa.Connection, tables: Tables, letter_id: int) -> None:
    """A letter that is not to be sent, and leaves nothing."""
    connection.execute(sa.delete(tables.outbox).where(tables.outbox.c["id"] == letter_id))


def forget_old_letters(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> None:
    """Deletes letters that were sent long ago, some at a time."""
    outbox = tables.outbox.c
    old = sa.select(outbox["id"]).where(outbox["state"] == SENT, outbox["next_try"] < now - FORGET).limit(1_000)
    connection.execute(sa.delete(tables.outbox).where(outbox["id"].in_(old)))


def send_again(connection: sa.Connection, tables: Tables, letter_id: int, now: datetime.datetime) -> bool:
    """The letter is due now, and has as much time as a new one; False where there is no such letter."""
    values = {"state": WAITING, "next_try": now, "give_up": now + GIVE_UP, "attempts": 0, "sent": None}
    return _store(connection, tables, letter_id, **values) == 1


def _store(connection: sa.Connection, tables: Tables, letter_id: int, **values: Any) -> int:
    update = sa.update(tables.outbox).where(tables.outbox.c["id"] == letter_id).values(values)
    return connection.execute(update).rowcount


def _due_letters(tables: Tables, now: datetime.datetime) -> sa.Select[tuple[int]]:
    """The ids of what may be tried now, those that wait longest first.

    A moment that is further away than any pause was set by a clock that went wrong, and does not count.
    """
    outbox = tables.outbox.c
    time = sa.or_(outbox["next_try"] <= now, outbox["next_try"] > now + LONGEST_PAUSE + FIRST_PAUSE)
    return (
        sa.select(outbox["id"])
        .where(outbox["state"] == WAITING, time, outbox["give_up"] > now, _is_free(tables, now))
        .order_by(outbox["next_try"], outbox["id"])
    )


def _late(tables: Tables, now: datetime.datetime) -> sa.ColumnElement[bool]:
    outbox = tables.outbox.c
    return sa.and_(outbox["state"] == WAITING, outbox["give_up"] <= now, _is_free(tables, now))


def _is_free(tables: Tables, now: datetime.datetime) -> sa.ColumnElement[bool]:
    locked_until = tables.outbox.c["locked_until"]
    return sa.or_(locked_until.is_(None), locked_until <= now, locked_until > now + LEASE + FIRST_PAUSE)


# -- looking ----------------------------------------------------------------------------------------------------------


def newest_letters(connection: sa.Connection, tables: Tables, limit: int, state: str | None) -> list[sa.RowMapping]:
    """The emails that were queued last, newest first; of one state only, None for all."""
    query = sa.select(tables.outbox).order_by(tables.outbox.c["id"].desc()).limit(limit)
    if state is not None:
        query = query.where(tables.outbox.c["state"] == state)
    return list(connection.execute(query).mappings())


def letter_of(connection: sa.Connection, tables: Tables, letter_id: int) -> sa.RowMapping | None:
    """One letter of the outbox; None where there is none of this id."""
    return connection.execute(sa.select(tables.outbox).where(tables.outbox.c["id"] == letter_id)).mappings().first()


def written_since(connection: sa.Connection, tables: Tables, kind: str, moment: datetime.datetime) -> bool:
    """Whether an email of this kind was written after `moment`."""
    query = sa.select(tables.outbox.c["id"]).where(tables.outbox.c["kind"] == kind, tables.outbox.c["created"] > moment)
    return connection.execute(query.limit(1)).first() is not None

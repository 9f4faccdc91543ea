"""The rows of incoming mails: each is claimed before it is used, so that no copy of it is used again."""

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables

LONGEST_SHOWN = 300  # characters of a subject or a name


class KeptAsideError(Exception):
    """A mail that is not used; the message is the reason, a sentence for staff.

    `stranger`: whether the reason is that its sender is unknown.
    """

    def __init__(self, reason: str, stranger: bool = False) -> None:
        super().__init__(reason)
        self.stranger = stranger


@dataclass(frozen=True)
class MailRow:
    """One incoming mail. `outcome`: what was done with it, or "kept", with the `reason` in words for staff."""

    id: int
    sender: str
    sender_name: str
    subject: str
    received: datetime.datetime
    outcome: str
    reason: str
    module: str | None
    record: int | None
    stored: str | None


@dataclass(frozen=True)
class MailOutcome:
    """The outcome of a mail: commented, created, bounced, kept, dismissed or duplicate, and why it was kept."""

    kind: str
    reason: str = ""
    place: tuple[str, int] | None = None  # the module and id of the record
    stranger: bool = False  # whether the sender's address is unknown


def claim_mail(connection: sa.Connection, tables: Tables, key: str, now: datetime.datetime, **facts: str) -> int | None:
    """The id of a new row for the mail with this key; None if another transaction has used a copy of it.

    Waits for a transaction that is using a copy. `facts`: message_id, sender, sender_name, subject.
    """
    row = {name: text[:LONGEST_SHOWN] for name, text in facts.items()}
    insert = insert_into(connection, tables.mail).values({**row, "key": key, "received": now})
    statement = insert.on_conflict_do_nothing(index_elements=["key"]).returning(tables.mail.c["id"])
    return connection.execute(statement).scalar()


def claim_unused_mail(connection: sa.Connection, tables: Tables, mail_id: int) -> bool:
    """Claims a mail for this transaction, so that others wait; returns whether it was still unused."""
    table = tables.mail
    unused = sa.and_(table.c["id"] == mail_id, table.c["outcome"] == "kept")
    return connection.execute(sa.update(table).where(unused).values(outcome="kept")).rowcount == 1


def finish_mail(
    connection: sa.Connection, tables: Tables, mail_id: int, outcome: MailOutcome, stored: str | None = None
) -> None:
    """Stores the outcome of an incoming mail in its row. `stored`: its name in the store, if its bytes are kept."""
    module, record = outcome.place or (None, None)
    this_mail = sa.update(tables.mail).where(tables.mail.c["id"] == mail_id)
    connection.execute(
        this_mail.values(
            outcome=outcome.kind, reason=outcome.reason, stranger=outcome.stranger,
            module=module, record=record, stored=stored,
        )
    )  # fmt: skip


def unused_mails(connection: sa.Connection, tables: Tables, limit: int) -> list[MailRow]:
    """The rows of the newest unused mails."""
    table = tables.mail
    query = sa.select(*_columns(table)).where(table.c["outcome"] == "kept").order_by(table.c["id"].desc()).limit(limit)
    return [MailRow(**row) for row in connection.execute(query).mappings()]


def unused_mail(connection: sa.Connection, tables: Tables, mail_id: int) -> MailRow | None:
    """The row of an unused mail, by its id."""
    table = tables.mail
    query = sa.select(*_columns(table)).where(table.c["id"] == mail_id, table.c["outcome"] == "kept")
    row = connection.execute(query).mappings().first()
    return None if row is None else MailRow(**row)


def record_of_thread(
    connection: sa.Connection, tables: Tables, sender: str, message_ids: tuple[str, ...]
) -> tuple[str, int] | None:
    """The module and id of the record that an earlier mail from the same sender in this thread belongs to."""
    table = tables.mail
    same_thread = table.c["message_id"].in_(message_ids), table.c["sender"] == sender, table.c["record"].is_not(None)
    query = sa.select(table.c["module"], table.c["record"]).where(*same_thread).order_by(table.c["id"].desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1])


def first_message_id(connection: sa.Connection, tables: Tables, sender: str, module: str, record_id: int) -> str:
    """The Message-ID of the first mail from a sender that became part of a record; empty if there is none."""
    table = tables.mail
    from_sender = table.c["module"] == module, table.c["record"] == record_id, table.c["sender"] == sender
    query = sa.select(table.c["message_id"]).where(*from_sender).order_by(table.c["id"]).limit(1)
    return connection.scalar(query) or ""


def newcomers_wrote(connection: sa.Connection, tables: Tables) -> bool:
    """Whether there is a mail from a stranger who has access by now, to be given to them."""
    return connection.execute(_of_newcomers(tables)).first() is not None


def take_mail_of_newcomer(connection: sa.Connection, tables: Tables) -> MailRow | None:
    """Claims the oldest mail from a stranger who has access by now, that was kept or became a record.

    None if there is none that no other transaction has claimed.
    """
    row = connection.execute(_of_newcomers(tables).with_for_update(skip_locked=True)).mappings().first()
    return None if row is None else MailRow(**row)


def _of_newcomers(tables: Tables) -> sa.Select[*tuple[Any, ...]]:
    table = tables.mail
    waits = table.c["stranger"], table.c["outcome"].in_(("kept", "created"))
    known = table.c["sender"].in_(sa.select(tables.account.c["email"]).where(tables.account.c["disabled"].is_not(True)))
    return sa.select(*_columns(table)).where(*waits, known).order_by(table.c["id"]).limit(1)


def stranger_of(connection: sa.Connection, tables: Tables, place: tuple[str, int]) -> MailRow | None:
    """The mail from a stranger that became a record; None if none did, or if they have access by now."""
    table = tables.mail
    by_stranger = table.c["stranger"], table.c["outcome"] == "created"
    made = sa.select(*_columns(table)).where(*by_stranger, table.c["module"] == place[0], table.c["record"] == place[1])
    row = connection.execute(made.limit(1)).mappings().first()
    return None if row is None else MailRow(**row)


def created_since(connection: sa.Connection, tables: Tables, sender: str, moment: datetime.datetime) -> int:
    """How many records the incoming mails from a sender have created since a moment."""
    table = tables.mail
    recent = table.c["sender"] == sender, table.c["outcome"] == "created", table.c["received"] >= moment
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*recent)).scalar_one()


def stored_mails(connection: sa.Connection, tables: Tables) -> set[str]:
    """The store names of all kept incoming mails."""
    stored = tables.mail.c["stored"]
    return set(connection.scalars(sa.select(stored).where(stored.is_not(None))))


def _columns(table: sa.Table) -> list[sa.Column[object]]:
    return [table.c[name] for name in MailRow.__dataclass_fields__]

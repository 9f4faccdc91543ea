"""The queue of emails, written in the transaction of their cause: none is lost, and none is sent after a rollback.

The emails are made in portal/mail.
"""

import datetime
from email.message import EmailMessage

import sqlalchemy as sa

from portal.database.schema.tables import Tables


def put(connection: sa.Connection, tables: Tables, letter: EmailMessage, now: datetime.datetime) -> None:
    """Queue an email; it is sent only if the transaction is committed."""
    row = {
        "recipient": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "message": letter.as_string(),
        "created": now,
    }
    connection.execute(sa.insert(tables.outbox).values(row))


def newest(connection: sa.Connection, tables: Tables, limit: int = 100) -> list[sa.RowMapping]:
    """The emails that were queued last, newest first."""
    query = sa.select(tables.outbox).order_by(tables.outbox.c["id"].desc()).limit(limit)
    return list(connection.execute(query).mappings())

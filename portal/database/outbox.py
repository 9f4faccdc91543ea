"""The queue of letters: a row in the transaction of its cause, so that none is lost and none is sent for a rollback.

What a letter says is made in portal/mail; sending is the worker's.
"""

import datetime
from email.message import EmailMessage

import sqlalchemy as sa

from portal.database.schema.tables import Tables


def put(connection: sa.Connection, tables: Tables, letter: EmailMessage, now: datetime.datetime) -> None:
    """Queue a letter; it stands there when the transaction is committed."""
    row = {
        "recipient": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "message": letter.as_string(),
        "created": now,
    }
    connection.execute(sa.insert(tables.outbox).values(row))


def newest(connection: sa.Connection, tables: Tables, most: int = 100) -> list[sa.RowMapping]:
    """The letters queued last, newest first."""
    query = sa.select(tables.outbox).order_by(tables.outbox.c["id"].desc()).limit(most)
    return list(connection.execute(query).mappings())

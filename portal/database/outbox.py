"""The queue of emails, written in the transaction of their cause: none is lost, and none is sent after a rollback.

The emails are made in portal/mail.
"""

import datetime
from email.message import EmailMessage

import sqlalchemy as sa

from portal.database.schema.tables import Tables


def put(
    connection: sa.Connection,
    tables: Tables,
    letter: EmailMessage,
    now: datetime.datetime,
    condition: sa.ColumnElement[bool] | None = None,
) -> bool:
    """Queue an email, if `condition` holds in the database; whether it did.

    It is sent only if the transaction is committed.
    """
    row = {
        "recipient": str(letter["To"]),
        "subject": str(letter["Subject"]),
        "message": letter.as_string(),
        "created": now,
    }
    values = sa.select(*(sa.literal(value, tables.outbox.c[name].type) for name, value in row.items()))
    if condition is not None:
        values = values.where(condition)
    insert = sa.insert(tables.outbox).from_select(list(row), values)
    return connection.execute(insert.returning(tables.outbox.c["id"])).first() is not None


def newest(connection: sa.Connection, tables: Tables, limit: int = 100) -> list[sa.RowMapping]:
    """The emails that were queued last, newest first."""
    query = sa.select(tables.outbox).order_by(tables.outbox.c["id"].desc()).limit(limit)
    return list(connection.execute(query).mappings())

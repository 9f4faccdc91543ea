"""The queue of messages to webhooks: one row for each event and each webhook (queue.py).

A row has no data of the record, which is read when the message is sent (portal/jobs/webhook_message.py).
"""

import datetime
import secrets
from collections.abc import Collection

import sqlalchemy as sa

from portal.database import queue
from portal.database.queue import REFUSED, SENT, WAITING, queued_row
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration

# The kinds of events that have another name for webhooks.
WORD_OF_KIND = {"signed": "edited"}


def event_type(module: str, kind: str) -> str:
    """The type of an event as in `on:` of webhooks, such as `orders.moved`."""
    word = kind.partition(":")[0]
    return f"{module}.{WORD_OF_KIND.get(word, word)}"


def webhooks_of(declaration: Declaration, event_type: str) -> list[str]:
    """The names of the webhooks that receive events of this type."""
    return [name for name, webhook in declaration.webhooks.items() if event_type in webhook.on]


def newest_deliveries(connection: sa.Connection, tables: Tables, limit: int, state: str | None) -> list[sa.RowMapping]:
    """The latest messages to webhooks, newest first, with module and record; only in one state, None for all."""
    delivery, event = tables.delivery, tables.event
    query = sa.select(delivery, event.c["module"], event.c["record"], event.c["kind"]).join_from(
        delivery, event, delivery.c["event"] == event.c["id"]
    )
    if state is not None:
        query = query.where(delivery.c["state"] == state)
    return list(connection.execute(query.order_by(delivery.c["id"].desc()).limit(limit)).mappings())


def count_waiting(connection: sa.Connection, tables: Tables, webhook: str) -> int:
    """How many messages wait for a webhook."""
    delivery = tables.delivery.c
    query = sa.select(sa.func.count()).where(delivery["webhook"] == webhook, delivery["state"] == WAITING)
    return connection.execute(query).scalar_one()


def is_declared(tables: Tables) -> sa.ColumnElement[bool]:
    """SQL: messages to declared webhooks; those to removed ones are not sent."""
    return tables.delivery.c["webhook"].in_(tables.declaration.webhooks)


def forget_deliveries(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> None:
    """Deletes messages that were sent or given up long ago, and those that waited in vain for a removed webhook.

    Not immediately: while a portal is updated, processes with the old and the new files run at the same time.
    """
    table = tables.delivery
    queue.forget(connection, table, now, SENT, REFUSED)
    connection.execute(sa.delete(table).where(queue.late(table, now), sa.not_(is_declared(tables))))


def put_deliveries(
    connection: sa.Connection,
    tables: Tables,
    webhooks: Collection[str],
    event_id: int,
    event_type: str,
    now: datetime.datetime,
) -> None:
    """Queues an event for webhooks; it is sent only if the transaction is committed."""
    rows = [
        {
            "webhook": name,
            "event": event_id,
            "type": event_type,
            "message_id": f"msg_{secrets.token_hex(16)}",
            **queued_row(now),
        }
        for name in webhooks
    ]
    connection.execute(sa.insert(tables.delivery), rows)

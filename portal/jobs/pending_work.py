"""Measures for monitors how far behind letters, news, webhooks and the search index are, and if the processes that
work on them are alive."""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database import queue
from portal.database.deliveries import is_declared
from portal.database.insert import insert_into
from portal.database.schema.tables import Tables

WORKER, INBOX = "worker", "inbox"  # the names of heartbeats
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class PendingWork:
    """What waits at one moment; ages in seconds, None if nothing waits, or if no such process was ever seen."""

    letters: int = 0
    oldest_letter: float | None = None
    news: int = 0  # events that someone may have to be notified of
    oldest_news: float | None = None
    webhooks: int = 0  # messages to webhooks
    oldest_webhook: float | None = None
    index_marks: int = 0  # groups of search index entries to rewrite
    worker_seen: float | None = None
    inbox_seen: float | None = None  # since `portal inbox` last looked for mail, and could


def measure_pending_work(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> PendingWork:
    """The work that is pending now, for monitors, counted up to MOST_COUNTED."""
    letters, oldest_letter = _waiting(connection, _in_queue(tables.outbox), now)
    webhooks, oldest_webhook = 0, None
    if tables.declaration.webhooks:
        webhooks, oldest_webhook = _waiting(connection, _in_queue(tables.delivery).where(is_declared(tables)), now)
    news, oldest_news = _waiting(connection, sa.select(tables.announcement.c["at"]), now)
    marks = sa.select(sa.func.count()).select_from(tables.backlog)
    heartbeat = tables.heartbeat.c
    rows = connection.execute(sa.select(heartbeat["name"], heartbeat["at"])).mappings()
    beats = {row["name"]: row["at"] for row in rows}
    receives = tables.declaration.inbox is not None
    return PendingWork(
        letters,
        oldest_letter,
        news,
        oldest_news,
        webhooks,
        oldest_webhook,
        connection.execute(marks).scalar_one(),
        _age(beats.get(WORKER), now),
        _age(beats.get(INBOX), now) if receives else None,
    )


def record_heartbeat(connection: sa.Connection, tables: Tables, name: str, now: datetime.datetime) -> None:
    """Stores that a process is alive."""
    upsert = insert_into(connection, tables.heartbeat).values(name=name, at=now)
    connection.execute(upsert.on_conflict_do_update(index_elements=["name"], set_={"at": now}))


def forget_heartbeat(connection: sa.Connection, tables: Tables, name: str) -> None:
    """Forgets that there was such a process, so that monitors do not miss it."""
    connection.execute(sa.delete(tables.heartbeat).where(tables.heartbeat.c["name"] == name))


def _in_queue(table: sa.Table) -> sa.Select[tuple[datetime.datetime]]:
    return sa.select(table.c["created"]).where(table.c["state"] == queue.WAITING)


def _waiting(
    connection: sa.Connection, moments: sa.Select[tuple[datetime.datetime]], now: datetime.datetime
) -> tuple[int, float | None]:
    rows = moments.limit(MOST_COUNTED).subquery()
    (moment,) = rows.c
    count, oldest = connection.execute(sa.select(sa.func.count(), sa.func.min(moment, type_=moment.type))).one()
    return count, _age(oldest, now)


def _age(moment: datetime.datetime | None, now: datetime.datetime) -> float | None:
    """The age of pending work, never negative, even if a clock was set back."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())

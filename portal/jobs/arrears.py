"""What is behind: letters and news that wait, the search index, and whether the worker lives. Read by monitors."""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database import outbox
from portal.database.schema.tables import Tables

WORKER = "worker"
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Arrears:
    """What waits at one moment; ages in seconds, None where nothing waits, or where no worker was ever seen."""

    letters: int = 0
    oldest_letter: float | None = None
    news: int = 0  # events that somebody may have to be told of
    oldest_news: float | None = None
    index_marks: int = 0  # entries of the search index to be written again, in groups
    worker_seen: float | None = None


def measure_arrears(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> Arrears:
    """What waits now; more than MOST_COUNTED are not counted."""
    waiting = tables.outbox.c["state"] == outbox.WAITING
    letters, oldest_letter = _waiting(connection, sa.select(tables.outbox.c["created"]).where(waiting), now)
    news, oldest_news = _waiting(connection, sa.select(tables.announcement.c["at"]), now)
    marks = sa.select(sa.func.count()).select_from(tables.backlog)
    beat = sa.select(tables.heartbeat.c["at"]).where(tables.heartbeat.c["name"] == WORKER)
    return Arrears(
        letters,
        oldest_letter,
        news,
        oldest_news,
        connection.execute(marks).scalar_one(),
        _age(connection.execute(beat).scalar(), now),
    )


def _waiting(
    connection: sa.Connection, moments: sa.Select[tuple[datetime.datetime]], now: datetime.datetime
) -> tuple[int, float | None]:
    rows = moments.limit(MOST_COUNTED).subquery()
    (moment,) = rows.c
    count, oldest = connection.execute(sa.select(sa.func.count(), sa.func.min(moment, type_=moment.type))).one()
    return count, _age(oldest, now)


def _age(moment: datetime.datetime | None, now: datetime.datetime) -> float | None:
    """Not below zero where a clock was set back."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())

"""Queues in a table, whose rows wait until an outside system has accepted them: shared by emails and webhooks.

A row is written in the transaction of its cause: none is lost, and none is sent after a rollback. A worker claims a
row, sends it outside of any transaction and stores the outcome. A worker that dies leaves its claim, which expires
after LEASE. A failed row is retried after growing pauses, until it is given up.
"""

import datetime
from typing import Any

import sqlalchemy as sa

WAITING, SENT, REFUSED = "waiting", "sent", "refused"
FINISHED_LIFETIME = datetime.timedelta(days=90)  # after which finished rows are deleted
GIVE_UP = datetime.timedelta(days=3)  # after which a row is no longer tried
AHEAD = GIVE_UP  # the time by which a row overtakes those that nobody is waiting for: none of them is older
LEASE = datetime.timedelta(minutes=10)  # longer than a server may take for one row
FIRST_PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)  # between attempts


def queued_row(now: datetime.datetime) -> dict[str, Any]:
    """The columns that make a new row of a queue wait to be sent."""
    return {"created": now, "state": WAITING, "attempts": 0, "next_try": now, "give_up": now + GIVE_UP}


def is_due(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Whether a row of the queue can be claimed now."""
    return connection.execute(_due(table, now).where(*conditions).order_by(None).limit(1)).first() is not None


def claim(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping | None:
    """The next row of a queue that is due, only for this worker until LEASE is over; None if there is none.

    Its `attempts` include this one.
    """
    query = _due(table, now).where(*conditions).limit(1).with_for_update(skip_locked=True)
    claimed = (
        sa.update(table)
        .where(table.c["id"] == query.scalar_subquery())
        .values(locked_until=now + LEASE, attempts=table.c["attempts"] + 1)
        .returning(table)
    )
    return connection.execute(claimed).mappings().first()


def release_claims(connection: sa.Connection, table: sa.Table) -> None:
    """Frees the rows of a queue that a dead worker has claimed. Only for the single worker of a database."""
    connection.execute(sa.update(table).where(table.c["locked_until"].is_not(None)).values(locked_until=None))


def mark_sent(connection: sa.Connection, table: sa.Table, row_id: int, now: datetime.datetime) -> None:
    """Marks a row of a queue as sent: the other side has accepted it."""
    update_queued_row(connection, table, row_id, state=SENT, sent=now, locked_until=None, reason=None)


def pause_after(attempts: int) -> datetime.timedelta:
    """The pause of a queue before the next attempt after so many failed ones."""
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)


def put_off(
    connection: sa.Connection,
    table: sa.Table,
    row_id: int,
    due: datetime.datetime,
    reason: str,
    keeps_place: bool = False,
) -> None:
    """Postpones a row of a queue until it is `due`, after a pause of at most LONGEST_PAUSE: it is retried behind those
    that are due by then, or, if it `keeps_place`, before them; that pause is at most LEASE."""
    times = {"locked_until": due} if keeps_place else {"next_try": due, "locked_until": None}
    update_queued_row(connection, table, row_id, reason=reason, **times)


def hand_back(connection: sa.Connection, table: sa.Table, row_id: int, reason: str) -> None:
    """Frees a row of a queue that could not be tried at all: it keeps its place, and the attempt does not count."""
    update_queued_row(connection, table, row_id, attempts=table.c["attempts"] - 1, locked_until=None, reason=reason)


def stop_trying(
    connection: sa.Connection, table: sa.Table, reason: str, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> None:
    """Gives up the waiting rows of a queue now instead of after GIVE_UP (`give_up_late` refuses them)."""
    waits = sa.and_(table.c["state"] == WAITING, *conditions)
    connection.execute(sa.update(table).where(waits).values(give_up=now, reason=reason))


def refuse(connection: sa.Connection, table: sa.Table, row_id: int, reason: str) -> None:
    """Marks a row of a queue as refused: it is not sent unless someone requests it."""
    update_queued_row(connection, table, row_id, state=REFUSED, locked_until=None, reason=reason)


def is_late(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Whether any row of a queue must be given up."""
    query = sa.select(table.c["id"]).where(late(table, now), *conditions)
    return connection.execute(query.limit(1)).first() is not None


def give_up_late(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, reason: str, *conditions: sa.ColumnElement[bool]
) -> int:
    """Refuses rows of a queue that could not be sent in time, with `reason` if no attempt failed; returns how many."""
    values = {"state": REFUSED, "reason": sa.func.coalesce(table.c["reason"], reason)}
    return connection.execute(sa.update(table).where(late(table, now), *conditions).values(values)).rowcount


def forget(connection: sa.Connection, table: sa.Table, now: datetime.datetime, *states: str) -> None:
    """Deletes rows of a queue that have been in one of the states for long, a few at a time."""
    is_old = table.c["state"].in_(states), table.c["next_try"] < now - FINISHED_LIFETIME
    old = sa.select(table.c["id"]).where(*is_old).limit(1_000)
    connection.execute(sa.delete(table).where(table.c["id"].in_(old)))


def send_again(
    connection: sa.Connection,
    table: sa.Table,
    row_id: int,
    now: datetime.datetime,
    until: datetime.datetime | None = None,
) -> bool:
    """Makes a row of a queue due now, before all others, until it is given up: by default, as late as a new one. False
    if there is no such row."""
    give_up = until or now + GIVE_UP
    times = {"next_try": now - AHEAD, "locked_until": None, "give_up": give_up, "sent": None}
    return update_queued_row(connection, table, row_id, state=WAITING, attempts=0, **times) == 1


def remove(connection: sa.Connection, table: sa.Table, row_id: int) -> None:
    """Deletes a row of a queue that must not be sent."""
    connection.execute(sa.delete(table).where(table.c["id"] == row_id))


def newest(connection: sa.Connection, table: sa.Table, limit: int, state: str | None) -> list[sa.RowMapping]:
    """The rows of a queue, newest first; only in one state, None for all."""
    query = sa.select(table).order_by(table.c["id"].desc()).limit(limit)
    if state is not None:
        query = query.where(table.c["state"] == state)
    return list(connection.execute(query).mappings())


def update_queued_row(connection: sa.Connection, table: sa.Table, row_id: int, **values: Any) -> int:
    """Writes columns of one row of a queue; returns the number of rows."""
    return connection.execute(sa.update(table).where(table.c["id"] == row_id).values(values)).rowcount


def _due(table: sa.Table, now: datetime.datetime) -> sa.Select[tuple[int]]:
    """The ids of the rows of a queue that may be tried now, longest waiting first.

    A moment further away than any pause was set by a wrong clock, and does not count.
    """
    time = sa.or_(table.c["next_try"] <= now, table.c["next_try"] > now + LONGEST_PAUSE + FIRST_PAUSE)
    return (
        sa.select(table.c["id"])
        .where(table.c["state"] == WAITING, time, table.c["give_up"] > now, _is_free(table, now))
        .order_by(table.c["next_try"], table.c["id"])
    )


def late(table: sa.Table, now: datetime.datetime) -> sa.ColumnElement[bool]:
    """SQL: whether a row is waiting but must no longer be tried."""
    return sa.and_(table.c["state"] == WAITING, table.c["give_up"] <= now, _is_free(table, now))


def _is_free(table: sa.Table, now: datetime.datetime) -> sa.ColumnElement[bool]:
    locked_until = table.c["locked_until"]
    return sa.or_(locked_until.is_(None), locked_until <= now, locked_until > now + LEASE + FIRST_PAUSE)

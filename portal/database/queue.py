"""What waits in a table until somebody outside has taken it: what emails and deliveries of webhooks have in common.

A row is written in the transaction of its cause: none is lost, and none is sent after a rollback. A worker claims one,
sends it outside of any transaction and stores what became of it. A worker that dies meanwhile leaves the claim, which
ends after LEASE. What fails is tried again after growing pauses, until it is given up.
"""

import datetime
from typing import Any

import sqlalchemy as sa

WAITING, SENT, REFUSED = "waiting", "sent", "refused"
FORGET = datetime.timedelta(days=90)  # after this time what is done with is deleted
GIVE_UP = datetime.timedelta(days=3)  # after this time it is no longer tried
LEASE = datetime.timedelta(minutes=10)  # longer than a server may take for one row
FIRST_PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)  # between two tries


def queued_row(now: datetime.datetime) -> dict[str, Any]:
    """The columns by which a new row of a queue waits to be sent."""
    return {"created": now, "state": WAITING, "attempts": 0, "next_try": now, "give_up": now + GIVE_UP}


def is_due(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Whether a row of the queue can be claimed now."""
    return connection.execute(_due(table, now).where(*conditions).order_by(None).limit(1)).first() is not None


def claim(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping | None:
    """The next row that is due, for this worker alone until LEASE is over; None if there is none.

    Its `attempts` count this one.
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
    """Frees what a worker had claimed that died. Only for the single worker of a database."""
    connection.execute(sa.update(table).where(table.c["locked_until"].is_not(None)).values(locked_until=None))


def mark_sent(connection: sa.Connection, table: sa.Table, row_id: int, now: datetime.datetime) -> None:
    """Marks a row as sent: the other side has taken it."""
    update_queued_row(connection, table, row_id, state=SENT, sent=now, locked_until=None, reason=None)


def pause_after(attempts: int) -> datetime.timedelta:
    """The pause before what failed so often is tried again."""
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)


def put_off(
    connection: sa.Connection,
    table: sa.Table,
    row_id: int,
    pause: datetime.timedelta,
    reason: str,
    now: datetime.datetime,
) -> None:
    """Puts a row off: it is tried again after a pause, of at most LONGEST_PAUSE."""
    update_queued_row(connection, table, row_id, next_try=now + pause, locked_until=None, reason=reason)


def stop_trying(
    connection: sa.Connection, table: sa.Table, reason: str, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> None:
    """Gives up what waits in the queue now, not after GIVE_UP (`give_up_late` refuses it)."""
    waits = sa.and_(table.c["state"] == WAITING, *conditions)
    connection.execute(sa.update(table).where(waits).values(give_up=now, reason=reason))


def refuse(connection: sa.Connection, table: sa.Table, row_id: int, reason: str) -> None:
    """Marks a row as refused: it is not sent, unless somebody asks for it."""
    update_queued_row(connection, table, row_id, state=REFUSED, locked_until=None, reason=reason)


def is_late(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Whether a row of the queue is to be given up."""
    query = sa.select(table.c["id"]).where(late(table, now), *conditions)
    return connection.execute(query.limit(1)).first() is not None


def give_up_late(
    connection: sa.Connection, table: sa.Table, now: datetime.datetime, reason: str, *conditions: sa.ColumnElement[bool]
) -> int:
    """Refuses what could not be sent in time, for `reason` where no try failed; returns how many rows that were."""
    values = {"state": REFUSED, "reason": sa.func.coalesce(table.c["reason"], reason)}
    return connection.execute(sa.update(table).where(late(table, now), *conditions).values(values)).rowcount


def forget(connection: sa.Connection, table: sa.Table, now: datetime.datetime, *states: str) -> None:
    """Deletes what has been in one of the states for long, some at a time."""
    is_old = table.c["state"].in_(states), table.c["next_try"] < now - FORGET
    old = sa.select(table.c["id"]).where(*is_old).limit(1_000)
    connection.execute(sa.delete(table).where(table.c["id"].in_(old)))


def send_again(connection: sa.Connection, table: sa.Table, row_id: int, now: datetime.datetime) -> bool:
    """Makes a row due now, with as much time as a new one; False if there is no such row."""
    values = {"state": WAITING, "next_try": now, "give_up": now + GIVE_UP, "attempts": 0, "sent": None}
    return update_queued_row(connection, table, row_id, **values) == 1


def remove(connection: sa.Connection, table: sa.Table, row_id: int) -> None:
    """Deletes a row that is not to be sent."""
    connection.execute(sa.delete(table).where(table.c["id"] == row_id))


def newest(connection: sa.Connection, table: sa.Table, limit: int, state: str | None) -> list[sa.RowMapping]:
    """The rows of a queue, newest first; of one state only, None for all."""
    query = sa.select(table).order_by(table.c["id"].desc()).limit(limit)
    if state is not None:
        query = query.where(table.c["state"] == state)
    return list(connection.execute(query).mappings())


def update_queued_row(connection: sa.Connection, table: sa.Table, row_id: int, **values: Any) -> int:
    """Writes columns of one row of a queue; returns how many rows that were."""
    return connection.execute(sa.update(table).where(table.c["id"] == row_id).values(values)).rowcount


def _due(table: sa.Table, now: datetime.datetime) -> sa.Select[tuple[int]]:
    """The ids of what may be tried now, those that wait longest first.

    A moment that is further away than any pause was set by a clock that went wrong, and does not count.
    """
    time = sa.or_(table.c["next_try"] <= now, table.c["next_try"] > now + LONGEST_PAUSE + FIRST_PAUSE)
    return (
        sa.select(table.c["id"])
        .where(table.c["state"] == WAITING, time, table.c["give_up"] > now, _is_free(table, now))
        .order_by(table.c["next_try"], table.c["id"])
    )


def late(table: sa.Table, now: datetime.datetime) -> sa.ColumnElement[bool]:
    """SQL: whether a row waits and is no longer tried."""
    return sa.and_(table.c["state"] == WAITING, table.c["give_up"] <= now, _is_free(table, now))


def _is_free(table: sa.Table, now: datetime.datetime) -> sa.ColumnElement[bool]:
    locked_until = table.c["locked_until"]
    return sa.or_(locked_until.is_(None), locked_until <= now, locked_until > now + LEASE + FIRST_PAUSE)

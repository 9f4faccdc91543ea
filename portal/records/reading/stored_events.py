"""The events of records as they are stored, newest first; history.py decides what one reader may read of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.database.sql import integer_literal
from portal.records.reading.records import Record, Records

BATCH = 100  # events read at a time
MOST_STORED = 100  # events of a record that are read for its page


def stored_events(records: Records, record: Record) -> Sequence[Mapping[str, Any]]:
    """The newest MOST_STORED events of a record as they are stored, newest first, for callers that need more than a
    reader may read.

    `record` comes from `records`.
    """
    statement = records.policy.tables.statement("events of a record", lambda: _of_record(records.policy.tables))
    return fetch(records.connection, statement, {"module_name": records.name, "record_id": record.id})


def state_events(records: Records, record: Record, stored: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The events about the states of a record, newest first, possibly with others; `stored`: its newest ones."""
    if len(stored) < MOST_STORED:
        return stored
    statement = records.policy.tables.statement("events of states", lambda: _of_states(records.policy.tables))
    return fetch(records.connection, statement, {"module_name": records.name, "record_id": record.id})


def read_events(
    records: Records, conditions: Iterable[Any], before: int | None, size: int = BATCH
) -> Sequence[Mapping[str, Any]]:
    """The next events, newest first; `before`: only those older than the one with this id."""
    query, event_id = _events(records.policy.tables).where(*conditions), records.policy.tables.event.c["id"]
    if before is not None:
        query = query.where(event_id < before)
    rows: Sequence[Any] = records.connection.execute(query.order_by(event_id.desc()).limit(size)).mappings().all()
    return rows


def _of_record(tables: Tables) -> sa.Select[Any]:
    newest = tables.event.c["id"].desc()
    return _events(tables).where(*_on_record(tables.event)).order_by(newest).limit(integer_literal(MOST_STORED))


def _of_states(tables: Tables) -> sa.Select[Any]:
    """The events that states_entered.py reads: those about states, and the comments made with them."""
    event, moved = tables.event, tables.event.alias()
    moments = sa.select(moved.c["at"]).where(*_on_record(moved), _tells_of_state(moved))
    with_it = sa.and_(event.c["kind"] == "commented", event.c["at"].in_(moments))
    either = sa.or_(_tells_of_state(event), with_it)
    return _events(tables).where(*_on_record(event), either).order_by(event.c["id"].desc())


def _tells_of_state(event: sa.FromClause) -> sa.ColumnElement[bool]:
    by_kind = sa.or_(event.c["kind"] == "created", event.c["kind"].startswith("moved"))
    return sa.or_(by_kind, event.c["details"]["state"].as_string().is_not(None))


def _on_record(event: sa.FromClause) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return event.c["module"] == sa.bindparam("module_name"), event.c["record"] == sa.bindparam("record_id")


def _events(tables: Tables) -> sa.Select[Any]:
    """The columns of events; those of older portals lack the author's name, which the account has."""
    event, account = tables.event, tables.account
    columns = [column for column in event.c if column.name != "author"]
    author = sa.func.coalesce(event.c["author"], account.c["name"], account.c["email"]).label("author")
    return sa.select(*columns, author).select_from(event.outerjoin(account, event.c["account"] == account.c["id"]))

"""Does what is due by time: transitions with `after`, and reminders. Each happens once.

A record is locked, checked again and changed in one transaction. A transition leaves the state in which it is due; a
reminder is an event, written only if the current stay in the state has none yet. So it does not matter how often this
runs, how many workers run it, or how long none did.
"""

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Lifecycle, Module, Transition, leaves
from portal.fields.duration import duration_in_words
from portal.jobs.transactions import failure_logged, in_retried_transaction
from portal.records.policy import system_policy
from portal.records.reading.records import Record, Records
from portal.records.writing.errors import ConflictError
from portal.records.writing.history import Author, add_event
from portal.records.writing.writer import Writer
from portal.texts import _

log = logging.getLogger(__name__)

BATCH = 500  # records looked up together
UNITS = ("day", "hour", "minute")


@dataclass(frozen=True)
class ScheduledTask:
    """What happens to a record that has been in one of `states` for a period, or that is there when the datetime that
    `after` names comes; `transition` is None for a reminder."""

    module: Module
    lifecycle: Lifecycle
    states: Sequence[str]
    after: datetime.timedelta | str
    transition: Transition | None = None


@dataclass(frozen=True)
class Due:
    """What is due in one database."""

    engine: sa.Engine
    clock: Callable[[], datetime.datetime]

    def do_all(self, tables: Tables, is_stopping: Callable[[], bool]) -> int:
        """Does what is due; returns the number of records."""
        return sum(self._try(tables, task, is_stopping) for task in _tasks(tables))

    def _try(self, tables: Tables, task: ScheduledTask, is_stopping: Callable[[], bool]) -> int:
        """Does one task; a failure holds up neither the others nor the letters that are sent afterwards."""
        with failure_logged(log, "What is due in %s could not be looked for", task.module.name):
            return self._do(tables, task, is_stopping)
        return 0

    def _do(self, tables: Tables, task: ScheduledTask, is_stopping: Callable[[], bool]) -> int:
        done, last = 0, 0
        key = tables.module(task.module.name).c["id"]
        while not is_stopping():
            following = _waiting(tables, task, self.clock()).where(key > last).order_by(key).limit(BATCH)
            with reading(self.engine) as connection:
                ids = list(connection.execute(following).scalars())
            done += sum(self._do_one(tables, task, record_id) for record_id in ids if not is_stopping())
            if len(ids) < BATCH:
                break
            last = ids[-1]
        return done

    def _do_one(self, tables: Tables, task: ScheduledTask, record_id: int) -> bool:
        with (
            failure_logged(log, "What is due for %s %s could not be done", task.module.name, record_id),
            contextlib.suppress(ConflictError),  # changed by someone else
        ):
            return in_retried_transaction(self._engine_for(task), self._act, tables, task, record_id)
        return False

    def _engine_for(self, task: ScheduledTask) -> sa.Engine:
        # A reminder changes no row that its record's lock protects: a worker that waited for the lock must see the
        # event that the other worker wrote in the meantime, which REPEATABLE READ would hide.
        if task.transition is None and self.engine.dialect.name == "postgresql":
            return self.engine.execution_options(isolation_level="READ COMMITTED")
        return self.engine

    def _act(self, connection: sa.Connection, tables: Tables, task: ScheduledTask, record_id: int) -> bool:
        table, now = tables.module(task.module.name), self.clock()
        # The second of two workers waits here for the first, and then sees that the record is done.
        connection.execute(sa.select(table.c["id"]).where(table.c["id"] == record_id).with_for_update())
        if connection.execute(_waiting(tables, task, now).where(table.c["id"] == record_id)).first() is None:
            return False
        reader = tables.declaration.reader(now=now)
        records = Records(connection, system_policy(tables, reader), task.module.name)
        record = records.get(record_id)
        if record is None:
            return False
        author = Author(name=reader.text(tables.declaration.settings.name))
        if task.transition is None:
            add_event(records, record_id, "reminded", author, {"state": record.values[task.lifecycle.field]})
        else:
            _move(Writer(records, author), record, task, task.transition)
        return True


def _move(writer: Writer, record: Record, task: ScheduledTask, transition: Transition) -> None:
    """Moves a record that is due; a required comment does not mention the datetime, which not all may see."""
    comment = ""
    if transition.ask.get("comment") == "required":
        reader = writer.records.policy.reader
        if isinstance(task.after, datetime.timedelta):
            period = duration_in_words(int(task.after.total_seconds()), reader, UNITS)
            comment = reader.text(_("Done automatically after ${period}.", mapping={"period": period}))
        else:
            comment = reader.text(_("Done automatically at the scheduled time."))
    writer.move(record, transition, {}, comment)


def _tasks(tables: Tables) -> Iterator[ScheduledTask]:
    for module in tables.declaration.modules.values():
        lifecycle = module.lifecycle
        if lifecycle is None:
            continue
        for transition in lifecycle.transitions.values():
            if transition.after is not None:
                states = [state for state in module.states if leaves(transition, state)]
                yield ScheduledTask(module, lifecycle, states, transition.after, transition)
        for state, period in module.mail.remind.items():
            yield ScheduledTask(module, lifecycle, [state], period)


def _waiting(tables: Tables, task: ScheduledTask, now: datetime.datetime) -> sa.Select[Any]:
    """The ids of the records for which a task is due.

    The events say when a record entered its state; without any, it has been there since it was created. A moment that
    had already passed by then does not count: nothing is repeated over and over.
    """
    table, event = tables.module(task.module.name), tables.event
    moment = task.module.field(task.after).expression(table) if isinstance(task.after, str) else None
    before = now - task.after if isinstance(task.after, datetime.timedelta) else moment
    state = task.module.field(task.lifecycle.field).expression(table)
    since = event.c["at"] > before if moment is None else event.c["at"] >= moment
    newer = sa.exists().where(_of(event, task, table), _moved_into_state(event), since)
    query = sa.select(table.c["id"]).where(
        state.in_(task.states), sa.or_(table.c["created"].is_(None), table.c["created"] <= before), ~newer
    )
    if moment is not None:
        query = query.where(moment <= now)
    if task.transition is None:
        later = event.alias()
        same = sa.and_(later.c["module"] == event.c["module"], later.c["record"] == event.c["record"])
        left_since = sa.exists().where(same, _moved_into_state(later), later.c["id"] > event.c["id"])
        query = query.where(~sa.exists().where(_of(event, task, table), event.c["kind"] == "reminded", ~left_since))
    return query


def _of(event: sa.FromClause, task: ScheduledTask, table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(event.c["module"] == task.module.name, event.c["record"] == table.c["id"])


def _moved_into_state(event: sa.FromClause) -> sa.ColumnElement[bool]:
    """SQL: whether an event moved its record into a state, after which a scheduled task is due some time later."""
    kind = event.c["kind"]
    imported = sa.and_(kind == "imported", event.c["details"]["state"].as_string().is_not(None))
    return sa.or_(kind.in_(["created", "moved"]), kind.startswith("moved:"), imported)

"""Deadlines as they are written: set for a new record, moved by a change of its state or of what it is chosen by.

Every path that writes records passes here: module_rows.py and changing.py for one at a time, transfer/storing.py for
the rows of a file.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.deadline import Change, Clock, DeadlineRule, Timing
from portal.records.reading.records import Records

Row = Mapping[str, Any]  # columns of a table of the portal's own


class MovedDeadlines(NamedTuple):
    """The deadlines that a change concerns, `before` and after (`values`), by name; `columns`: with their clocks."""

    before: dict[str, Any]
    values: dict[str, Any]
    columns: dict[str, Any]


def first_deadlines(module: Module, row: Row, created: datetime.datetime) -> dict[str, Any]:
    """The columns of the deadlines of a new record with the columns `row`."""
    columns: dict[str, Any] = {}
    for field, rule in _rules(module.deadlines):
        state, option = _value(module, module.state_field, row), _value(module, rule.choice, row)
        columns |= _columns(field, rule.start(created, option, state, field.load(row)))
    return columns


def moved_deadlines(system: Records, rows: Mapping[int, Row]) -> dict[int, MovedDeadlines]:
    """What becomes of the deadlines when the columns `rows` are written to records, by their ids; empty where these do
    not concern any. The records are locked, as those whose formulas are computed are."""
    module = system.module
    written = {name for row in rows.values() for name in row}
    fields = [
        field
        for field, rule in _rules(module.deadlines)
        if not written.isdisjoint((field.name, rule.choice, module.state_field))
    ]
    stored = _stored(system, fields, rows) if fields else {}
    return {
        record_id: _moved(module, fields, before, rows[record_id], system.policy.reader.now)
        for record_id, before in stored.items()
    }


def _stored(system: Records, fields: Iterable[Field], ids: Iterable[int]) -> dict[int, Row]:
    table, module = system.table, system.module
    names = {"created": None, **dict.fromkeys(filter(None, [module.state_field]))}
    for field, rule in _rules(fields):
        names |= dict.fromkeys(filter(None, [field.name, rule.choice]))
    columns = [column for name in names for column in module.field(name).selected(table)]
    clocks = [table.c[field.clock_column] for field in fields]
    record_id = table.c["id"]
    query = sa.select(record_id, *columns, *clocks).where(record_id.in_(list(ids))).order_by(record_id)
    rows = system.connection.execute(query.with_for_update(key_share=True)).mappings()
    return {row["id"]: dict(row) for row in rows}


def _moved(
    module: Module, fields: Iterable[Field], before: Row, written: Row, now: datetime.datetime
) -> MovedDeadlines:
    row, moved = {**before, **written}, MovedDeadlines({}, {}, {})
    for field, rule in _rules(fields):
        deadline, given = field.load(before), field.load(row)
        timing = Timing(deadline, Clock.of_json(before[field.clock_column], before["created"]))
        timing = rule.change(
            timing,
            now,
            Change(
                state_before=_value(module, module.state_field, before),
                state=_value(module, module.state_field, row),
                option_before=_value(module, rule.choice, before),
                option=_value(module, rule.choice, row),
                gives=given != deadline,
                given=given,
            ),
        )
        moved.before[field.name], moved.values[field.name] = deadline, timing.deadline
        moved.columns.update(_columns(field, timing))
    return moved


def _rules(fields: Iterable[Field]) -> Iterable[tuple[Field, DeadlineRule]]:
    return ((field, field.deadline_rule) for field in fields if field.deadline_rule)


def _value(module: Module, name: str | None, row: Row) -> Any:
    return module.field(name).load(row) if name else None


def _columns(field: Field, timing: Timing) -> dict[str, Any]:
    return {**field.store(timing.deadline), field.clock_column: timing.clock.to_json()}

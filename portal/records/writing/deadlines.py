"""Writes deadlines: sets them for a new record, and moves them when its state changes, or what decides their length and
start.

Every path that writes records goes through here: module_rows.py and changing.py for single records, transfer/storing.py
for the rows of a file.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.deadline import Clock, DeadlineRule, Situation, Timing, is_path
from portal.records.indexing.formulas import locked_columns
from portal.records.reading.records import Records

StoredRow = Mapping[str, Any]  # columns of one of the portal's own tables


class MovedDeadlines(NamedTuple):
    """The deadlines affected by a change, `before` and after (`values`), by name; `columns`: with their clocks."""

    before: dict[str, Any]
    values: dict[str, Any]
    columns: dict[str, Any]


def first_deadlines(system: Records, row: StoredRow) -> dict[str, Any]:
    """The columns of the deadlines of a new record with the columns `row`."""
    columns: dict[str, Any] = {}
    for field, rule in _rules(system.module.deadlines):
        columns |= _columns(field, rule, rule.start(_situation(system, rule, row), field.load(row)))
    return columns


def moved_deadlines(system: Records, rows: Mapping[int, StoredRow]) -> dict[int, MovedDeadlines]:
    """The deadlines that move when the columns `rows` are written to records, by their ids; empty if there are none.
    The records are locked, like those whose formulas are computed."""
    module = system.module
    changed = {name for row in rows.values() for name in row}
    fields = [
        field
        for field, rule in _rules(module.deadlines)
        if not changed.isdisjoint((field.name, module.state_field, *rule.sources))
    ]
    stored = _stored(system, fields, rows) if fields else {}
    return {record_id: _moved(system, fields, before, rows[record_id]) for record_id, before in stored.items()}


def _stored(system: Records, fields: Iterable[Field], ids: Iterable[int]) -> dict[int, StoredRow]:
    table, module = system.table, system.module
    names = dict.fromkeys(filter(None, [module.state_field]))
    for field, rule in _rules(fields):
        names |= dict.fromkeys([field.name, *rule.sources])
    columns = [column for name in names for column in module.field(name).selected(table)]
    clocks = [table.c[rule.clock_column] for _field, rule in _rules(fields)]
    return locked_columns(system, ids, [*columns, *clocks])


def _moved(system: Records, fields: Iterable[Field], before: StoredRow, written: StoredRow) -> MovedDeadlines:
    row, moved, now = {**before, **written}, MovedDeadlines({}, {}, {}), system.policy.reader.now
    for field, rule in _rules(fields):
        deadline, given = field.load(before), field.load(row)
        earlier, later = _situation(system, rule, before), _situation(system, rule, row)
        timing = Timing(deadline, Clock.of_json(before[rule.clock_column], earlier.since))
        timing = rule.change(timing, now, earlier, later, *([given] if given != deadline else []))
        moved.before[field.name], moved.values[field.name] = deadline, timing.deadline
        moved.columns.update(_columns(field, rule, timing))
    return moved


def _rules(fields: Iterable[Field]) -> Iterable[tuple[Field, DeadlineRule]]:
    return ((field, field.deadline_rule) for field in fields if field.deadline_rule)


def _situation(system: Records, rule: DeadlineRule, row: StoredRow) -> Situation:
    """What determines a record's deadline, whose columns are `row`."""
    module = system.module
    option = _value(module, rule.choice, row)
    target = rule.target(option)
    since, done = _value(module, rule.since, row), _value(module, rule.until, row)
    clock_state = rule.clock_state(_value(module, module.state_field, row), done)
    if target is None or not is_path(target):
        return Situation(clock_state, since, None if target is None else rule.hours.seconds(target), option, done)
    first, *path = target.split(".")
    start = _value(module, first, row)
    return Situation(clock_state, since, _duration(system, start, path), (option, start), done)


def _duration(system: Records, start: Any, path: Sequence[str]) -> int | None:
    """The seconds at the end of a `path` of fields, all but the last of them links, from the value of the first; None
    if a link is empty or there is no duration."""
    for name in path:
        if start is None:
            return None
        linked = system.of(start.module).by_ids([start.id], [name])
        start = linked[0].values[name] if linked else None
    return start


def _value(module: Module, name: str | None, row: StoredRow) -> Any:
    return module.field(name).load(row) if name else None


def _columns(field: Field, rule: DeadlineRule, timing: Timing) -> dict[str, Any]:
    return {**field.store(timing.deadline), rule.clock_column: timing.clock.to_json()}

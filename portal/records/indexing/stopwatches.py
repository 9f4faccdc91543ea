"""The stopwatches of records, computed whenever a field that starts or stops them is written.

How long a record was in each state is read from its history, so that a stopwatch that is declared later, or whose hours
change, has the value it would have had from the beginning.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.stopwatch import Stopwatch
from portal.records.indexing.formulas import locked_columns
from portal.records.reading.records import Records

StoredRow = Mapping[str, Any]  # columns of one of the portal's own tables
Stays = list[tuple[datetime.datetime, str | None]]  # the states of a record, each with when it began


def first_stopwatches(module: Module, row: StoredRow) -> dict[str, Any]:
    """The columns of the stopwatches of a new record with the columns `row`."""
    stays = [(row["created"], _value(module, module.state_field, row))]
    return {name: number for watch in _watches(module) for name, number in _columns(watch, module, row, stays).items()}


def stopwatches_after(system: Records, rows: Mapping[int, StoredRow]) -> dict[int, dict[str, Any]]:
    """The columns of the stopwatches after the columns `rows` are written to records, by their ids."""
    module, now = system.module, system.policy.reader.now
    changed = {name for row in rows.values() for name in row}
    watches = [
        watch
        for watch in _watches(module)
        if not changed.isdisjoint((watch.start, watch.end, module.state_field if watch.states else ""))
    ]
    return _read(system, watches, rows, now) if watches else {}


def recompute_stopwatches(system: Records, ids: Iterable[int]) -> None:
    """Rewrites all stopwatches of records from what is stored."""
    watches, table = list(_watches(system.module)), system.table
    columns_of = _read(system, watches, {record_id: {} for record_id in ids}, None) if watches else {}
    for record_id, columns in columns_of.items():
        system.connection.execute(sa.update(table).where(table.c["id"] == record_id).values(columns))


def _read(
    system: Records,
    watches: Iterable[Stopwatch],
    rows: Mapping[int, StoredRow],
    now: datetime.datetime | None,
) -> dict[int, dict[str, Any]]:
    module, state_field = system.module, system.module.state_field
    names = {"created": None} | {
        name: None for watch in watches for name in (watch.start, watch.end, watch.states and state_field) if name
    }
    stored = _stored(system, list(names), rows)
    stays = _stays(system, stored) if any(watch.states for watch in watches) else {}
    columns: dict[int, dict[str, Any]] = {}
    for record_id, before in stored.items():
        row = {**before, **rows[record_id]}
        states = stays.get(record_id, [])
        if now is not None and states:
            states = [*states, (now, _value(module, state_field, row))]
        columns[record_id] = {}
        for watch in watches:
            columns[record_id] |= _columns(watch, module, row, states)
    return columns


def _stored(system: Records, names: list[str], ids: Iterable[int]) -> dict[int, StoredRow]:
    columns = [column for name in names for column in system.module.field(name).selected(system.table)]
    return locked_columns(system, ids, columns)


def _stays(system: Records, stored: Mapping[int, StoredRow]) -> dict[int, Stays]:
    """The states of records and when each began, for stopwatches: from the history, ending with the current one."""
    module, event = system.module, system.policy.tables.event
    names = [event.c[name] for name in ("record", "kind", "at", "details")]
    of_these = sa.and_(event.c["module"] == module.name, event.c["record"].in_(list(stored)))
    moves = sa.or_(event.c["kind"].in_(("created", "imported", "edited")), event.c["kind"].startswith("moved"))
    query = sa.select(*names).where(of_these, moves).order_by(event.c["id"])
    stays: dict[int, Stays] = {record_id: [] for record_id in stored}
    state_field = module.state_field or ""
    for record_id, kind, moment, details in system.connection.execute(query):
        if "state" not in (details or {}):
            continue
        before, stay = stored[record_id], stays[record_id]
        if not stay and kind in ("created", "imported"):
            moment = before["created"]
        elif not stay:
            stay.append((before["created"], details.get("changes", {}).get(state_field, [None])[0]))
        stay.append((moment, details["state"]))
    for record_id, stay in stays.items():
        if not stay:
            stay.append((stored[record_id]["created"], _value(module, module.state_field, stored[record_id])))
    return stays


def _watches(module: Module) -> Iterable[Stopwatch]:
    return (field.stopwatch for field in module.fields.values() if field.stopwatch)


def _columns(watch: Stopwatch, module: Module, row: StoredRow, stays: Stays) -> dict[str, Any]:
    if watch.states:
        numbers = watch.over(stays)
    else:
        numbers = watch.between(_value(module, watch.start, row), _value(module, watch.end, row))
    return dict(zip(watch.columns, numbers, strict=True))


def _value(module: Module, name: str | None, row: StoredRow) -> Any:
    return module.field(name).load(row) if name else None

"""What a page shows of a deadline in addition to its moment: that it is late, or the time left while it is paused."""

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.deadline import Clock, ClockState
from portal.records.reading.records import Record, Records


def is_late(records: Records, record: Record, field: Field) -> bool:
    """Whether a field of the record is a deadline that has passed; False for readers who may not read it, or the
    state."""
    deadline, is_running = record.values.get(field.name), _clock_state(records, record, field) is ClockState.RUNNING
    return is_running and deadline is not None and deadline < records.policy.reader.now


def seconds_left(records: Records, record: Record, field: Field) -> int | None:
    """The working seconds left of a readable, paused deadline, negative if it was late when it was paused; None for any
    other field."""
    table, values, rule = records.table, record.values, field.deadline_rule
    is_paused = _clock_state(records, record, field) is ClockState.PAUSED
    if rule is None or not is_paused or values.get(field.name, ()) is not None:
        return None
    stored = records.connection.scalar(sa.select(table.c[rule.clock_column]).where(table.c["id"] == record.id))
    return Clock.of_json(stored, values.get("created") or records.policy.reader.now).left


def _clock_state(records: Records, record: Record, field: Field) -> ClockState | None:
    """What the clock of a deadline does; None if the reader may not read what decides it, or nothing does."""
    rule, values, state_field = field.deadline_rule, record.values, records.module.state_field
    deciding = [name for name in (state_field, rule and rule.until) if name]
    if rule is None or not deciding or any(name not in values for name in deciding):
        return None
    done = values[rule.until] if rule.until else None
    return rule.clock_state(values[state_field] if state_field else None, done)

"""What a page shows of a deadline in addition to its moment: that it is late, or the time left while it is paused."""

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.deadline import Clock
from portal.records.reading.records import Record, Records


def is_late(records: Records, record: Record, field: Field) -> bool:
    """Whether a field of the record is a deadline that has passed; False for readers who may not read it, or the
    state."""
    rule, kind = field.deadline_rule, _kind(records, record, field)
    return rule is not None and rule.is_late(record.values.get(field.name), kind, records.policy.reader.now)


def seconds_left(records: Records, record: Record, field: Field) -> int | None:
    """The working seconds left of a readable, paused deadline, negative if it was late when it was paused; None for any
    other field."""
    table, values, rule = records.table, record.values, field.deadline_rule
    if rule is None or _kind(records, record, field) != "pauses" or values.get(field.name, ()) is not None:
        return None
    stored = records.connection.scalar(sa.select(table.c[rule.clock_column]).where(table.c["id"] == record.id))
    return Clock.of_json(stored, values.get("created") or records.policy.reader.now).left


def _kind(records: Records, record: Record, field: Field) -> str:
    """What the clock of a deadline does; "" if the reader may not read what decides it, or nothing does."""
    rule, values, state_field = field.deadline_rule, record.values, records.module.state_field
    says = [name for name in (state_field, rule and rule.until) if name]
    if rule is None or not says or any(name not in values for name in says):
        return ""
    return rule.kind(values[state_field] if state_field else None, values[rule.until] if rule.until else None)

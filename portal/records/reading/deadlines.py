"""What a page says of a deadline beside its moment: that it is late, or how much time is left where it stands still."""

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.deadline import Clock
from portal.records.reading.records import Record, Records


def is_late(records: Records, record: Record, field: Field) -> bool:
    """Whether a field of the record is a deadline that has passed; of it and of the state nothing is told to readers
    who may not read them."""
    rule, values, state_field = field.deadline_rule, record.values, records.module.state_field
    if rule is None or state_field is None or state_field not in values:
        return False
    return rule.is_late(values.get(field.name), values[state_field], records.policy.reader.now)


def seconds_left(records: Records, record: Record, field: Field) -> int | None:
    """The working seconds until a readable deadline that stands still, negative for one that was late when it came to
    do so; None for any other field."""
    rule, values, state_field = field.deadline_rule, record.values, records.module.state_field
    if rule is None or state_field is None or rule.kind(values.get(state_field)) != "pauses":
        return None
    if values.get(field.name, ()) is not None:
        return None
    table = records.table
    stored = records.connection.scalar(sa.select(table.c[field.clock_column]).where(table.c["id"] == record.id))
    return Clock.of_json(stored, values.get("created") or records.policy.reader.now).left

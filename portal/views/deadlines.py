"""Deadlines as people see them: whether one is late, and how much time is left while it is paused."""

from portal.fields.base import Field
from portal.fields.duration import duration_in_words
from portal.records.reading.deadlines import is_late, seconds_left
from portal.records.reading.records import Record, Records
from portal.texts import _
from portal.views.displays import Value

UNITS = ("hour", "minute")  # a working day is shorter than a day


def with_lateness(records: Records, record: Record, field: Field, value: Value) -> Value:
    """The `value` of a field of the record; for a missed deadline, with the word “late”."""
    return value._replace(note=records.policy.reader.text(_("Late"))) if is_late(records, record, field) else value


def with_time_left(records: Records, record: Record, field: Field, value: Value) -> Value:
    """The `value` of a field of the record, as pages show it; for a paused deadline, with the time left."""
    left, reader = seconds_left(records, record, field), records.policy.reader
    if left is None:
        return with_lateness(records, record, field, value)
    time = duration_in_words(abs(left), reader, UNITS)
    sentence = _("Paused, ${time} of working time left") if left >= 0 else _("Paused, late by ${time} of working time")
    return value._replace(display="plain", text=reader.text(sentence % {"time": time}))

"""Follow-ups: new records that continue a final one, linked to it by the field that `follow_up` names."""

from collections.abc import Mapping
from typing import Any

from portal.conditions import Comparison
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.lifecycle import is_final

MOST_SHOWN = 10


def follow_up_field(records: Records) -> Field | None:
    """The link to the record that is followed up; None if the module has no follow-ups."""
    lifecycle = records.module.lifecycle
    name = lifecycle.follow_up if lifecycle else None
    return records.module.field(name) if name else None


def may_follow_up(records: Records, record: Record) -> bool:
    """Whether the record is final, and its reader may create another one that follows it."""
    return (
        follow_up_field(records) is not None
        and records.policy.may(records.name, "create")
        and is_final(records, record)
    )


def can_be_followed_up(records: Records, link: Any) -> bool:
    """Whether a value of the link leads to a final record that the reader may see."""
    record = records.get(link.id) if isinstance(link, Linked) else None
    return record is not None and is_final(records, record)


def followed_record(records: Records, values: Mapping[str, Any]) -> int | None:
    """The id of the record that a new one with these values follows up."""
    field = follow_up_field(records)
    return next((link.id for link in field.links_in(values.get(field.name))), None) if field else None


def follow_ups(records: Records, record: Record) -> list[Record]:
    """The follow-ups of a final record that the reader may see, newest first."""
    field = follow_up_field(records)
    if field is None or not is_final(records, record):
        return []
    following = Comparison((field.name,), "equal", Linked(record.id, records.name))
    return records.narrow(following).page(Query(sort=("-id",), size=MOST_SHOWN), []).records

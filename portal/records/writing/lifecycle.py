"""Which state of its lifecycle a record is in, and whether that state is final."""

from collections.abc import Iterable

from portal.declaration.shapes import Lifecycle, Transition
from portal.fields.base import Field
from portal.records.reading.records import Record, Records
from portal.records.writing.errors import ConflictError


def state_of(records: Records, record: Record) -> str | None:
    """The record's state, whether or not the reader may read it."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return None
    if lifecycle.field not in record.values:
        (record,) = records.as_system.by_ids([record.id], [lifecycle.field])
    return record.values[lifecycle.field]


def open_state(records: Records, record: Record, even_final: bool = False) -> str | None:
    """The record's state at this moment, as somebody may have moved it since it was read.

    Raises ConflictError for a record that is gone, or final by now unless `even_final`.
    """
    lifecycle = records.module.lifecycle
    records_now = records.as_system.by_ids([record.id], [lifecycle.field] if lifecycle else [])
    state = records_now[0].values[lifecycle.field] if records_now and lifecycle else None
    if not records_now or (is_final(lifecycle, state) and not even_final):
        raise ConflictError(record.id)
    return state


def leaves(transition: Transition, state: str | None) -> bool:
    """Whether `transition` starts in `state`; without `from` it starts in every state but its goal."""
    return state != transition.to if transition.from_ is None else state in transition.from_


def is_final(lifecycle: Lifecycle | None, state: str | None) -> bool:
    """Whether no transition leaves `state`, whoever looks."""
    if lifecycle is None or not lifecycle.transitions:
        return False
    return not any(leaves(transition, state) for transition in lifecycle.transitions.values())


def editable_fields(records: Records, record: Record, fields: Iterable[Field]) -> list[Field]:
    """Those of `fields` that may be edited in the record's state: in a final one staff may edit internal fields.

    What was signed stays, in every state.
    """
    fields = not_signed_yet(record, fields)
    if not is_final(records.module.lifecycle, state_of(records, record)):
        return fields
    return [field for field in fields if field.internal and records.policy.staff]


def not_signed_yet(record: Record, fields: Iterable[Field]) -> list[Field]:
    """Those of `fields` that hold no signature."""
    return [field for field in fields if not (field.signs and record.values.get(field.name))]


def state_after_comment(lifecycle: Lifecycle | None, state: str | None, staff: bool) -> str | None:
    """Where `on_comment` moves a record in `state` when this side comments; None where it stays."""
    rule = lifecycle.on_comment.get("staff" if staff else "customer") if lifecycle else None
    if rule is None or state == rule.to:
        return None
    return rule.to if rule.from_ is None or state in rule.from_ else None

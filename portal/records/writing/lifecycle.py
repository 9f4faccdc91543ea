"""Lifecycles: which state a record is in, whether it is final, and which transitions a reader can use on it now.

A transition's `only` names a link to people: nobody else may do it, whatever their profile grants. It does not apply to
the portal itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from portal.declaration.shapes import Lifecycle, Transition, leaves
from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Record, Records
from portal.records.writing.defaults import value_from_declaration
from portal.records.writing.errors import ConflictError
from portal.records.writing.form_conditions import hidden_by_change
from portal.records.writing.signatures import not_signed_yet
from portal.texts import _


def state_of(records: Records, record: Record) -> str | None:
    """The state of a record, whether or not the reader may read it."""
    name = records.module.state_field
    if name is None:
        return None
    if name not in record.values:
        (record,) = records.as_system.by_ids([record.id], [name])
    return record.values[name]


def values_after(records: Records, values: Mapping[str, Any], transition: Transition) -> dict[str, Any]:
    """The values of a record with the state after the transition: they decide what its form shows and requires."""
    name = records.module.state_field
    return {**values, name: transition.to} if name else dict(values)


def open_state(records: Records, record: Record, even_final: bool = False) -> str | None:
    """The current state of a record, since someone may have moved it after it was read.

    Raises ConflictError if the record is gone, or if it is final by now, unless `even_final`.
    """
    name = records.module.state_field
    records_now = records.as_system.by_ids([record.id], [name] if name else [])
    state = records_now[0].values[name] if records_now and name else None
    if not records_now or (records.module.is_final(state) and not even_final):
        raise ConflictError(record.id)
    return state


def is_final(records: Records, record: Record) -> bool:
    """Whether a record is in a final state: no transition leaves it, for any reader."""
    return records.module.is_final(state_of(records, record))


def editable_fields(records: Records, record: Record, fields: Iterable[Field]) -> list[Field]:
    """The `fields` that may be edited in the record's state: in a final one, only internal fields, by staff.

    Signatures cannot be changed in any state.
    """
    fields = not_signed_yet(record, fields)
    if not is_final(records, record):
        return fields
    return [field for field in fields if field.internal and records.policy.staff]


def state_after_comment(lifecycle: Lifecycle | None, state: str | None, staff: bool) -> str | None:
    """The state to which `on_comment` moves a record in `state` when this side comments; None if it stays."""
    rule = lifecycle.on_comment.get("staff" if staff else "customer") if lifecycle else None
    return rule.to if rule and leaves(rule, state) and state != rule.to else None


def values_after_comment(records: Records, record: Record, state: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values that `on_comment` changes when the reader's side comments on a record in `state`: the present ones,
    and the new ones, including the state if it moves the record, and fields that forms then hide."""
    lifecycle = records.module.lifecycle
    rule = lifecycle.on_comment.get("staff" if records.policy.staff else "customer") if lifecycle else None
    if rule is None or lifecycle is None:
        return {}, {}
    names = [*rule.set, *rule.fill]
    before = dict(records.as_system.by_ids([record.id], names)[0].values) if names else {}
    before = {name: before[name] for name in names} | {lifecycle.field: state}
    filled = {name: raw for name, raw in rule.fill.items() if records.module.field(name).is_empty(before[name])}
    after = {
        name: value_from_declaration(records, records.module.field(name), raw)
        for name, raw in {**filled, **rule.set}.items()
    }
    if next_state := state_after_comment(lifecycle, state, records.policy.staff):
        after[lifecycle.field] = next_state
    changed = {name: value for name, value in after.items() if value != before[name]}
    hidden = hidden_by_change(records, record.id, changed)
    return {name: before[name] for name in changed} | hidden, changed | dict.fromkeys(hidden)


def open_transitions(records: Records, record: Record) -> list[Transition]:
    """The transitions that leave the record's state and that the profile grants, in the order of the declaration."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return []
    state = state_of(records, record)
    return [
        transition
        for transition in lifecycle.transitions.values()
        if leaves(transition, state)
        and records.policy.may(records.name, transition.name)
        and is_for_reader(records, record, transition)
    ]


def is_for_reader(records: Records, record: Record, transition: Transition) -> bool:
    """Whether `only` allows the reader to do the transition, even if they may not read the field."""
    policy = records.policy
    if transition.only is None or policy.system:
        return True
    (full,) = records.as_system.by_ids([record.id], [transition.only])
    people = records.module.field(transition.only).links_in(full.values[transition.only])
    reader = policy.reader.people, policy.reader.person
    return any((person.module, person.id) == reader for person in people)


def transition_fields(records: Records, transition: Transition, record: Record | None = None) -> list[Field]:
    """The fields that a transition asks its reader for, including read-only ones; internal ones only for staff. For a
    given `record`, without those already signed."""
    fields = [
        records.module.field(name).model_copy(update={"required": need == "required", "read_only_when": None})
        for name, need in transition.ask.items()
        if name in records.module.fields and (records.policy.staff or not records.module.fields[name].internal)
    ]
    return not_signed_yet(record, fields) if record else fields


def asks(records: Records, transition: Transition) -> bool:
    """Whether a transition asks its reader for anything."""
    return "comment" in transition.ask or bool(transition_fields(records, transition))


def transition_values(records: Records, transition: Transition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What the transition writes in addition to the state: the `answers` to what it asks, and its `set`."""
    values = {name: value for name, value in answers.items() if name in transition.ask}
    for name, raw in transition.set.items():
        values[name] = value_from_declaration(records, records.module.field(name), raw)
    return values


def check_leaves(records: Records, record: Record, transition: Transition) -> None:
    """Raises Refused if the transition does not leave the record's state."""
    if not leaves(transition, state_of(records, record)):
        raise Refused(_("This is not possible in its current status."))

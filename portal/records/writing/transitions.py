"""Which transitions a reader may use on a record now, and the values that one of them writes.

`only` names a link to people: whoever is not among them may not do it, whatever their profile grants. It does not bind
the portal itself.
"""

from collections.abc import Mapping
from typing import Any

from portal.declaration.shapes import Transition
from portal.records.reading.records import Record, Records
from portal.records.writing.defaults import declared_value
from portal.records.writing.lifecycle import leaves, state_of


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
    """Whether the reader is one of those who alone may do the transition, whether or not they may read the field."""
    policy = records.policy
    if transition.only is None or policy.system:
        return True
    (full,) = records.as_system.by_ids([record.id], [transition.only])
    people = records.module.field(transition.only).links_in(full.values[transition.only])
    reader = policy.reader.people, policy.reader.person
    return any((person.module, person.id) == reader for person in people)


def transition_values(records: Records, transition: Transition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What the transition writes besides the state: the `answers` to what it asks, and its `set`."""
    values = {name: value for name, value in answers.items() if name in transition.ask}
    for name, raw in transition.set.items():
        values[name] = declared_value(records.connection, records.policy, records.module.field(name), raw)
    return values

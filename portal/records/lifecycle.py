"""Moving a record along its lifecycle: which transitions there are now, and doing one."""

from collections.abc import Mapping
from typing import Any

from portal.declaration.shapes import Lifecycle, Transition
from portal.records.conversation import add_comment
from portal.records.query import Record, Records
from portal.records.values import declared_value
from portal.records.write import Author, Conflict, NotAllowed, change, system_records


def moves(records: Records, record: Record) -> list[Transition]:
    """The transitions that the reader may use on the record as it stands."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return []
    here = state(records, record)
    return [each for each in lifecycle.transitions.values() if leaves(lifecycle, each, here) and records.policy.may(records.name, each.name)]


def leaves(lifecycle: Lifecycle, transition: Transition, here: str | None) -> bool:
    """Whether `transition` starts in the state `here`; without `from` it does in every other than its goal."""
    return here != transition.to if transition.from_ is None else here in transition.from_


def is_final(records: Records, record: Record) -> bool:
    """A record in a state that no transition leaves is final, whoever looks."""
    lifecycle = records.module.lifecycle
    if lifecycle is None or not lifecycle.transitions:
        return False
    here = state(records, record)
    return not any(leaves(lifecycle, each, here) for each in lifecycle.transitions.values())


def state(records: Records, record: Record) -> str | None:
    """The record's state, whether or not the reader may read it."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return None
    if lifecycle.field in record.values:
        return record.values[lifecycle.field]
    (whole,) = system_records(records).rows([record.id], [lifecycle.field])
    return whole.values[lifecycle.field]


def move(
    records: Records,
    record: Record,
    transition: Transition,
    asked: Mapping[str, Any],
    comment: str | None,
    author: Author,
) -> None:
    """Does `transition` with the values that it asked for. Raises NotAllowed, and Conflict in a state it does not leave."""
    lifecycle = records.module.lifecycle
    if lifecycle is None or not records.policy.may(records.name, transition.name):
        raise NotAllowed(records.name, transition.name)
    if not leaves(lifecycle, transition, state(records, record)):
        raise Conflict(record.id)
    values = {name: value for name, value in asked.items() if name in transition.ask}
    for name, raw in transition.set.items():
        values[name] = declared_value(records.connection, records.policy, records.module.field(name), raw)
    values[lifecycle.field] = transition.to
    change(records, record, values, record.version, f"moved:{transition.name}", author)
    if comment:
        add_comment(records, record, comment, author, by_itself=False)

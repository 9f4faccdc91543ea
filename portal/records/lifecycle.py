"""Moving a record along its lifecycle: which transitions there are now, and doing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.declaration.shapes import Transition
from portal.records.conversation import Said, add_comment
from portal.records.query import Record, Records
from portal.records.states import leaves, state
from portal.records.values import declared_value
from portal.records.write import Author, Conflict, NotAllowed, change


def moves(records: Records, record: Record) -> list[Transition]:
    """The transitions that the reader may use on the record as it stands."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return []
    here = state(records, record)
    return [
        each
        for each in lifecycle.transitions.values()
        if leaves(each, here) and records.policy.may(records.name, each.name)
    ]


@dataclass(frozen=True)
class Answers:
    """What a transition asked for: the values of fields, and a comment."""

    values: Mapping[str, Any]
    comment: str | None = None


def move(records: Records, record: Record, transition: Transition, answers: Answers, author: Author) -> None:
    """Does `transition`. Raises NotAllowed, and Conflict where the record is in a state that it does not leave."""
    lifecycle = records.module.lifecycle
    if lifecycle is None or not records.policy.may(records.name, transition.name):
        raise NotAllowed(records.name, transition.name)
    if not leaves(transition, state(records, record)):
        raise Conflict(record.id)
    values = {name: value for name, value in answers.values.items() if name in transition.ask}
    for name, raw in transition.set.items():
        values[name] = declared_value(records.connection, records.policy, records.module.field(name), raw)
    values[lifecycle.field] = transition.to
    change(records, record, values, record.version, f"moved:{transition.name}", author)
    if answers.comment:
        add_comment(records, record, Said(answers.comment), author, by_itself=False)

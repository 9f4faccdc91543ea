"""Moving a record along its lifecycle: which transitions there are now, and doing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.declaration.shapes import Transition
from portal.records.reading.records import Record, Records
from portal.records.writing.comments import NewComment, add_comment
from portal.records.writing.defaults import declared_value
from portal.records.writing.lifecycle import leaves, state
from portal.records.writing.writer import Author, ConflictError, NotAllowedError, change


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
    """Does `transition`. Raises NotAllowedError, and ConflictError in a state that the transition does not leave."""
    lifecycle = records.module.lifecycle
    if lifecycle is None or not records.policy.may(records.name, transition.name):
        raise NotAllowedError(records.name, transition.name)
    if not leaves(transition, state(records, record)):
        raise ConflictError(record.id)
    values = {name: value for name, value in answers.values.items() if name in transition.ask}
    for name, raw in transition.set.items():
        values[name] = declared_value(records.connection, records.policy, records.module.field(name), raw)
    values[lifecycle.field] = transition.to
    change(records, record, values, record.version, f"moved:{transition.name}", author)
    if answers.comment:
        add_comment(records, record, NewComment(answers.comment), author, by_itself=False)

"""In which state of its lifecycle a record is, and whether that state is final."""

from portal.declaration.shapes import Lifecycle, Transition
from portal.records.reading.records import Record, Records
from portal.records.writing.writer import system_records


def state(records: Records, record: Record) -> str | None:
    """The record's state, whether or not the reader may read it."""
    lifecycle = records.module.lifecycle
    if lifecycle is None:
        return None
    if lifecycle.field in record.values:
        return record.values[lifecycle.field]
    (whole,) = system_records(records).rows([record.id], [lifecycle.field])
    return whole.values[lifecycle.field]


def leaves(transition: Transition, here: str | None) -> bool:
    """Whether `transition` starts in the state `here`; without `from` it does in every other than its goal."""
    return here != transition.to if transition.from_ is None else here in transition.from_


def is_final(lifecycle: Lifecycle | None, here: str | None) -> bool:
    """A record in a state that no transition leaves is final, whoever looks."""
    if lifecycle is None or not lifecycle.transitions:
        return False
    return not any(leaves(each, here) for each in lifecycle.transitions.values())

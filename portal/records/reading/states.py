"""The states that a record was in, as the events tell: what its way through the stages is drawn from."""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.records.reading.records import Record, Records


@dataclass(frozen=True)
class StateEntered:
    """A state that a record came into: when, by whom, and the comment that was asked for with it."""

    state: str
    at: datetime.datetime
    author: str
    comment: int | None = None


def states_entered(records: Records, record: Record) -> list[StateEntered]:
    """The states of the record in order, each as it came into it last.

    States that no event tells of, such as those before a record was imported, are not known.
    """
    lifecycle, event = records.module.lifecycle, records.policy.tables.event
    if lifecycle is None:
        return []
    columns = [event.c[name] for name in ("kind", "details", "at", "author", "account")]
    on_record = (event.c["module"] == records.name, event.c["record"] == record.id)
    states: dict[str, StateEntered] = {}
    last, last_cause = None, None
    for kind, details, at, author, account in records.connection.execute(
        sa.select(*columns).where(*on_record).order_by(event.c["id"])
    ):
        transition = lifecycle.transitions.get(kind.removeprefix("moved:"))
        start = lifecycle.start if kind == "created" else None
        state = (details or {}).get("state") or (transition.to if transition else start)
        if state:
            states.pop(state, None)
            states[state] = StateEntered(state, at, author)
            last, last_cause = state, (at, account)
        elif kind == "commented" and last and last_cause == (at, account):  # in the same request
            states[last] = StateEntered(last, at, author, (details or {}).get("comment"))
    return list(states.values())

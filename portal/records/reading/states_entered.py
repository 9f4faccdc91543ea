"""The states that a record was in, according to its events; the display of its stages is drawn from these."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.declaration.shapes import Lifecycle


@dataclass(frozen=True)
class StateEntered:
    """A state that a record entered: when, by whom, and the comment that the transition asked for."""

    state: str
    at: datetime.datetime
    author: str
    comment: int | None = None


def states_entered(lifecycle: Lifecycle, events: Sequence[Mapping[str, Any]]) -> list[StateEntered]:
    """The states of a record in order, each with its latest entry, from its `events`, newest first.

    States without an event, such as those before a record was imported, are unknown.
    """
    states: dict[str, StateEntered] = {}
    last, last_cause = None, None
    for event in reversed(events):
        kind, details, at, author = event["kind"], event["details"] or {}, event["at"], event["author"]
        # The name alone is not enough: it may be that of another kind of event, such as “withdrawn”.
        transition = lifecycle.transitions.get(kind.removeprefix("moved:")) if kind.startswith("moved:") else None
        start = lifecycle.start if kind == "created" else None
        state = details.get("state") or (transition.to if transition else start)
        if state:
            states.pop(state, None)
            states[state] = StateEntered(state, at, author)
            last, last_cause = state, (at, event["account"])
        elif kind == "commented" and last and last_cause == (at, event["account"]):  # in the same request
            states[last] = StateEntered(last, at, author, details.get("comment"))
    return list(states.values())

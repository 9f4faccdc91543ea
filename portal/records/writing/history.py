"""Who writes, and the events that remember what happened to each record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.records.reading.records import Record, Records


@dataclass(frozen=True)
class Author:
    """Who writes: the account, the name shown beside comments, and the channel that brought the change."""

    account: int | None = None
    name: str = ""
    channel: str = "portal"


SYSTEM = Author(name="Portal", channel="import")


def author_of(records: Records, author: Author, name: str) -> dict[str, Any]:
    """The column of `created_by` or `modified_by`: the person, else the account's name if no module holds people."""
    if records.policy.declaration.people:
        return {name: records.policy.reader.person}
    return records.module.builtin[name].store(author.name)


def state_written(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """The state among the `values` that are written, for the details of an event."""
    lifecycle = module.lifecycle
    return {"state": values[lifecycle.field]} if lifecycle and lifecycle.field in values else {}


def states_before(records: Records, record: Record) -> list[str]:
    """The states that the record was in, the present one left out, in order, each where it was in it last.

    States that no event tells of, such as those before a record was imported, are not known.
    """
    lifecycle, event = records.module.lifecycle, records.policy.tables.event
    if lifecycle is None:
        return []
    query = (
        sa.select(event.c["kind"], event.c["details"])
        .where(event.c["module"] == records.name, event.c["record"] == record.id)
        .order_by(event.c["id"])
    )
    states: dict[str, None] = {}
    for kind, details in records.connection.execute(query):
        transition = lifecycle.transitions.get(kind.removeprefix("moved:"))
        start = lifecycle.start if kind == "created" else None
        state = (details or {}).get("state") or (transition.to if transition else start)
        if state:
            states.pop(state, None)
            states[state] = None
    present = record.values.get(lifecycle.field)
    return [state for state in states if state != present]


def add_event(
    records: Records, record_id: int, kind: str, author: Author, details: Mapping[str, Any] | None = None
) -> None:
    """Adds an event to a record's history.

    `kind`: created, edited, moved:TRANSITION, moved (by a comment), commented, deleted or imported. `details` may name
    the `fields` that changed, and the `state` of the lifecycle that was written.
    """
    event = {
        "module": records.name,
        "record": record_id,
        "kind": kind,
        "account": author.account,
        "at": records.policy.reader.now,
        "details": dict(details or {}),
    }
    records.connection.execute(sa.insert(records.policy.tables.event).values(event))

"""Who writes, and the events that remember what happened to each record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.records.reading.records import Records


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


def add_event(
    records: Records, record_id: int, kind: str, author: Author, details: Mapping[str, Any] | None = None
) -> None:
    """Adds an event to a record's history.

    `kind`: created, edited, moved:TRANSITION, commented, deleted or imported.
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

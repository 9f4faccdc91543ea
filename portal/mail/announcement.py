"""What has happened to one record since its people were last notified: the events that letters are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables


@dataclass(frozen=True)
class AnnouncedEvent:
    """An event that someone may have to be notified of."""

    id: int
    kind: str
    account: int | None
    author: str
    internal: bool
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Announcement:
    """The events of one record that its letters are about, in their order."""

    module: str
    record: int
    events: tuple[AnnouncedEvent, ...]


def load_announcement(
    connection: sa.Connection, tables: Tables, module: str, record_id: int, ids: Sequence[int]
) -> Announcement:
    """The announcement of the events `ids` of a record."""
    event = tables.event
    names = ("id", "kind", "account", "author", "internal", "details")
    query = sa.select(*[event.c[name] for name in names]).where(event.c["id"].in_(ids)).order_by(event.c["id"])
    events = [
        AnnouncedEvent(
            **{**row, "author": row["author"] or "", "internal": bool(row["internal"]), "details": row["details"] or {}}
        )
        for row in connection.execute(query).mappings()
    ]
    return Announcement(module, record_id, tuple(events))

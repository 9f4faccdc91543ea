"""What happened to one record since its people were notified last, as the events say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables


@dataclass(frozen=True)
class Happened:
    """An event that somebody may have to be notified of."""

    id: int
    kind: str
    account: int | None
    author: str
    internal: bool
    details: Mapping[str, Any]


@dataclass(frozen=True)
class News:
    """What happened to one record since its people were notified last."""

    module: str
    record: int
    events: tuple[Happened, ...]


def load_events_to_tell(
    connection: sa.Connection, tables: Tables, module: str, record_id: int, ids: Sequence[int]
) -> News:
    """The events `ids` of a record, in their order."""
    event = tables.event
    names = ("id", "kind", "account", "author", "internal", "details")
    query = sa.select(*[event.c[name] for name in names]).where(event.c["id"].in_(ids)).order_by(event.c["id"])
    events = [
        Happened(
            **{**row, "author": row["author"] or "", "internal": bool(row["internal"]), "details": row["details"] or {}}
        )
        for row in connection.execute(query).mappings()
    ]
    return News(module, record_id, tuple(events))

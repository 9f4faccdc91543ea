"""Who writes, and the events that record what happened to each record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.deliveries import event_type, put_deliveries, webhooks_of
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.records.reading.history import PORTAL
from portal.records.reading.records import Records


@dataclass(frozen=True)
class Author:
    """Who writes: the account, the name shown with comments, and the channel of the change."""

    account: int | None = None
    name: str = ""
    channel: str = "portal"


# What may happen to a record, apart from `moved:TRANSITION` (`moved` alone: by a comment): whether someone may have to
# be notified of it, or it makes waiting letters wrong. views/records/history.py has the sentence for each.
KINDS = {
    "created": True,
    "imported": False,
    "edited": True,
    "moved": True,
    "commented": True,
    "attached": True,
    "detached": True,
    "corrected": True,
    "withdrawn": True,
    "deleted": True,
    "watched": False,
    "unwatched": False,
    "signed": False,
    "granted": False,
    "revoked": False,
    "invited": False,
    "second_factor_removed": False,
    "viewed_as": False,
    "bounced": False,
    "reminded": True,
    "followed_up": False,
    "erased": False,
}
SYSTEM = Author(name=PORTAL, channel="import")


def author_of(records: Records, author: Author, name: str) -> dict[str, Any]:
    """The author's value of `created_by` or `modified_by`: the person; without a people module, the account's name."""
    if records.policy.declaration.people:
        return {name: records.policy.reader.person}
    return records.module.builtin[name].store(author.name)


def change_details(module: Module, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an event that gave the fields in `after` these values.

    `fields`: their names; `changes`: name → [before, after] from `Field.to_history`, except for values that are too
    long; `private`: the names of those that are internal at the time, so that only staff ever see what they held,
    whatever is declared later; `internal`: true if all of them are; `state`: of the lifecycle.
    """
    fields = [module.field(name) for name in sorted(after)]
    pairs = {
        field.name: [field.to_history(before.get(field.name)), field.to_history(after[field.name])] for field in fields
    }
    private = [field.name for field in fields if field.is_internal_change(before.get(field.name), after[field.name])]
    return {
        "fields": [field.name for field in fields],
        "changes": {name: pair for name, pair in pairs.items() if None not in pair},
        **({"private": private} if private else {}),
        **({"internal": True} if len(private) == len(fields) else {}),
        **state_details(module, after),
    }


def state_details(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an event about the state in `values`; empty if there is none."""
    name = module.state_field
    return {"state": values[name]} if name and name in values else {}


def add_event(
    records: Records, record_id: int, kind: str, author: Author, details: Mapping[str, Any] | None = None
) -> None:
    """Adds an event to a record's history, in the transaction of what happened.

    `kind`: one of KINDS, or moved:TRANSITION. `details`: those of `change_details`, and the ids of what the event is
    about: `comment`, `file`, `person`, `record`; `internal` if customers may not see it. Values that may have to be
    withdrawn, such as texts or file names, are never included.
    """
    tables, row = records.policy.tables, event_row(records, record_id, kind, author, details or {})
    insert = sa.insert(tables.event).values(row)
    is_told_with_comment = kind == "attached" and "comment" in row["details"]
    is_news = author.channel != SYSTEM.channel  # imports are not
    announced = is_news and not is_told_with_comment and KINDS[kind.partition(":")[0]]
    type_ = event_type(records.name, kind)
    webhooks = webhooks_of(tables.declaration, type_) if is_news else []
    if not announced and not webhooks:
        records.connection.execute(insert)
        return
    event_id = records.connection.execute(insert.returning(tables.event.c["id"])).scalar_one()
    if announced:
        names = ("module", "record", "kind", "at")
        announcement = {"event": event_id, "attempts": 0} | {name: row[name] for name in names}
        records.connection.execute(sa.insert(tables.announcement).values(announcement))
    if webhooks:
        put_deliveries(records.connection, tables, webhooks, event_id, type_, row["at"])


def forget_announcements(connection: sa.Connection, tables: Tables) -> None:
    """Discards all announcements so far: neither people nor webhooks are notified of what happened."""
    connection.execute(sa.delete(tables.announcement))
    connection.execute(sa.delete(tables.delivery))


def event_row(
    records: Records, record_id: int, kind: str, author: Author, details: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of an event; see `add_event`."""
    return {
        "module": records.name,
        "record": record_id,
        "kind": kind,
        "account": author.account,
        "author": author.name,
        "channel": author.channel,
        "internal": bool(details.get("internal")),
        "at": records.policy.reader.now,
        "details": dict(details),
    }

"""The conversation on a record: what both sides wrote, and the supplier's internal notes, which no customer gets."""

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.records.indexing.index import index
from portal.records.reading.records import Record, Records
from portal.records.writing.lifecycle import is_final, state
from portal.records.writing.writer import Author, ConflictError, NotAllowedError, author_of, remember, system_records


@dataclass(frozen=True)
class Comment:
    """One entry of a conversation; `staff` tells the two sides apart."""

    id: int
    author: str
    account: int | None
    staff: bool
    internal: bool
    text: str
    created: datetime.datetime
    channel: str


@dataclass(frozen=True)
class NewComment:
    """What somebody wrote; `at` is now unless told."""

    text: str
    internal: bool = False
    at: datetime.datetime | None = None


def comments(records: Records, record: Record) -> list[Comment]:
    """What the reader may read of the conversation, newest first."""
    tables, staff = records.policy.tables, records.policy.staff
    statement = tables.statement("all comments" if staff else "comments", lambda: _readable(tables, staff))
    rows = records.connection.execute(statement, {"module_name": records.name, "record_id": record.id}).mappings()
    return [Comment(**row) for row in rows]


def _readable(tables: Tables, staff: bool) -> sa.Select[Any]:
    """The comments on one record that one side may read, newest first."""
    table = tables.comment
    names = ("id", "author", "account", "staff", "internal", "text", "created", "channel")
    here = table.c["module"] == sa.bindparam("module_name"), table.c["record"] == sa.bindparam("record_id")
    query = sa.select(*[table.c[name] for name in names]).where(*here).order_by(table.c["id"].desc())
    return query if staff else query.where(table.c["internal"].is_(False))


def may_comment(records: Records) -> bool:
    """Whether the module has a conversation and the profile may take part."""
    return records.module.comments and records.policy.may(records.name, "comment")


def add_comment(records: Records, record: Record, said: NewComment, author: Author, by_itself: bool = True) -> int:
    """Adds to the conversation; `by_itself`: not as part of a transition, which `on_comment` would follow.

    Raises NotAllowedError for who may not comment by itself, and for an internal comment by who is not staff;
    ConflictError where the record is final.
    """
    if (by_itself and not may_comment(records)) or (said.internal and not records.policy.staff):
        raise NotAllowedError(records.name, "comment")
    if by_itself and is_final(records.module.lifecycle, state(records, record)):
        raise ConflictError(record.id)
    now = said.at or records.policy.reader.now
    row = {
        "module": records.name,
        "record": record.id,
        "account": author.account,
        "author": author.name,
        "staff": records.policy.staff,
        "internal": said.internal,
        "text": said.text,
        "created": now,
        "channel": author.channel,
    }
    identity = records.connection.execute(sa.insert(records.policy.tables.comment).values(row)).inserted_primary_key[0]
    remember(records, record.id, "commented", author, {"comment": identity, "internal": said.internal})
    if not said.internal:
        # An internal comment leaves no trace that a customer could see: neither count nor time nor place in the list.
        state_after = _next_state(records, record) if by_itself else None
        _touch(records, record, state_after, author, now)
    return identity


def _next_state(records: Records, record: Record) -> str | None:
    """Where `on_comment` moves the record when this side comments."""
    lifecycle = records.module.lifecycle
    rule = lifecycle and lifecycle.on_comment.get("staff" if records.policy.staff else "customer")
    if not lifecycle or not rule:
        return None
    here = state(records, record)
    return rule.to if here != rule.to and (rule.from_ is None or here in rule.from_) else None


def _touch(records: Records, record: Record, state_after: str | None, author: Author, now: datetime.datetime) -> None:
    table, lifecycle = records.table, records.module.lifecycle
    row = {
        "comments": sa.func.coalesce(table.c["comments"], 0) + 1,
        "modified": now,
        **author_of(records, author, "modified_by"),
    }
    if state_after and lifecycle:
        row |= records.module.field(lifecycle.field).store(state_after)
    records.connection.execute(sa.update(table).values(row).where(table.c["id"] == record.id))
    index(system_records(records), [record.id])

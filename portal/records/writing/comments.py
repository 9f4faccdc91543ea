"""The conversation on a record: what both sides wrote, and the supplier's internal comments, which no customer gets."""

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.records.reading.files import files
from portal.records.reading.records import Record, Records
from portal.records.writing.history import Author, add_event

LONGEST_COMMENT = 50_000  # characters


@dataclass(frozen=True)
class Comment:
    """One comment; `staff` tells the two sides apart."""

    id: int
    author: str
    account: int | None
    staff: bool
    internal: bool
    text: str
    created: datetime.datetime
    channel: str
    folded: str | None = None  # what a mail quotes and its signature, for its author and staff
    corrected: datetime.datetime | None = None  # when its author changed it last


def comments(records: Records, record: Record) -> list[Comment]:
    """The comments on a record that the reader may read, newest first."""
    tables, staff = records.policy.tables, records.policy.staff
    statement = tables.statement("all comments" if staff else "comments", lambda: _readable(tables, staff))
    rows = records.connection.execute(statement, {"module_name": records.name, "record_id": record.id}).mappings()
    return [Comment(**row) for row in rows]


def empty_comment(records: Records, record: Record, comment_id: int | None) -> Comment | None:
    """The comment of this id, if it has neither text nor files any more."""
    own_comment = comment(records, record, comment_id) if comment_id is not None else None
    if own_comment is None or own_comment.text or any(file.comment == comment_id for file in files(records, record)):
        return None
    return own_comment


def _readable(tables: Tables, staff: bool) -> sa.Select[Any]:
    """The comments on one record that one side may read, newest first."""
    table = tables.comment
    names = Comment.__dataclass_fields__
    on_record = table.c["module"] == sa.bindparam("module_name"), table.c["record"] == sa.bindparam("record_id")
    query = sa.select(*[table.c[name] for name in names]).where(*on_record).order_by(table.c["id"].desc())
    return query if staff else query.where(table.c["internal"].is_(False))


def may_comment(records: Records) -> bool:
    """Whether the module has a conversation and the profile may take part."""
    return bool(records.module.comments) and records.policy.may(records.name, "comment")


def comment(records: Records, record: Record, comment_id: int) -> Comment | None:
    """One of `comments`; None for a foreign one, an internal one and a missing one alike."""
    return next((comment for comment in comments(records, record) if comment.id == comment_id), None)


def may_correct(records: Records, comment: Comment, author: Author) -> bool:
    """Whether `author` wrote the comment, and may change and withdraw it still."""
    mine = comment.account is not None and comment.account == author.account
    return mine and may_comment(records) and is_correctable(records, comment.created)


def is_correctable(records: Records, written: datetime.datetime) -> bool:
    """Whether what was `written` then is within the time that the module declares for corrections."""
    period = records.module.conversation.correct
    return period is not None and records.policy.reader.now <= written + period


def update_comment(records: Records, record: Record, comment: Comment, text: str, author: Author) -> None:
    """Gives a comment another text; the event says only that. Rights are the caller's to check."""
    table = records.policy.tables.comment
    values = {"text": text, "corrected": records.policy.reader.now}
    records.connection.execute(sa.update(table).values(values).where(table.c["id"] == comment.id))
    add_event(records, record.id, "corrected", author, {"comment": comment.id, "internal": comment.internal})


def delete_comment(records: Records, record: Record, comment: Comment, author: Author) -> None:
    """Removes a comment; the event says only that. Its files and rights are the caller's."""
    table = records.policy.tables.comment
    records.connection.execute(sa.delete(table).where(table.c["id"] == comment.id))
    add_event(records, record.id, "withdrawn", author, {"comment": comment.id, "internal": comment.internal})


def insert_comment(
    records: Records, record: Record, text: str, author: Author, *, internal: bool = False, folded: str = ""
) -> int:
    """Adds a comment and its event, and nothing else; returns the comment's id. Rights are the caller's to check."""
    table = records.policy.tables.comment
    row = {
        "module": records.name,
        "record": record.id,
        "account": author.account,
        "author": author.name,
        "staff": records.policy.staff,
        "internal": internal,
        "text": text,
        "folded": folded or None,
        "created": records.policy.reader.now,
        "channel": author.channel,
    }
    comment_id = records.connection.execute(sa.insert(table).values(row).returning(table.c["id"])).scalar_one()
    add_event(records, record.id, "commented", author, {"comment": comment_id, "internal": internal})
    return comment_id

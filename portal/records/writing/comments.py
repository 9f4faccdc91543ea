"""Comments on records: who may write, change and withdraw them, and their rows. Their further effects are in writer.py;
they are read in reading/comments.py."""

import datetime

import sqlalchemy as sa

from portal.declaration.shapes import Transition
from portal.fields.refused import Refused, storable
from portal.fields.text import at_most
from portal.records.reading.comments import Comment
from portal.records.reading.files import files
from portal.records.reading.records import Record, Records
from portal.records.writing.history import Author, add_event
from portal.texts import _

LONGEST_COMMENT = 50_000  # characters


def may_comment(records: Records) -> bool:
    """Whether the module has a conversation and the profile may take part."""
    return bool(records.module.comments) and records.policy.may(records.name, "comment")


def comment_problem(text: str, required: bool) -> str:
    """Why a posted comment is refused; empty if it is accepted."""
    if not text:
        return _("Enter a comment.") if required else ""
    try:
        at_most(storable(text), LONGEST_COMMENT)
    except Refused as refused:
        return refused.message
    return ""


def correction_problem(records: Records, record: Record, comment: Comment, text: str) -> str:
    """Why a comment cannot get this text; a comment with files may have none."""
    has_files = any(file.comment == comment.id for file in files(records, record))
    return comment_problem(text, required=not has_files)


def transition_comment_problem(transition: Transition, text: str, has_files: bool) -> str:
    """Why the comment of a transition is refused; empty if it is accepted. Files may replace it."""
    return comment_problem(text, transition.ask.get("comment") == "required" and not has_files)


def may_correct(records: Records, comment: Comment, author: Author) -> bool:
    """Whether `author` wrote the comment and may still change and withdraw it."""
    mine = comment.account is not None and comment.account == author.account
    return mine and may_comment(records) and is_correctable(records, comment.created)


def is_correctable(records: Records, created: datetime.datetime) -> bool:
    """Whether a comment or a file `created` then is within the time that the module allows for corrections."""
    period = records.module.conversation.correct
    return period is not None and records.policy.reader.now <= created + period


def update_comment(records: Records, record: Record, comment: Comment, text: str, author: Author) -> None:
    """Gives a comment another text; the event records only that. The caller checks rights."""
    table = records.policy.tables.comment
    values = {"text": text, "corrected": records.policy.reader.now}
    records.connection.execute(sa.update(table).values(values).where(table.c["id"] == comment.id))
    add_event(records, record.id, "corrected", author, {"comment": comment.id, "internal": comment.internal})


def delete_comment(records: Records, record: Record, comment: Comment, author: Author) -> None:
    """Removes a comment; the event records only that. The caller checks rights and removes its files."""
    table = records.policy.tables.comment
    records.connection.execute(sa.delete(table).where(table.c["id"] == comment.id))
    add_event(records, record.id, "withdrawn", author, {"comment": comment.id, "internal": comment.internal})


def insert_comment(records: Records, record: Record, text: str, author: Author, *, internal: bool, folded: str) -> int:
    """Adds a comment and its event, and nothing else; returns the comment's id. The caller checks rights."""
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

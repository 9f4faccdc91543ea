"""The system tables, independent of the declaration: accounts, comments, history, letters. Only for `tables.py`."""

import functools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.schema.account_tables import account_tables
from portal.database.search.index import search_table
from portal.fields.column_types import UTCDateTime, serial_column
from portal.fields.table_names import NAMING


@functools.cache
def shared_system_tables() -> Mapping[str, sa.Table]:
    """The system tables of all portals of this process, by their attribute of `Tables`."""
    return system_tables()


def system_tables() -> Mapping[str, sa.Table]:
    """New system tables, by their attribute of `Tables`."""
    metadata = sa.MetaData(naming_convention=NAMING)
    return {
        "search": search_table(metadata),
        **account_tables(metadata),
        **_record_tables(metadata),
        **_activity_tables(metadata),
        **_form_tables(metadata),
        **_letter_tables(metadata),
        **_upkeep_tables(metadata),
    }


def _record_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of what belongs to records apart from fields: numbers, comments, files."""
    return {
        "sequence": sa.Table(
            "portal_sequence",
            metadata,
            sa.Column("module", sa.Text(), primary_key=True),
            sa.Column("last", sa.BigInteger()),
        ),
        "comment": sa.Table(
            "portal_comment",
            metadata,
            serial_column("id"),
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("account", sa.Integer()),
            sa.Column("author", sa.Text()),  # the author's name at the time of writing
            sa.Column("staff", sa.Boolean()),
            sa.Column("internal", sa.Boolean()),
            sa.Column("text", sa.Text()),
            sa.Column("folded", sa.Text()),  # the quoted text and signature of a mail, for its author and staff
            sa.Column("created", UTCDateTime()),
            sa.Column("corrected", UTCDateTime()),  # when its author last changed it
            sa.Column("channel", sa.Text()),
            sa.Index("ix_portal_comment_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "file": _file_table(metadata),
    }


def _activity_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of who follows a record, who has seen it, and what happened to it."""
    return {
        "watcher": sa.Table(
            "portal_watcher",
            metadata,
            sa.Column("module", sa.Text(), primary_key=True),
            sa.Column("record", sa.BigInteger(), primary_key=True),
            sa.Column("person", sa.BigInteger(), primary_key=True),
            sa.Column("added", UTCDateTime()),
            sa.Index("ix_portal_watcher_module_person", "module", "person", "record"),
        ),
        "seen": _seen_table(metadata),
        "event": sa.Table(
            "portal_event",
            metadata,
            serial_column("id"),
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("kind", sa.Text()),  # one of KINDS in records/writing/history.py
            sa.Column("account", sa.Integer()),
            sa.Column("author", sa.Text()),  # the author's name at the time
            sa.Column("channel", sa.Text()),
            sa.Column("internal", sa.Boolean()),  # nothing in it is for customers
            sa.Column("at", UTCDateTime()),
            sa.Column("details", sa.JSON()),
            sa.Index("ix_portal_event_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
    }


def _seen_table(metadata: sa.MetaData) -> sa.Table:
    """The table of what each account has seen of the records."""
    return sa.Table(
        "portal_seen",
        metadata,
        sa.Column("account", sa.Integer(), primary_key=True),
        sa.Column("module", sa.Text(), primary_key=True),
        sa.Column("record", sa.BigInteger(), primary_key=True, autoincrement=False),  # 0: all of the module
        sa.Column("at", UTCDateTime()),  # the moment up to which the account has seen what happened
        sa.Column("hidden", UTCDateTime()),  # since when the record is hidden, until it changes
        sa.Column("dismissed", UTCDateTime()),  # for a notice on the home page: its last change when it was dismissed
        sa.Index("ix_portal_seen_module_record", "module", "record"),
    )


def _file_table(metadata: sa.MetaData) -> sa.Table:
    """The table of the files of records; their bytes are in the store."""
    return sa.Table(
        "portal_file",
        metadata,
        serial_column("id"),
        sa.Column("module", sa.Text()),
        sa.Column("record", sa.BigInteger()),
        sa.Column("comment", sa.BigInteger()),  # the comment that it came with
        sa.Column("field", sa.Text()),  # the field whose value it is, or was; NULL for an attachment
        sa.Column("name", sa.Text()),
        sa.Column("size", sa.BigInteger()),  # bytes
        sa.Column("media_type", sa.Text()),
        sa.Column("stored", sa.Text()),  # its name in the store
        sa.Column("preview", sa.Text()),  # the name of its thumbnail in the store
        sa.Column("account", sa.Integer()),
        sa.Column("author", sa.Text()),  # the author's name at the time
        sa.Column("staff", sa.Boolean()),
        sa.Column("internal", sa.Boolean()),
        sa.Column("created", UTCDateTime()),
        sa.Index("ix_portal_file_module_record", "module", "record"),
        sqlite_autoincrement=True,
    )


def _pending_file_table(metadata: sa.MetaData) -> sa.Table:
    """The table of uploaded files that no record has yet; their bytes are in the store."""
    return sa.Table(
        "portal_pending_file",
        metadata,
        sa.Column("key", sa.Text(), primary_key=True),  # random: identifies the file in forms and drafts
        sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
        sa.Column("module", sa.Text()),
        sa.Column("field", sa.Text()),  # NULL for an attachment
        sa.Column("name", sa.Text()),
        sa.Column("size", sa.BigInteger()),  # bytes
        sa.Column("media_type", sa.Text()),
        sa.Column("stored", sa.Text()),  # its name in the store
        sa.Column("preview", sa.Text()),  # the name of its thumbnail in the store
        sa.Column("created", UTCDateTime(), index=True),
    )


def _form_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of submitted and unfinished forms."""
    return {
        "pending_file": _pending_file_table(metadata),
        "once": sa.Table(
            "portal_once",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # a form's one-time key, with the account's id before it
            sa.Column("address", sa.Text()),  # where the first submission of the form led
            sa.Column("created", UTCDateTime(), index=True),
        ),
        "draft": sa.Table(
            "portal_draft",
            metadata,
            serial_column("id"),
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id")),
            sa.Column("form", sa.Text()),  # MODULE/create, MODULE/ID/edit, MODULE/ID/comments, MODULE/ID/move/NAME
            sa.Column("step", sa.Integer()),  # of a form in steps, from 0
            sa.Column("version", sa.BigInteger()),  # of the record when the form was opened
            sa.Column("data", sa.JSON()),  # the inputs by name
            sa.Column("modified", UTCDateTime(), index=True),
            sa.UniqueConstraint("account", "form"),
            sqlite_autoincrement=True,
        ),
    }


def _letter_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of letters, what causes them, incoming mail, and messages to webhooks."""
    return {
        "outbox": _outbox_table(metadata),
        "announcement": sa.Table(
            "portal_announcement",
            metadata,
            sa.Column("event", sa.BigInteger(), primary_key=True, autoincrement=False),  # not notified of yet
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("kind", sa.Text()),
            sa.Column("at", UTCDateTime(), index=True),
            sa.Column("attempts", sa.Integer()),
            sa.Index("ix_portal_announcement_module_record", "module", "record"),
        ),
        "letter_choice": sa.Table(  # where an account's choice of letters differs from the default
            "portal_letter_choice",
            metadata,
            sa.Column("account", sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column("relation", sa.Text(), primary_key=True),
            sa.Column("kind", sa.Text(), primary_key=True),
            sa.Column("wanted", sa.Boolean()),
        ),
        "mail": _incoming_mail_table(metadata),
        "delivery": _delivery_table(metadata),
    }


def _outbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table of letters in the queue, including those already sent."""
    return sa.Table(
        "portal_outbox",
        metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("recipient", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("message", sa.Text()),  # the whole letter as it is sent
        sa.Column("message_id", sa.Text(), index=True),
        *_queue_columns(),
        sa.Column("account", sa.Integer(), index=True),  # of the recipient
        sa.Column("module", sa.Text()),  # what the letter is about
        sa.Column("record", sa.BigInteger()),
        sa.Column("kind", sa.Text()),
        sa.Column("events", sa.JSON()),  # the ids of the events in it
        sa.Index("ix_portal_outbox_state_next_try", "state", "next_try"),
        sa.Index("ix_portal_outbox_module_record", "module", "record"),
        sqlite_autoincrement=True,
    )


def _incoming_mail_table(metadata: sa.MetaData) -> sa.Table:
    """The table of incoming mail: what became of each message, and the bytes of those that nothing was made of."""
    return sa.Table(
        "portal_mail",
        metadata,
        serial_column("id"),
        sa.Column("key", sa.Text(), unique=True),  # the same for each copy of a mail
        sa.Column("message_id", sa.Text(), index=True),
        sa.Column("sender", sa.Text(), index=True),
        sa.Column("sender_name", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("received", UTCDateTime()),
        sa.Column("stranger", sa.Boolean()),  # whether the address is unknown
        sa.Column("outcome", sa.Text()),  # commented, created, bounced, kept, or set aside by staff
        sa.Column("reason", sa.Text()),  # why it was kept
        sa.Column("module", sa.Text()),
        sa.Column("record", sa.BigInteger()),
        sa.Column("stored", sa.Text()),  # its name in the store
        sa.Index("ix_portal_mail_outcome_id", "outcome", "id"),
        sa.Index("ix_portal_mail_module_record", "module", "record"),
        sqlite_autoincrement=True,
    )


def _delivery_table(metadata: sa.MetaData) -> sa.Table:
    """The table of messages to webhooks, including those already sent."""
    return sa.Table(
        "portal_delivery",
        metadata,
        serial_column("id"),
        sa.Column("webhook", sa.Text()),  # its name in the declaration
        sa.Column("event", sa.BigInteger()),
        sa.Column("type", sa.Text()),  # MODULE.EVENT
        sa.Column("message_id", sa.Text()),  # the same at every attempt
        *_queue_columns(),
        sa.Index("ix_portal_delivery_state_next_try", "state", "next_try"),
        # Messages waiting for a failing webhook do not slow down the others.
        sa.Index("ix_portal_delivery_webhook_state_next_try", "webhook", "state", "next_try"),
        sqlite_autoincrement=True,
    )


def _queue_columns() -> list[sa.Column[Any]]:
    """The columns of a table that is a queue (database/queue.py)."""
    return [
        sa.Column("created", UTCDateTime()),
        sa.Column("state", sa.Text()),  # waiting, sent or refused; NULL: an email written before these were sent
        sa.Column("sent", UTCDateTime()),
        sa.Column("attempts", sa.Integer()),
        sa.Column("next_try", UTCDateTime()),
        sa.Column("locked_until", UTCDateTime()),  # while a worker sends it, or put off with its place
        sa.Column("give_up", UTCDateTime()),  # when to stop trying
        sa.Column("reason", sa.Text()),  # why the last attempt failed, in the words of the other side
    ]


def _upkeep_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of the portal's own state: its worker, the search index's backlog, what was applied last."""
    return {
        "heartbeat": sa.Table(
            "portal_heartbeat",
            metadata,
            sa.Column("name", sa.Text(), primary_key=True),  # worker, inbox
            sa.Column("at", UTCDateTime()),
        ),
        "backlog": sa.Table(
            "portal_backlog",
            metadata,
            serial_column("id"),
            sa.Column("module", sa.Text()),
            sa.Column("contents", sa.Text()),  # a digest of what the entries are made from; NULL for renamed records
            sa.Column("target", sa.Text()),  # the module of a renamed record
            sa.Column("record", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # the last finished record
            sqlite_autoincrement=True,
        ),
        "keep": sa.Table(
            "portal_keep",
            metadata,
            sa.Column("module", sa.Text(), primary_key=True),
            sa.Column("rule", sa.Text()),  # by which jobs/retention.py deletes
            sa.Column("since", UTCDateTime()),  # when the worker first saw this rule
        ),
        "schema": sa.Table(
            "portal_schema",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("applied", UTCDateTime()),
            sa.Column("description", sa.JSON()),
        ),
        "declarations": sa.Table(
            "portal_declarations",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("kept", UTCDateTime()),
            sa.Column("archive", sa.LargeBinary()),  # see stored_declaration.py
        ),
    }

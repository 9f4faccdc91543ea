"""The system tables, the same whatever is declared: accounts, comments, history, letters. For `tables.py` alone."""

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
    """What belongs to records without being a field: numbers, comments, files."""
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
            sa.Column("folded", sa.Text()),  # what a mail quoted and its signature, for its author and staff
            sa.Column("created", UTCDateTime()),
            sa.Column("corrected", UTCDateTime()),  # when its author changed it last
            sa.Column("channel", sa.Text()),
            sa.Index("ix_portal_comment_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "file": _file_table(metadata),
    }


def _activity_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Who follows a record, who has seen it, and what happened to it."""
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
            sa.Column("internal", sa.Boolean()),  # nothing of it is for customers
            sa.Column("at", UTCDateTime()),
            sa.Column("details", sa.JSON()),
            sa.Index("ix_portal_event_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
    }


def _seen_table(metadata: sa.MetaData) -> sa.Table:
    """What each account has seen of the records."""
    return sa.Table(
        "portal_seen",
        metadata,
        sa.Column("account", sa.Integer(), primary_key=True),
        sa.Column("module", sa.Text(), primary_key=True),
        sa.Column("record", sa.BigInteger(), primary_key=True, autoincrement=False),  # 0: all of the module
        sa.Column("at", UTCDateTime()),  # the moment up to which the account has seen what happened
        sa.Column("hidden", UTCDateTime()),  # since when the record is hidden, until something happens
        sa.Column("dismissed", UTCDateTime()),  # of a notice on the home page: its last change when it was put away
        sa.Index("ix_portal_seen_module_record", "module", "record"),
    )


def _file_table(metadata: sa.MetaData) -> sa.Table:
    """The files of records; their bytes are in the store."""
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
    """Files that forms have sent and that no record has yet; their bytes are in the store."""
    return sa.Table(
        "portal_pending_file",
        metadata,
        sa.Column("key", sa.Text(), primary_key=True),  # random: forms and drafts name the file by it
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
    """Submitted and unfinished forms."""
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
            sa.Column("data", sa.JSON()),  # the inputs by their names
            sa.Column("modified", UTCDateTime(), index=True),
            sa.UniqueConstraint("account", "form"),
            sqlite_autoincrement=True,
        ),
    }


def _letter_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Letters, what leads to them, the mails that came in, and what webhooks are sent."""
    return {
        "outbox": _outbox_table(metadata),
        "announcement": sa.Table(
            "portal_announcement",
            metadata,
            sa.Column("event", sa.BigInteger(), primary_key=True, autoincrement=False),  # of which nobody was told yet
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("kind", sa.Text()),
            sa.Column("at", UTCDateTime(), index=True),
            sa.Column("attempts", sa.Integer()),
            sa.Index("ix_portal_announcement_module_record", "module", "record"),
        ),
        "letter_choice": sa.Table(  # where an account wants other letters than everybody gets
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
    """The letters, those that were sent too."""
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
        sa.Column("events", sa.JSON()),  # the ids of the events that it tells
        sa.Index("ix_portal_outbox_state_next_try", "state", "next_try"),
        sa.Index("ix_portal_outbox_module_record", "module", "record"),
        sqlite_autoincrement=True,
    )


def _incoming_mail_table(metadata: sa.MetaData) -> sa.Table:
    """The mails that came in: what became of each, and the bytes of those that nothing was made of."""
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
        sa.Column("stranger", sa.Boolean()),  # whether nobody with this address is known
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
    """The events that webhooks get, also those that were sent already."""
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
        # What waits for a webhook that fails does not slow the others.
        sa.Index("ix_portal_delivery_webhook_state_next_try", "webhook", "state", "next_try"),
        sqlite_autoincrement=True,
    )


def _queue_columns() -> list[sa.Column[Any]]:
    """What database/queue.py asks of a table."""
    return [
        sa.Column("created", UTCDateTime()),
        sa.Column("state", sa.Text()),  # waiting, sent or refused; NULL: an email written before these were sent
        sa.Column("sent", UTCDateTime()),
        sa.Column("attempts", sa.Integer()),
        sa.Column("next_try", UTCDateTime()),
        sa.Column("locked_until", UTCDateTime()),  # while a worker sends it
        sa.Column("give_up", UTCDateTime()),  # when it is no longer tried
        sa.Column("reason", sa.Text()),  # why the last try failed, in the words of the other side
    ]


def _upkeep_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """What the portal knows of itself: its worker, the backlog of the search index, what the last migration applied."""
    return {
        "heartbeat": sa.Table(
            "portal_heartbeat",
            metadata,
            sa.Column("name", sa.Text(), primary_key=True),  # worker
            sa.Column("at", UTCDateTime()),
        ),
        "backlog": sa.Table(
            "portal_backlog",
            metadata,
            serial_column("id"),
            sa.Column("module", sa.Text()),
            sa.Column("contents", sa.Text()),  # a digest of what the entries are made of; NULL for renamed records
            sa.Column("target", sa.Text()),  # the module of a renamed record
            sa.Column("record", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # the last record that is done
            sqlite_autoincrement=True,
        ),
        "keep": sa.Table(
            "portal_keep",
            metadata,
            sa.Column("module", sa.Text(), primary_key=True),
            sa.Column("rule", sa.Text()),  # what jobs/retention.py deletes by
            sa.Column("since", UTCDateTime()),  # when the worker has first seen this rule
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
            sa.Column("archive", sa.LargeBinary()),  # see kept_declaration.py
        ),
    }

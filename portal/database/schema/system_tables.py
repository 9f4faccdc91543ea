"""The system tables, the same whatever is declared: accounts, comments, history, letters. Called by tables.py alone."""

import sqlalchemy as sa

from portal.fields.columns import UTCDateTime


def system_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The system tables, by their attribute of `Tables`."""
    return {
        **_account_tables(metadata),
        **_signing_in_tables(metadata),
        **_coming_in_tables(metadata),
        **_record_tables(metadata),
        **_happening_tables(metadata),
        **_form_tables(metadata),
        **_portal_tables(metadata),
    }


def _account_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Who may sign in, and who is signed in."""
    return {
        "account": sa.Table(
            "portal_account",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("email", sa.Text(), unique=True),  # folded: compared without case
            sa.Column("name", sa.Text()),
            sa.Column("profile", sa.Text()),
            sa.Column("person", sa.BigInteger(), index=True),
            sa.Column("password", sa.Text()),
            sa.Column("must_change", sa.Boolean()),
            sa.Column("disabled", sa.Boolean()),
            sa.Column("bounces", sa.Integer()),  # letters that came back since the last sign that the address works
            sa.Column("bounce_reason", sa.Text()),  # of the last one, in the words of the mail server
            sa.Column("access_from", sa.Date()),
            sa.Column("access_until", sa.Date()),
            sa.Column("records_from", sa.Date()),
            sa.Column("news_from", UTCDateTime()),  # what happened before is not new to the account
            sa.Column("hides", sa.Boolean()),  # whether the account has ever hidden a record
            sa.Column("language", sa.Text()),
            sa.Column("created", UTCDateTime()),
            sa.Column("invited", UTCDateTime()),  # the last invitation; NULL once it was accepted
            sa.Column("signed_in", UTCDateTime()),  # the last time
            sqlite_autoincrement=True,
        ),
        "session": sa.Table(
            "portal_session",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of the cookie's value
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("remembered", sa.Boolean()),
            sa.Column("created", UTCDateTime()),
            sa.Column("seen", UTCDateTime()),
            sa.Column("expires", UTCDateTime(), index=True),
            sa.Column("agent", sa.Text()),  # what the browser says it is
            # As whom an administrator sees the portal, see accounts/viewing.py.
            sa.Column("viewed_account", sa.Integer()),
            sa.Column("viewed_profile", sa.Text()),
            sa.Column("viewed_since", UTCDateTime()),
        ),
    }


def _coming_in_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """By which way people come in: the companies' own links and switches, and who has signed up."""
    return {
        "company": sa.Table(
            "portal_company",
            metadata,
            sa.Column("organization", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("closed", sa.Boolean()),  # nobody of the company may sign in
            # The link has to be shown again, so that its token is stored as it is: it opens no more than a form.
            sa.Column("join_token", sa.Text(), unique=True),
            sa.Column("join_profile", sa.Text()),
        ),
        "opening": sa.Table(
            "portal_opening",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("profile", sa.Text()),
            sa.Column("values", sa.JSON()),  # access_from, access_until, records_from, as ISO dates
            sa.Column("account", sa.Integer()),  # who opened the portal, and their name at the time
            sa.Column("author", sa.Text()),
            sa.Column("person", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # the last person that was looked at
            sa.Column("invited", sa.BigInteger()),
            sa.Column("skipped", sa.BigInteger()),
            sa.Column("started", UTCDateTime()),
            sa.Column("finished", UTCDateTime()),
            sqlite_autoincrement=True,
        ),
        "sign_up": sa.Table(
            "portal_sign_up",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("token", sa.Text(), unique=True),  # a hash; NULL once the address has been proved
            sa.Column("email", sa.Text(), index=True),
            sa.Column("organization", sa.BigInteger()),
            sa.Column("profile", sa.Text()),
            sa.Column("language", sa.Text()),
            sa.Column("expires", UTCDateTime(), index=True),  # of the token
            sa.Column("proved", UTCDateTime(), index=True),  # since when it waits for somebody's yes
            sa.Column("name", sa.Text()),
            sa.Column("password", sa.Text()),
            sqlite_autoincrement=True,
        ),
    }


def _signing_in_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """One-time links, the counters that slow down guessing, and the key of signatures."""
    return {
        "link": sa.Table(
            "portal_link",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of the token in the address
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("purpose", sa.Text()),
            sa.Column("expires", UTCDateTime()),
            sa.Column("used", UTCDateTime()),
        ),
        "attempt": sa.Table(
            "portal_attempt",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # what is counted: the purpose and a hash of who
            sa.Column("window", sa.BigInteger(), primary_key=True),  # seconds since 1970, start of the window
            sa.Column("count", sa.Integer()),
        ),
        "key": sa.Table(
            "portal_key",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("secret", sa.Text()),  # hexadecimal
        ),
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
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
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


def _happening_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
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
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
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
        sa.Index("ix_portal_seen_module_record", "module", "record"),
    )


def _file_table(metadata: sa.MetaData) -> sa.Table:
    """The files of records; their bytes are in the store."""
    return sa.Table(
        "portal_file",
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("module", sa.Text()),
        sa.Column("record", sa.BigInteger()),
        sa.Column("comment", sa.BigInteger()),  # the comment that it came with
        sa.Column("field", sa.Text()),  # the field whose value it was when it came; NULL for an attachment
        sa.Column("name", sa.Text()),
        sa.Column("size", sa.BigInteger()),  # bytes
        sa.Column("media_type", sa.Text()),
        sa.Column("stored", sa.Text()),  # its name in the store
        sa.Column("preview", sa.Text()),  # the name of its preview in the store
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
        sa.Column("preview", sa.Text()),  # the name of its preview in the store
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
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
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


def _incoming_mail_table(metadata: sa.MetaData) -> sa.Table:
    """The mails that came in: what became of each, and the bytes of those that nothing was made of."""
    return sa.Table(
        "portal_mail",
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
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


def _portal_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The outbox and what leads to letters, the backlog of the search index, and the snapshot of the last migration."""
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
        "heartbeat": sa.Table(
            "portal_heartbeat",
            metadata,
            sa.Column("name", sa.Text(), primary_key=True),  # worker
            sa.Column("at", UTCDateTime()),
        ),
        "mail": _incoming_mail_table(metadata),
        "backlog": sa.Table(
            "portal_backlog",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("module", sa.Text()),
            sa.Column("contents", sa.Text()),  # a digest of what the entries are made of; NULL for renamed records
            sa.Column("target", sa.Text()),  # the module of a renamed record
            sa.Column("record", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # the last record that is done
            sqlite_autoincrement=True,
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
        sa.Column("created", UTCDateTime()),
        sa.Column("state", sa.Text()),  # waiting, sent or refused; NULL: written before letters were sent
        sa.Column("sent", UTCDateTime()),
        sa.Column("attempts", sa.Integer()),
        sa.Column("next_try", UTCDateTime()),
        sa.Column("locked_until", UTCDateTime()),  # while a worker sends it
        sa.Column("give_up", UTCDateTime()),  # when it is no longer tried
        sa.Column("reason", sa.Text()),  # why the last try failed, in the words of the mail server
        sa.Column("account", sa.Integer(), index=True),  # of the recipient
        sa.Column("module", sa.Text()),  # what the letter is about
        sa.Column("record", sa.BigInteger()),
        sa.Column("kind", sa.Text()),
        sa.Column("events", sa.JSON()),  # the ids of the events that it tells
        sa.Index("ix_portal_outbox_state_next_try", "state", "next_try"),
        sa.Index("ix_portal_outbox_module_record", "module", "record"),
        sqlite_autoincrement=True,
    )

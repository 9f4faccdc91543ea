"""The portal's own tables, whatever is declared: accounts, comments, history, letters. Called by tables.py alone."""

import sqlalchemy as sa

from portal.fields.columns import UTCDateTime


def own_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables by the names under which `Tables` has them."""
    return {**_of_accounts(metadata), **_of_records(metadata), **_of_the_portal(metadata)}


def _of_accounts(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Who may sign in, who is signed in, and what is counted to keep guessers away."""
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
            sa.Column("access_from", sa.Date()),
            sa.Column("access_until", sa.Date()),
            sa.Column("records_from", sa.Date()),
            sa.Column("language", sa.Text()),
            sa.Column("created", UTCDateTime()),
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
        ),
        "link": sa.Table(
            "portal_link",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of what stands in the address
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("purpose", sa.Text()),
            sa.Column("expires", UTCDateTime()),
            sa.Column("used", UTCDateTime()),
        ),
        "attempt": sa.Table(
            "portal_attempt",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # what is counted: purpose and a hash of who
            sa.Column("window", sa.BigInteger(), primary_key=True),  # seconds since 1970, start of the window
            sa.Column("count", sa.Integer()),
        ),
    }


def _of_records(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """What belongs to records without being a field: numbers, comments, history, forms that were sent."""
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
            sa.Column("author", sa.Text()),  # the name as it was when the comment was written
            sa.Column("staff", sa.Boolean()),
            sa.Column("internal", sa.Boolean()),
            sa.Column("text", sa.Text()),
            sa.Column("created", UTCDateTime()),
            sa.Column("channel", sa.Text()),
            sa.Index("ix_portal_comment_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "event": sa.Table(
            "portal_event",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("kind", sa.Text()),  # created, edited, moved, commented, deleted
            sa.Column("account", sa.Integer()),
            sa.Column("at", UTCDateTime()),
            sa.Column("details", sa.JSON()),
            sa.Index("ix_portal_event_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "once": sa.Table(
            "portal_once",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # a form's one-time key, with the account's id before it
            sa.Column("address", sa.Text()),  # where the first sending of the form led
            sa.Column("created", UTCDateTime(), index=True),
        ),
    }


def _of_the_portal(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Letters that wait, what of the search index is behind, and what was last applied."""
    return {
        "outbox": sa.Table(
            "portal_outbox",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("recipient", sa.Text()),
            sa.Column("subject", sa.Text()),
            sa.Column("message", sa.Text()),  # the whole letter as it will be sent
            sa.Column("created", UTCDateTime()),
            sa.Column("sent", UTCDateTime()),
            sqlite_autoincrement=True,
        ),
        "stale": sa.Table(
            "portal_stale",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("module", sa.Text()),
            sa.Column("wanted", sa.Text()),  # what the entries are to be made of
            sa.Column("target", sa.Text()),  # the module of a renamed record
            sa.Column("record", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # up to which record it is done
            sqlite_autoincrement=True,
        ),
        "schema": sa.Table(
            "portal_schema",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("applied", UTCDateTime()),
            sa.Column("description", sa.JSON()),
        ),
    }

"""The system tables of accounts: who may sign in, who is signed in, how people get an account, and their own lists."""

import sqlalchemy as sa

from portal.fields.column_types import UTCDateTime, serial_column


def account_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of accounts, by their attribute of `Tables`."""
    return {
        "account": _account_table(metadata),
        "session": _session_table(metadata),
        **_second_factor_tables(metadata),
        **_signing_in_tables(metadata),
        **_admission_tables(metadata),
        "api_token": _token_table(metadata),
        "saved_view": _saved_view_table(metadata),
    }


def _account_table(metadata: sa.MetaData) -> sa.Table:
    """The table of accounts: who may sign in."""
    return sa.Table(
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
        sa.Column("bounces", sa.Integer()),  # bounced letters since the last sign that the address works
        sa.Column("bounce_reason", sa.Text()),  # of the last one, in the words of the mail server
        sa.Column("access_from", sa.Date()),
        sa.Column("access_until", sa.Date()),
        sa.Column("records_from", sa.Date()),
        sa.Column("news_from", UTCDateTime()),  # what happened before is not new to the account
        sa.Column("hides", sa.Boolean()),  # whether the account has ever hidden a record
        sa.Column("arranges", sa.Boolean()),  # whether it has ever chosen columns or saved a view
        sa.Column("language", sa.Text()),  # chosen by the account
        sa.Column("browser_language", sa.Text()),  # of the page on which the account last signed in
        sa.Column("created", UTCDateTime()),
        sa.Column("invited", UTCDateTime()),  # the last invitation; NULL once it was accepted
        sa.Column("signed_in", UTCDateTime()),  # the last time
        sa.Column("subject", sa.Text(), index=True),  # the identity provider, and the person's id there
        sa.Column("second_factor", UTCDateTime()),  # since when codes are required; NULL: they are not
        sqlite_autoincrement=True,
    )


def _session_table(metadata: sa.MetaData) -> sa.Table:
    """The table of sessions: who is signed in."""
    return sa.Table(
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
    )


def _token_table(metadata: sa.MetaData) -> sa.Table:
    """The table of API tokens, which give programs the rights of an account."""
    return sa.Table(
        "portal_api_token",
        metadata,
        serial_column("id"),
        sa.Column("token", sa.Text(), unique=True),  # a hash
        sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
        sa.Column("name", sa.Text()),
        sa.Column("read_only", sa.Boolean()),
        sa.Column("until", sa.Date()),  # the last day
        sa.Column("created", UTCDateTime()),
        sa.Column("used", UTCDateTime()),  # the last time, to within some minutes
        sqlite_autoincrement=True,
    )


def _second_factor_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of authenticator apps, their recovery codes, and passkeys."""
    return {
        "second_factor": sa.Table(
            "portal_second_factor",
            metadata,
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), primary_key=True),
            sa.Column("secret", sa.Text()),  # in base32
            sa.Column("last_step", sa.BigInteger()),  # of the last code used: earlier ones are no longer valid
        ),
        "passkey": sa.Table(
            "portal_passkey",
            metadata,
            serial_column("id"),
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("credential", sa.Text(), unique=True),  # its id, in base64url
            sa.Column("public_key", sa.Text()),  # in COSE, in base64url
            sa.Column("sign_count", sa.BigInteger()),  # how often it was used, if the device counts
            sa.Column("name", sa.Text()),
            sa.Column("created", UTCDateTime()),
            sa.Column("used", UTCDateTime()),  # the last time
            sqlite_autoincrement=True,
        ),
        "recovery_code": sa.Table(
            "portal_recovery_code",
            metadata,
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), primary_key=True),
            sa.Column("code", sa.Text(), primary_key=True),  # a hash
        ),
    }


def _signing_in_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of one-time links, the counters that slow down guessing, and the signing key."""
    return {
        "link": sa.Table(
            "portal_link",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of the token in the address
            # NULL: for a passkey challenge, which any account may answer.
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


def _admission_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The tables of how people get access: the companies' own links and switches, and who has signed up."""
    return {
        "company": sa.Table(
            "portal_company",
            metadata,
            sa.Column("organization", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("closed", sa.Boolean()),  # nobody of the company may sign in
            # The link must be shown again, so its token is stored in plain text: it only opens a form.
            sa.Column("join_token", sa.Text(), unique=True),
            sa.Column("join_profile", sa.Text()),
        ),
        "opening": sa.Table(
            "portal_opening",
            metadata,
            serial_column("id"),
            sa.Column("profile", sa.Text()),
            sa.Column("values", sa.JSON()),  # access_from, access_until, records_from, as ISO dates
            sa.Column("account", sa.Integer()),  # who opened the portal, with their name at the time
            sa.Column("author", sa.Text()),
            sa.Column("person", sa.BigInteger()),
            sa.Column("after", sa.BigInteger()),  # the last person that was processed
            sa.Column("invited", sa.BigInteger()),
            sa.Column("skipped", sa.BigInteger()),
            sa.Column("started", UTCDateTime()),
            sa.Column("finished", UTCDateTime()),
            sqlite_autoincrement=True,
        ),
        "sign_up": sa.Table(
            "portal_sign_up",
            metadata,
            serial_column("id"),
            sa.Column("token", sa.Text(), unique=True),  # a hash; NULL once the address has been confirmed
            sa.Column("email", sa.Text(), index=True),
            sa.Column("organization", sa.BigInteger()),
            sa.Column("profile", sa.Text()),
            sa.Column("language", sa.Text()),
            sa.Column("expires", UTCDateTime(), index=True),  # of the token
            sa.Column("proved", UTCDateTime(), index=True),  # since when it waits for approval
            sa.Column("name", sa.Text()),
            sa.Column("password", sa.Text()),
            sqlite_autoincrement=True,
        ),
    }


def _saved_view_table(metadata: sa.MetaData) -> sa.Table:
    """The table of saved views: lists as arranged by accounts, see accounts/saved_views.py."""
    return sa.Table(
        "portal_saved_view",
        metadata,
        sa.Column("key", sa.Text(), primary_key=True),  # random: whoever has a link with it may open the view
        sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id")),
        sa.Column("module", sa.Text()),
        sa.Column("name", sa.Text()),  # empty: the account's arrangement of the list itself
        sa.Column("is_default", sa.Boolean()),
        sa.Column("parameters", sa.JSON()),  # of the list's address, as pairs
        sa.Column("columns", sa.JSON()),  # names of fields; null: as declared
        sa.Column("compact", sa.Boolean()),
        sa.UniqueConstraint("account", "module", "name"),
    )

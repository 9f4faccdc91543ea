"""Viewing the portal as someone else: what an administrator's session stores, and whose rights apply in the meantime.

An administrator views an account, with its person and companies, or a profile without a particular person. A view
belongs to one session and ends with it, after an hour, when its administrator no longer is one, or when the viewed
account may no longer sign in. A view is read-only: portal/web/read_only_view.py refuses the rest.
"""

import contextlib
import datetime
import logging
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import NO_ACCOUNT, Account, load_account
from portal.accounts.identity import Identity, NotAdmitted, admit
from portal.accounts.sessions import Session
from portal.database.engine import writing
from portal.database.schema.tables import Tables
from portal.declaration.shapes import display_name
from portal.records.policy import Policy, system_policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author, add_event

log = logging.getLogger(__name__)

VIEW_LIFETIME = datetime.timedelta(hours=1)


def viewed_identity(
    connection: sa.Connection, tables: Tables, session: Session, administrator: Identity
) -> Identity | None:
    """The identity that a session views; None if it views nothing, or the view is over."""
    now = administrator.policy.reader.now
    if not administrator.administrator or session.viewed_since is None or now >= session.viewed_since + VIEW_LIFETIME:
        return None
    if session.viewed_profile is not None:
        return viewed_profile_identity(tables, session.viewed_profile, administrator)
    account = load_account(connection, tables, session.viewed_account or NO_ACCOUNT)
    return viewed_account_identity(connection, tables, account, administrator) if account else None


def viewed_account_identity(
    connection: sa.Connection, tables: Tables, account: Account, administrator: Identity
) -> Identity | None:
    """The rights with which an administrator views the portal as an account; None if it may not sign in now."""
    reading = _reading(administrator)
    if account.reads in tables.declaration.settings.languages and account.reads != reading["language"]:
        reading |= {"language": account.reads, "region": ""}
    identity = admit(connection, tables, account, **reading)
    return None if isinstance(identity, NotAdmitted) else identity


def viewed_profile_identity(tables: Tables, name: str, administrator: Identity) -> Identity | None:
    """The rights of a profile without a particular person; None if there is no such profile."""
    profile = tables.declaration.profiles.get(name)
    if profile is None:
        return None
    reader = tables.declaration.reader(**_reading(administrator))
    label = reader.text(display_name(profile))
    return Identity(Account(NO_ACCOUNT, "", label, name), Policy(tables, profile, reader))


def _reading(administrator: Identity) -> dict[str, Any]:
    reader = administrator.policy.reader
    return {"language": reader.language, "region": reader.region, "now": reader.now}


def start_viewing(
    connection: sa.Connection, tables: Tables, token_hash: str, administrator: Identity, viewed: Identity
) -> None:
    """Lets a session view the portal as `viewed`, and records this in the history."""
    account, now = viewed.account, administrator.policy.reader.now
    of_profile = account.id == NO_ACCOUNT
    values = {
        "viewed_account": None if of_profile else account.id,
        "viewed_profile": account.profile if of_profile else None,
        "viewed_since": now,
    }
    _update_session(connection, tables, token_hash, values)
    log.info("%s views the portal as %s", administrator.account.email, account.email or f"profile {account.profile}")
    _add_viewing_event(connection, tables, administrator, account)


def stop_viewing(connection: sa.Connection, tables: Tables, token_hash: str) -> None:
    """Returns the session to its administrator's own view."""
    _update_session(connection, tables, token_hash, dict.fromkeys(("viewed_account", "viewed_profile", "viewed_since")))


def _update_session(connection: sa.Connection, tables: Tables, token_hash: str, values: dict[str, Any]) -> None:
    session = tables.session
    connection.execute(sa.update(session).where(session.c["token"] == token_hash).values(values))


def end_view(engine: sa.Engine, tables: Tables, session: Session) -> None:
    """Ends a view as someone else that is over. If this cannot be written (a full disk), the request goes on."""
    with contextlib.suppress(sa.exc.DBAPIError), writing(engine) as connection:
        stop_viewing(connection, tables, session.token)


def _add_viewing_event(connection: sa.Connection, tables: Tables, administrator: Identity, viewed: Account) -> None:
    """Adds an event to the viewed person's record; for a profile, to the administrator's, with the profile's name."""
    account, of_profile = administrator.account, viewed.id == NO_ACCOUNT
    person = account.person if of_profile else viewed.person
    if tables.declaration.people is None or person is None:
        return
    policy = system_policy(tables, administrator.policy.reader)
    people = Records(connection, policy, tables.declaration.people)
    details = {"reference": viewed.profile} if of_profile else {}
    author = Author(account.id, account.name)
    add_event(people, person, "viewed_as", author, details)

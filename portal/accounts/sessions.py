"""Sessions on the server: who comes with which cookie. Only the hash of the cookie's value is kept.

A session ends when it expires, at sign-out, and when the password or the right to sign in changes: its row is gone,
and a copy of the cookie is worth nothing.
"""

import contextlib
import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.people import Account, PersonRow, account_columns, account_of, person_columns
from portal.accounts.random_tokens import hash_token, new_token
from portal.database.engine import writing
from portal.database.schema.tables import Tables

# Without “remember me” the browser forgets the cookie when it closes; the portal does so after this time unused.
IDLE = datetime.timedelta(hours=12)


@dataclass(frozen=True)
class Session:
    """One that has not ended; `token` as it is kept."""

    token: str
    remembered: bool
    expires: datetime.datetime


def open_session(
    connection: sa.Connection, tables: Tables, account: int, now: datetime.datetime, days: int | None
) -> str:
    """A new session, remembered for `days` or as long as the browser is open; the value of its cookie."""
    token = new_token()
    connection.execute(sa.delete(tables.session).where(tables.session.c["expires"] < now))
    row = {
        "token": hash_token(token),
        "account": account,
        "remembered": days is not None,
        "created": now,
        "seen": now,
        "expires": now + (IDLE if days is None else datetime.timedelta(days=days)),
    }
    connection.execute(sa.insert(tables.session).values(row))
    return token


def find_session(
    connection: sa.Connection, tables: Tables, token: str, now: datetime.datetime
) -> tuple[Session, Account, PersonRow] | None:
    """The session that a cookie opens, with its account and what its person's row says; None for one that is none,
    or has ended. One question to the database, since every page asks it."""
    statement = tables.statement("session", lambda: _session_statement(tables))
    row = connection.execute(statement, {"token_hash": hash_token(token), "moment": now}).mappings().first()
    if row is None:
        return None
    session = Session(row["session_token"], row["session_remembered"], row["session_expires"])
    return session, account_of(row), PersonRow(row["person_id"], row["person_leads_to"])


def _session_statement(tables: Tables) -> sa.Select[Any]:
    session, account = tables.session, tables.account
    columns = [session.c[name].label(f"session_{name}") for name in ("token", "remembered", "expires")]
    here = (session.c["token"] == sa.bindparam("token_hash"), session.c["expires"] > sa.bindparam("moment"))
    found = session.join(account, account.c["id"] == session.c["account"])
    person, leads_to = sa.null(), sa.null()
    if tables.declaration.people is not None:
        person, leads_to = person_columns(tables)
        found = found.outerjoin(person.table, person == account.c["person"])
    columns += [person.label("person_id"), leads_to.label("person_leads_to")]
    return sa.select(*columns, *account_columns(tables)).select_from(found).where(*here)


def keep_alive(engine: sa.Engine, tables: Tables, session: Session, now: datetime.datetime) -> None:
    """Put off the end of a session in use, when half of its time is over: a request that reads seldom writes here.

    If that cannot be written (a full disk), the request goes on all the same.
    """
    if session.remembered or session.expires - now > IDLE / 2:
        return
    changed = sa.update(tables.session).where(tables.session.c["token"] == session.token)
    with contextlib.suppress(sa.exc.DBAPIError), writing(engine) as connection:
        connection.execute(changed.values(seen=now, expires=now + IDLE))


def close_session(connection: sa.Connection, tables: Tables, token: str) -> None:
    """Sign out: the cookie, and every copy of it, opens nothing more."""
    connection.execute(sa.delete(tables.session).where(tables.session.c["token"] == hash_token(token)))


def close_sessions(connection: sa.Connection, tables: Tables, account: Any) -> None:
    """Sign an account out everywhere."""
    connection.execute(sa.delete(tables.session).where(tables.session.c["account"] == account))

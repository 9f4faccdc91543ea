"""Sessions on the server. The database stores only the hash of the cookie's value.

A session ends when it expires, at logout, and when the password or the right to sign in changes: its row is deleted,
so that a copy of the cookie opens nothing.
"""

import contextlib
import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.accounts.accounts import Account, account_columns, account_of
from portal.accounts.keys_and_tokens import hash_token, new_token
from portal.accounts.people import PersonRow, person_columns
from portal.database.engine import writing
from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import MOST_REMEMBERED_DAYS

# Without “remember me”, the cookie ends with the browser, and the session after this time without a request.
IDLE = datetime.timedelta(hours=12)
# Every session ends after this time, regardless of use and of `remember_days`.
LONGEST = datetime.timedelta(days=MOST_REMEMBERED_DAYS)
# The time of the last request is stored no more often than this, so that viewing pages hardly ever writes.
SEEN = IDLE / 2
KEY_LENGTH, LONGEST_AGENT = 24, 300  # characters


class Session(NamedTuple):
    """A session that has not ended; `token` is the stored hash."""

    token: str
    remembered: bool
    created: datetime.datetime
    expires: datetime.datetime
    seen: datetime.datetime
    agent: str = ""  # the browser's User-Agent when the session was opened
    viewed_account: int | None = None  # whose view of the portal an administrator sees, see viewing.py
    viewed_profile: str | None = None
    viewed_since: datetime.datetime | None = None
    has_drafts: bool = True  # whether the account may have any; not a column, set by `find_session`

    @property
    def key(self) -> str:
        """Distinguishes this session from others of its account; opens nothing."""
        return self.token[:KEY_LENGTH]


COLUMNS = tuple(name for name in Session._fields if name != "has_drafts")


def session_days(declaration: Declaration) -> int:
    """How many days a remembered session lasts."""
    return min(declaration.settings.remember_days, LONGEST.days)


def open_session(
    connection: sa.Connection,
    tables: Tables,
    account_id: int,
    now: datetime.datetime,
    days: int | None,
    agent: str | None = None,
) -> str:
    """Opens a session, for `days` or until the browser closes; returns its cookie value. `agent`: the User-Agent."""
    token = new_token()
    connection.execute(sa.delete(tables.session).where(tables.session.c["expires"] < now))
    row = {
        "token": hash_token(token),
        "account": account_id,
        "remembered": days is not None,
        "created": now,
        "seen": now,
        "agent": (agent or "")[:LONGEST_AGENT],
        "expires": now + (IDLE if days is None else datetime.timedelta(days=days)),
    }
    connection.execute(sa.insert(tables.session).values(row))
    # For an account older than the feature of marking news, everything before counts as seen.
    unmarked = tables.account.c["id"] == account_id, tables.account.c["news_from"].is_(None)
    connection.execute(sa.update(tables.account).where(*unmarked).values(news_from=now))
    return token


def find_session(
    connection: sa.Connection, tables: Tables, token: str, now: datetime.datetime
) -> tuple[Session, Account, PersonRow] | None:
    """The open session of a cookie, with its account and its person's row; None if there is none or it has ended.

    One statement, since every page needs it.
    """
    statement = tables.statement("session", lambda: _session_statement(tables))
    values = {"token_hash": hash_token(token), "moment": now, "oldest": now - LONGEST}
    rows = fetch(connection, statement, values)
    if not rows:
        return None
    (row,) = rows
    columns = {name: row[f"session_{name}"] for name in COLUMNS}
    session = Session(**columns, has_drafts=bool(row["has_drafts"]))
    return session, account_of(row), PersonRow(row["person_id"], row["person_organization"], bool(row["any_closed"]))


def _session_statement(tables: Tables) -> sa.Select[Any]:
    session, account = tables.session, tables.account
    columns = [session.c[name].label(f"session_{name}") for name in COLUMNS]
    is_open = (
        session.c["token"] == sa.bindparam("token_hash"),
        session.c["expires"] > sa.bindparam("moment"),
        session.c["created"] > sa.bindparam("oldest"),
    )
    joined = session.join(account, account.c["id"] == session.c["account"])
    person: sa.ColumnElement[Any] = sa.null()
    organization: sa.ColumnElement[Any] = sa.null()
    if tables.declaration.people is not None:
        person, organization = person_columns(tables)
        people = tables.module(tables.declaration.people)
        joined = joined.outerjoin(people, people.c["id"] == account.c["person"])
    any_closed = sa.exists(sa.select(tables.company.c["organization"]).where(tables.company.c["closed"]))
    columns += [person.label("person_id"), organization.label("person_organization"), any_closed.label("any_closed")]
    has_drafts = sa.exists(sa.select(tables.draft.c["id"]).where(tables.draft.c["account"] == account.c["id"]))
    columns.append(has_drafts.label("has_drafts"))
    return sa.select(*columns, *account_columns(tables)).select_from(joined).where(*is_open)


def keep_alive(engine: sa.Engine, tables: Tables, session: Session, now: datetime.datetime) -> None:
    """Extends a session in use once half of its time is over, and stores every few hours that it is in use.

    If this cannot be written (a full disk), the request goes on.
    """
    expires = min(now + IDLE, session.created + LONGEST)
    if session.remembered or session.expires - now > IDLE / 2 or expires <= session.expires:
        expires = session.expires
        if now - session.seen < SEEN:
            return
    changed = sa.update(tables.session).where(tables.session.c["token"] == session.token)
    with contextlib.suppress(sa.exc.DBAPIError), writing(engine) as connection:
        connection.execute(changed.values(seen=now, expires=expires))


def close_session(connection: sa.Connection, tables: Tables, token: str) -> None:
    """Logs out: the cookie and every copy of it become void."""
    connection.execute(sa.delete(tables.session).where(tables.session.c["token"] == hash_token(token)))


def sessions_of(connection: sa.Connection, tables: Tables, account_id: int, now: datetime.datetime) -> list[Session]:
    """The open sessions of an account, the most recently used first."""
    session = tables.session
    is_open = sa.and_(session.c["expires"] > now, session.c["created"] > now - LONGEST)
    query = sa.select(*[session.c[name] for name in COLUMNS]).where(session.c["account"] == account_id, is_open)
    rows = connection.execute(query.order_by(session.c["seen"].desc(), session.c["token"])).mappings()
    return [Session(**row) for row in rows]


def close_one(connection: sa.Connection, tables: Tables, account_id: int, key: str) -> bool:
    """Signs an account out on one device; False if it has no such session."""
    session = tables.session.c
    one = sa.and_(session["account"] == account_id, sa.func.substr(session["token"], 1, KEY_LENGTH) == key)
    return bool(connection.execute(sa.delete(tables.session).where(one)).rowcount)


def close_sessions(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Ends all sessions of an account: signs it out everywhere, and ends its tokens."""
    for table in (tables.session, tables.api_token):
        connection.execute(sa.delete(table).where(table.c["account"] == account_id))

"""Stored accounts: found by address, person or profile, and listed.

The companies of an account's person are found in people.py; its password is checked in signing_in.py.
"""

import datetime
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.fields.email import normalize_email
from portal.texts import fold

NO_ACCOUNT = 0  # instead of an id: of a desk, of someone who signs up, of a profile that is viewed


class Account(NamedTuple):
    """A login: an email address that may sign in, with its profile and its person."""

    id: int
    email: str
    name: str
    profile: str
    person: int | None = None
    language: str | None = None  # chosen by the person
    browser_language: str | None = None  # requested by the browser at the last sign-in
    must_change: bool = False
    disabled: bool = False
    access_from: datetime.date | None = None
    access_until: datetime.date | None = None
    records_from: datetime.date | None = None
    bounces: int = 0
    bounce_reason: str | None = None
    invited: datetime.datetime | None = None  # the last invitation, while it has not been accepted
    signed_in: datetime.datetime | None = None  # the last time
    news_from: datetime.datetime | None = None
    hides: bool | None = None
    subject: str | None = None  # the identity provider and the person's id there; NULL: never signed in with it
    external: bool = False  # signs in with the identity provider, and has no password here
    arranges: bool | None = None
    second_factor: datetime.datetime | None = None  # since when codes are required, see second_factor.py

    @property
    def reads(self) -> str | None:
        """The language of letters: the chosen one, else that of the pages."""
        return self.language or self.browser_language


def find_account(connection: sa.Connection, tables: Tables, email: str) -> Account | None:
    """The account with an address."""
    return _find_one(connection, tables, tables.account.c["email"] == normalize_email(email))


def find_account_of_person(connection: sa.Connection, tables: Tables, person_id: int) -> Account | None:
    """The account of a person; the first if there are several."""
    table = tables.account
    first = sa.select(sa.func.min(table.c["id"])).where(table.c["person"] == person_id).scalar_subquery()
    return _find_one(connection, tables, table.c["id"] == first)


def accounts_of(
    connection: sa.Connection, tables: Tables, *, people: Collection[int] = (), profile: str | None = None
) -> list[Account]:
    """The accounts of some persons and of a profile, the oldest first."""
    table = tables.account
    chosen = [table.c["person"].in_(people), *([table.c["profile"] == profile] if profile is not None else [])]
    return load_accounts(connection, select_accounts(tables).where(sa.or_(*chosen)).order_by(table.c["id"]))


def find_account_of_subject(connection: sa.Connection, tables: Tables, subject: str) -> Account | None:
    """The account of a person of the identity provider."""
    return _find_one(connection, tables, tables.account.c["subject"] == subject)


def load_account(connection: sa.Connection, tables: Tables, account_id: int) -> Account | None:
    """The account with an id."""
    return _find_one(connection, tables, tables.account.c["id"] == account_id)


def _find_one(connection: sa.Connection, tables: Tables, condition: sa.ColumnElement[bool]) -> Account | None:
    return next(iter(load_accounts(connection, select_accounts(tables).where(condition))), None)


def select_accounts(tables: Tables) -> sa.Select[Any]:
    """A query of accounts for `load_accounts`; the caller adds conditions and order."""
    return sa.select(*account_columns(tables))


def load_accounts(connection: sa.Connection, query: sa.Select[Any]) -> list[Account]:
    """The accounts of a query started with `select_accounts`."""
    return [account_of(row) for row in connection.execute(query).mappings()]


def account_columns(tables: Tables) -> list[sa.ColumnElement[Any]]:
    """The columns of an Account: all but the password."""
    account = tables.account.c
    external = sa.and_(account["subject"].is_not(None), account["password"].is_(None)).label("external")
    return [external if name == "external" else account[name] for name in Account._fields]


def account_of(row: Mapping[Any, Any]) -> Account:
    """The account in a row."""
    values = {name: row[name] for name in Account._fields}
    values |= {name: bool(values[name]) for name in ("must_change", "disabled", "external")}
    values |= {"name": values["name"] or values["email"], "bounces": values["bounces"] or 0}
    return Account(**values)


def update_account(connection: sa.Connection, tables: Tables, account_id: int, values: Mapping[str, Any]) -> None:
    """Stores new values of an account, such as its profile."""
    this_account = tables.account.c["id"] == account_id
    connection.execute(sa.update(tables.account).where(this_account).values(dict(values)))


def all_accounts(connection: sa.Connection, tables: Tables) -> list[sa.RowMapping]:
    """All accounts, ordered by address, without their passwords."""
    columns = [column for column in tables.account.c if column.name != "password"]
    return list(connection.execute(sa.select(*columns).order_by(tables.account.c["email"])).mappings())


def accounts_matching(connection: sa.Connection, tables: Tables, text: str, limit: int) -> list[Account]:
    """The accounts whose name or address contains `text`, by name, at most `limit`."""
    account, text = tables.account, text.strip()
    columns = (account.c["name"], account.c["email"])
    matches = [sa.func.lower(column).contains(text.lower(), autoescape=True) for column in columns]
    # SQLite's LOWER changes only ASCII letters: names are also compared in their usual spelling.
    matches += [account.c["name"].contains(spelling, autoescape=True) for spelling in (text, text.title())]
    order = sa.func.lower(sa.func.coalesce(account.c["name"], account.c["email"])), account.c["id"]
    query = select_accounts(tables).where(sa.or_(*matches)).order_by(*order).limit(limit)
    return sorted(load_accounts(connection, query), key=by_name)


def by_name(account: Account) -> tuple[str, int]:
    """The sort key of an account by name: Ł next to L, which no database does by itself."""
    return fold(account.name or account.email), account.id


def accounts_per_profile(connection: sa.Connection, tables: Tables) -> dict[str, int]:
    """How many accounts have each profile."""
    profile = tables.account.c["profile"]
    rows = connection.execute(sa.select(profile, sa.func.count()).group_by(profile))
    return {name: number for name, number in rows if name is not None}


def has_open_invitation(account: Account) -> bool:
    """Whether the account has been invited and has no password of its own yet."""
    return account.invited is not None and not account.disabled


def password_of(connection: sa.Connection, tables: Tables, account_id: int | None) -> str | None:
    """The hash of an account's password; None if there is no account."""
    query = sa.select(tables.account.c["password"]).where(tables.account.c["id"] == account_id)
    return connection.execute(query).scalar()

"""One-time links: addresses in letters that open one page once, for an hour or as long as the caller says.

Opening the page does not use up the link, since mail scanners open it; only submitting its form does.
"""

import datetime

import sqlalchemy as sa

from portal.accounts.keys_and_tokens import hash_token, new_token
from portal.database.schema.tables import Tables

# The purposes of links.
RESET = "reset"
INVITATION = "invitation"
SIGN_IN = "link"
SECOND_FACTOR = "second-factor"  # in a cookie, between the password and the code
LIFETIME = datetime.timedelta(hours=1)


def make_link(
    connection: sa.Connection,
    tables: Tables,
    account_id: int,
    purpose: str,
    now: datetime.datetime,
    lifetime: datetime.timedelta = LIFETIME,
) -> str:
    """Stores a new one-time link if the account `account_id` exists; returns its token, for the address."""
    token, account = new_token(), tables.account.c
    expires = sa.literal(now + lifetime, tables.link.c["expires"].type)
    row = sa.select(sa.literal(hash_token(token)), account["id"], sa.literal(purpose), expires)
    columns = ["token", "account", "purpose", "expires"]
    connection.execute(sa.insert(tables.link).from_select(columns, row.where(account["id"] == account_id)))
    return token


def link_expiry(tables: Tables, token: str) -> sa.ScalarSelect[datetime.datetime]:
    """A query for when the unused one-time link with this token expires, one that proves an address included."""
    link, proof, stored = tables.link.c, tables.sign_up.c, hash_token(token)
    unused = sa.select(link["expires"]).where(link["token"] == stored, link["used"].is_(None))
    return sa.union_all(unused, sa.select(proof["expires"]).where(proof["token"] == stored)).scalar_subquery()


def works_until(connection: sa.Connection, tables: Tables, token: str) -> datetime.datetime | None:
    """The moment when an unused one-time link expires; None if it was used, replaced or deleted."""
    return connection.execute(sa.select(link_expiry(tables, token))).scalar()


def find_link(
    connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime
) -> int | None:
    """The id of the account that a link belongs to; None if the link was used, has expired or has another purpose."""
    query = sa.select(tables.link.c["account"]).where(_valid(tables, token, purpose, now))
    return connection.execute(query).scalar()


def use_link(connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime) -> int | None:
    """Uses up a one-time link; returns the id of its account, or None. Of two simultaneous requests one gets it."""
    used = sa.update(tables.link).where(_valid(tables, token, purpose, now)).values(used=now)
    return connection.execute(used.returning(tables.link.c["account"])).scalar()


def void_links(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Makes all links of an account invalid."""
    connection.execute(sa.delete(tables.link).where(tables.link.c["account"] == account_id))


def _valid(tables: Tables, token: str, purpose: str, now: datetime.datetime) -> sa.ColumnElement[bool]:
    link = tables.link.c
    return sa.and_(
        link["token"] == hash_token(token), link["purpose"] == purpose, link["used"].is_(None), link["expires"] > now
    )

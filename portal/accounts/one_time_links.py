"""One-time links: an address that was mailed opens one thing, once, for a while.

Looking at the page does not use the link up (mail scanners look), only sending its form does.
"""

import datetime

import sqlalchemy as sa

from portal.accounts.random_tokens import hash_token, new_token
from portal.database.schema.tables import Tables

LASTS = datetime.timedelta(hours=1)


def make_link(connection: sa.Connection, tables: Tables, account: int, purpose: str, now: datetime.datetime) -> str:
    """A new link's token, for its address."""
    token = new_token()
    row = {"token": hash_token(token), "account": account, "purpose": purpose, "expires": now + LASTS}
    connection.execute(sa.insert(tables.link).values(row))
    return token


def find_link(
    connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime
) -> int | None:
    """The account that a link belongs to, or None if it was used, has expired or is meant for something else."""
    query = sa.select(tables.link.c["account"]).where(_valid(tables, token, purpose, now))
    return connection.execute(query).scalar()


def use_link(connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime) -> int | None:
    """Use a link up: the account it belonged to, or None. Of two at once only one gets the account."""
    used = sa.update(tables.link).where(_valid(tables, token, purpose, now)).values(used=now)
    return connection.execute(used.returning(tables.link.c["account"])).scalar()


def void_links(connection: sa.Connection, tables: Tables, account: int) -> None:
    """No link that this account was sent opens anything more."""
    connection.execute(sa.delete(tables.link).where(tables.link.c["account"] == account))


def _valid(tables: Tables, token: str, purpose: str, now: datetime.datetime) -> sa.ColumnElement[bool]:
    link = tables.link.c
    return sa.and_(
        link["token"] == hash_token(token), link["purpose"] == purpose, link["used"].is_(None), link["expires"] > now
    )

"""One-time links: an address in a letter that opens one page once, within an hour.

Opening the page does not use the link up, since mail scanners open it; only submitting its form does.
"""

import datetime

import sqlalchemy as sa

from portal.accounts.random_tokens import hash_token, new_token
from portal.database.schema.tables import Tables

LIFETIME = datetime.timedelta(hours=1)


def make_link(connection: sa.Connection, tables: Tables, account_id: int, purpose: str, now: datetime.datetime) -> str:
    """Store a new link; its token, for the address."""
    token = new_token()
    row = {"token": hash_token(token), "account": account_id, "purpose": purpose, "expires": now + LIFETIME}
    connection.execute(sa.insert(tables.link).values(row))
    return token


def find_link(
    connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime
) -> int | None:
    """The id of the account that a link belongs to; None if it was used, has expired or has another purpose."""
    query = sa.select(tables.link.c["account"]).where(_valid(tables, token, purpose, now))
    return connection.execute(query).scalar()


def use_link(connection: sa.Connection, tables: Tables, token: str, purpose: str, now: datetime.datetime) -> int | None:
    """Use a link up: the id of its account, or None. Of two requests at once only one gets the id."""
    used = sa.update(tables.link).where(_valid(tables, token, purpose, now)).values(used=now)
    return connection.execute(used.returning(tables.link.c["account"])).scalar()


def void_links(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Make all links of an account invalid."""
    connection.execute(sa.delete(tables.link).where(tables.link.c["account"] == account_id))


def _valid(tables: Tables, token: str, purpose: str, now: datetime.datetime) -> sa.ColumnElement[bool]:
    link = tables.link.c
    return sa.and_(
        link["token"] == hash_token(token), link["purpose"] == purpose, link["used"].is_(None), link["expires"] > now
    )

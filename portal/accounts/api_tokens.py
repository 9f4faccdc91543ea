"""Tokens with which programs read and write with the rights of an account, at `/api/` and nowhere else.

The database stores only the hash of a token. Ending all sessions of an account also ends its tokens (sessions.py).
"""

import contextlib
import datetime
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from portal.accounts.accounts import Account, account_columns, account_of
from portal.accounts.keys_and_tokens import hash_token, new_token
from portal.database.engine import writing
from portal.database.fetching import fetch
from portal.database.schema.tables import Tables

PREFIX = "portal_"  # lets secret scanners recognize a token
LONGEST_NAME = 100  # characters
MOST_TOKENS = 50  # of one account
USED = datetime.timedelta(minutes=10)  # the time of the last use is stored no more often than this


@dataclass(frozen=True)
class TokenRequest:
    """A request for a new token; `until`: its last day."""

    name: str
    until: datetime.date | None = None
    read_only: bool = False


@dataclass(frozen=True)
class ApiToken:
    """A token in a list; `until`: its last day, `used`: its last use, accurate to some minutes."""

    id: int
    name: str
    read_only: bool
    until: datetime.date | None
    created: datetime.datetime
    used: datetime.datetime | None


COLUMNS = tuple(attribute.name for attribute in fields(ApiToken))


def make_token(
    connection: sa.Connection, tables: Tables, account_id: int, token_request: TokenRequest, now: datetime.datetime
) -> str:
    """A new token of an account. It cannot be shown a second time."""
    token = PREFIX + new_token()
    row = {"token": hash_token(token), "account": account_id, "created": now, **asdict(token_request)}
    connection.execute(sa.insert(tables.api_token).values(row))
    return token


def find_token(connection: sa.Connection, tables: Tables, token: str) -> tuple[ApiToken, Account] | None:
    """A token with its account, even if either is not valid today; None if there is no such token."""
    statement = tables.statement("api token", lambda: _token_statement(tables))
    for row in fetch(connection, statement, {"token_hash": hash_token(token)}):
        return ApiToken(**{name: row[f"token_{name}"] for name in COLUMNS}), account_of(row)
    return None


def _token_statement(tables: Tables) -> sa.Select[tuple[object, ...]]:
    token, account = tables.api_token, tables.account
    columns = [token.c[name].label(f"token_{name}") for name in COLUMNS]
    joined = token.join(account, account.c["id"] == token.c["account"])
    query = sa.select(*columns, *account_columns(tables)).select_from(joined)
    return query.where(token.c["token"] == sa.bindparam("token_hash"))


def note_use(engine: sa.Engine, tables: Tables, token: ApiToken, now: datetime.datetime) -> None:
    """Stores that a token is in use. If this cannot be written (a full disk), the request goes on."""
    if token.used is not None and now - token.used < USED:
        return
    used = sa.update(tables.api_token).where(tables.api_token.c["id"] == token.id).values(used=now)
    with contextlib.suppress(sa.exc.DBAPIError), writing(engine) as connection:
        connection.execute(used)


def tokens_of(connection: sa.Connection, tables: Tables, account_id: int) -> list[ApiToken]:
    """The tokens of an account, the newest first."""
    token = tables.api_token
    query = sa.select(*[token.c[name] for name in COLUMNS]).where(token.c["account"] == account_id)
    return [ApiToken(**row) for row in connection.execute(query.order_by(token.c["id"].desc())).mappings()]


def end_token(connection: sa.Connection, tables: Tables, account_id: int, token_id: int) -> bool:
    """Ends a token of an account; False if it has no such token."""
    token = tables.api_token.c
    one = sa.and_(token["account"] == account_id, token["id"] == token_id)
    return bool(connection.execute(sa.delete(tables.api_token).where(one)).rowcount)

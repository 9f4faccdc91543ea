"""Addresses that do not accept letters: after three bounces, no more are written to them.

An address works again when mail comes from it, or when it is changed.
"""

import sqlalchemy as sa

from portal.accounts.accounts import Account, update_account
from portal.database.schema.tables import Tables

MOST_BOUNCES = 3


def letters_arrive(account: Account) -> bool:
    """Whether letters to the address of an account arrive: after too many bounces, none are sent."""
    return account.bounces < MOST_BOUNCES


def count_bounce(connection: sa.Connection, tables: Tables, account_id: int, reason: str) -> None:
    """Counts another letter to an account that bounced."""
    bounces = sa.func.coalesce(tables.account.c["bounces"], 0) + 1
    update_account(connection, tables, account_id, {"bounces": bounces, "bounce_reason": reason})


def forget_bounces(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Notes that the address of an account works again: earlier bounces no longer count."""
    table = tables.account
    bounced = table.c["id"] == account_id, table.c["bounces"] > 0
    connection.execute(sa.update(table).where(*bounced).values(bounces=0, bounce_reason=None))

"""Which letters about records an account does not want. Letters about the account itself cannot be refused."""

from collections.abc import Collection

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.texts import _

# The kinds of letters, and what each is called where one chooses.
KINDS = {
    "created": _("Receipts and new entries"),
    "commented": _("New comments"),
    "moved": _("The status has changed"),
    "assigned": _("Something was assigned to me"),
    "reminded": _("Reminders"),
}


def muted_kinds(connection: sa.Connection, tables: Tables, account_id: int) -> frozenset[str]:
    """The kinds of letters that an account does not want."""
    query = sa.select(tables.muted.c["kind"]).where(tables.muted.c["account"] == account_id)
    return frozenset(connection.execute(query).scalars())


def mute_kinds(connection: sa.Connection, tables: Tables, account_id: int, kinds: Collection[str]) -> None:
    """Store that an account wants all letters but those of `kinds`."""
    connection.execute(sa.delete(tables.muted).where(tables.muted.c["account"] == account_id))
    rows = [{"account": account_id, "kind": kind} for kind in KINDS if kind in kinds]
    if rows:
        connection.execute(sa.insert(tables.muted), rows)

"""A connection that ends with a transaction of the package `transaction`, which Pyramid keeps for every request.

Called by engine.py alone. zope.sqlalchemy does the same for sessions of the ORM, which nothing here uses; with it every
process would load the ORM, and PostgreSQL's driver where there is only SQLite.
"""

from typing import Any

import sqlalchemy as sa

TRY_AGAIN = "40"  # the class of SQL's errors for a transaction that another one was in the way of


class ConnectionParticipant:
    """What the transaction asks of those who take part: it commits when all have voted, or aborts. We are the only one
    with something to commit, and do it when we vote: a refusal of the database is then in time for all others."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def tpc_begin(self, transaction: Any) -> None:
        """The end begins."""

    def commit(self, transaction: Any) -> None:
        """All that was written stands in the database's own transaction already."""

    def tpc_vote(self, transaction: Any) -> None:
        """Commit; may raise."""
        self.connection.commit()

    def tpc_finish(self, transaction: Any) -> None:
        """The connection goes back to its pool."""
        self.connection.close()

    def tpc_abort(self, transaction: Any) -> None:
        """Somebody refused."""
        self.connection.close()

    def abort(self, transaction: Any) -> None:
        """The request failed: closing rolls back."""
        self.connection.close()

    def sortKey(self) -> str:  # noqa: N802 - the name that the package asks for
        """Last, so that whoever cannot be undone is not before us."""
        return "~portal"

    def should_retry(self, error: Exception) -> bool:
        """Whether the request may go better when it is tried again."""
        return worth_another_try(error)


def worth_another_try(error: Exception) -> bool:
    """Whether another transaction was in the way of this one."""
    return (getattr(getattr(error, "orig", None), "sqlstate", None) or "").startswith(TRY_AGAIN)

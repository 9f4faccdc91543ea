"""A connection that ends with a transaction of the package `transaction`, which Pyramid keeps for every request.

Called by engine.py alone. zope.sqlalchemy does the same for sessions of the ORM, which nothing here uses; with it every
process would load the ORM, and PostgreSQL's driver where there is only SQLite.
"""

from typing import Any

import sqlalchemy as sa

from portal.database.errors import is_retryable


class ConnectionParticipant:
    """A data manager of the package `transaction`: it commits when all have voted, or aborts.

    The connection is the only participant with something to commit, and commits when it votes: a refusal of the
    database is then in time for all others.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def tpc_begin(self, transaction: Any) -> None:
        """The commit begins; nothing to prepare."""

    def commit(self, transaction: Any) -> None:
        """Nothing to do: all that was written is in the database's own transaction already."""

    def tpc_vote(self, transaction: Any) -> None:
        """Commit; may raise."""
        self.connection.commit()

    def tpc_finish(self, transaction: Any) -> None:
        """Gives the connection back to its pool."""
        self.connection.close()

    def tpc_abort(self, transaction: Any) -> None:
        """Another participant refused; closing rolls back."""
        self.connection.close()

    def abort(self, transaction: Any) -> None:
        """The request failed; closing rolls back."""
        self.connection.close()

    def sortKey(self) -> str:  # noqa: N802 - the name that the package asks for
        """Last in the order, so that a participant that cannot be undone does not come before this one."""
        return "~portal"

    def should_retry(self, error: Exception) -> bool:
        """Whether the request may succeed when it is tried again."""
        return is_retryable(error)

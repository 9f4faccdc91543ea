"""A connection that ends with a transaction of the package `transaction`, which Pyramid has for every request.

Called only by engine.py. zope.sqlalchemy does the same for sessions of the ORM, which nothing here uses; with it, every
process would load the ORM, and PostgreSQL's driver even with SQLite.
"""

from typing import Any

import sqlalchemy as sa

from portal.database.errors import is_retryable


class ConnectionParticipant:
    """A data manager of the package `transaction`: it commits or aborts.

    The connection is the only participant with something to commit, and commits when it votes, so that a refusal by the
    database comes in time for all others.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def tpc_begin(self, transaction: Any) -> None:
        """Does nothing."""

    def commit(self, transaction: Any) -> None:
        """Does nothing: everything written is already in the database's own transaction."""

    def tpc_vote(self, transaction: Any) -> None:
        """Commits; may raise."""
        self.connection.commit()

    def tpc_finish(self, transaction: Any) -> None:
        """Returns the connection to its pool."""
        self.connection.close()

    def tpc_abort(self, transaction: Any) -> None:
        """Another participant refused; closing rolls back."""
        self.connection.close()

    def abort(self, transaction: Any) -> None:
        """The request failed; closing rolls back."""
        self.connection.close()

    def sortKey(self) -> str:  # noqa: N802 - the name that the package asks for
        """Last in order: it commits when it votes, so all others must have voted before."""
        return "~portal"

    def should_retry(self, error: Exception) -> bool:
        """Whether the request may succeed when it is tried again."""
        return is_retryable(error)

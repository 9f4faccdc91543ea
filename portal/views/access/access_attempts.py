"""Counts the addresses that someone of a company gives access to: a refusal reveals that others have the address."""

from pyramid.request import Request

from portal.accounts import attempts
from portal.database.engine import paused, writing


def count_access_attempt(request: Request) -> None:
    """Counts an address that someone of a company gives access to. Raises TooManyAttemptsError.

    A refusal reveals that others have the address: unlimited attempts would reveal who they are. Successful ones are
    taken back by `uncount_access_attempt`. A refused request writes nothing, so this is stored before anything else
    is written.
    """
    if request.policy.staff:
        return
    tables, by = request.portal.tables, str(request.identity.account.id)
    with paused(request.connection), writing(request.portal.engine) as connection:
        attempts.check_attempt(connection, tables, attempts.ACCESS_REFUSED, by, request.now)


def uncount_access_attempt(request: Request) -> None:
    """Takes back what `count_access_attempt` counted: access has been given."""
    if not request.policy.staff:
        by = str(request.identity.account.id)
        attempts.uncount_attempt(request.connection, request.portal.tables, attempts.ACCESS_REFUSED, by, request.now)

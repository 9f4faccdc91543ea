"""The connection of a request: one that writes, one that only reads, or one to the replica."""

import contextlib
from typing import Any

from pyramid.events import NewResponse
from pyramid.request import Request

from portal.database.engine import read_connection, release_connection, write_connection
from portal.database.errors import DatabaseError
from portal.web.api import is_api_request
from portal.web.cookies import HOUR, Cookie, read_cookie, set_cookie
from portal.web.safe_methods import may_write
from portal.web.visitor import signed_in

ATTEMPT = "retry.attempt"  # in the environment of a retried request, counted from 1


def connection(request: Request) -> Any:
    """The request's connection: it can write unless the method is safe, and commits if the status is below 400."""
    if may_write(request):
        return write_connection(request.portal.engine, request.tm)
    reading_connection = _replica_connection(request) or read_connection(request.portal.engine)
    request.add_finished_callback(lambda request: release_connection(reading_connection))
    return reading_connection


def _replica_connection(request: Request) -> Any:
    """A connection to the replica, if it has this reader's changes and their current rights.

    Otherwise records would be read with outdated rights. A request that failed is retried without the replica.
    """
    replica = request.portal.replica
    if replica is None or request.environ.get(ATTEMPT) or is_api_request(request):
        return None
    identity = request.visitor.identity  # read from the primary
    if identity is None or request.visitor.read_only_view is not None:
        return None
    connection = replica.connection(read_cookie(request, Cookie.POSITION))
    if connection is None:
        return None
    try:
        known = signed_in(request, connection, read_cookie(request, Cookie.SESSION))
    except DatabaseError as error:
        replica.leave_alone(error)
        known = None
    if known is None or known[1] != identity:
        release_connection(connection)
        return None
    return connection


def remember_position(event: NewResponse) -> None:
    """Makes the reader see what this request may have changed: their browser carries the position in the log.

    It expires after an hour; a replica that is further behind has other problems.
    """
    request = event.request
    if not may_write(request) or is_api_request(request):
        return
    with contextlib.suppress(*DatabaseError):  # all is saved; the next page may just be slightly outdated
        position = request.portal.replica.position()
        set_cookie(request, event.response, Cookie.POSITION, position, HOUR)

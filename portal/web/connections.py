"""The connection that a request has: one that writes, one that only reads, or one to the replica."""

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

ATTEMPT = "retry.attempt"  # in the environment of a request that is tried again, from 1 on


def connection(request: Request) -> Any:
    """The request's connection: it can write unless the method is safe, and commits if the answer is below 400."""
    if may_write(request):
        return write_connection(request.portal.engine, request.tm)
    reading_connection = _replica_connection(request) or read_connection(request.portal.engine)
    request.add_finished_callback(lambda request: release_connection(reading_connection))
    return reading_connection


def _replica_connection(request: Request) -> Any:
    """A connection to the replica, if it knows what this reader has changed and gives them the rights that they have.

    So that no record is read by rights of another moment. A request that failed is tried again without it.
    """
    replica = request.portal.replica
    if replica is None or request.environ.get(ATTEMPT) or is_api_request(request):
        return None
    identity = request.visitor.identity  # which is read from the primary
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
    """The reader sees from now on what a request may have changed: their browser carries the position of the log.

    It is forgotten after an hour; a replica that is further behind has other faults.
    """
    request = event.request
    if not may_write(request) or is_api_request(request):
        return
    with contextlib.suppress(*DatabaseError):  # all is saved already; the next page is no older than others
        position = request.portal.replica.position()
        set_cookie(request, event.response, Cookie.POSITION, position, HOUR)

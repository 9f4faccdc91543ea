"""Who makes a request, looked up once from the session cookie; and the connection that the request has."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pyramid.events import NewResponse
from pyramid.request import Request

from portal.accounts.people import Identity, admit
from portal.accounts.sessions import Session, find_session, keep_alive
from portal.accounts.viewing import NOBODY, end_view, viewed_identity
from portal.database.engine import read_connection, reading, release_connection, write_connection
from portal.database.errors import DatabaseError
from portal.texts import _
from portal.web.cookies import HOUR, position_cookie, preview_cookie, session_cookie, set_cookie
from portal.web.language import chosen_language, region_of
from portal.web.preview_portal import Previewing
from portal.web.read_only_view import ReadOnlyView, view_as_banner

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ATTEMPT = "retry.attempt"  # in the environment of a request that is tried again, from 1 on
SESSION_ENDED = _("Your session has ended. Sign in again.")
VIEW_ENDED = _("The preview has ended. You are viewing the portal as yourself again.")


@dataclass(frozen=True)
class Visitor:
    """Whose rights a request has; `ended` is one sentence that says why a session is over."""

    identity: Identity | None = None
    ended: str = ""
    remembered: bool = False  # whether the session outlives the browser
    has_drafts: bool = True  # whether the account may have some, as the request began
    read_only_view: ReadOnlyView | None = None  # the request only reads
    notice: str = ""  # shown on this page

    @property
    def own_account(self) -> int:
        """Whose drafts, devices and sent files the request works with: in a preview nobody's."""
        return NOBODY if self.identity is None or self.read_only_view is not None else self.identity.account.id


def may_write(request: Request) -> bool:
    """Whether the request may write: its method is not safe."""
    return request.method not in SAFE_METHODS


def connection(request: Request) -> Any:
    """The request's connection: it can write unless the method is safe, and commits if the answer is below 400."""
    if may_write(request):
        return write_connection(request.portal.engine, request.tm)
    reading_connection = _replica_connection(request) or read_connection(request.portal.engine)
    request.add_finished_callback(lambda request: release_connection(reading_connection))
    return reading_connection


def visitor(request: Request) -> Visitor:
    """The session of the cookie, and whether its account may still sign in."""
    if request.registry.previewing is not None:
        return _previewing_visitor(request, request.registry.previewing)
    token = request.cookies.get(session_cookie(request))
    if not token:
        return Visitor()
    portal = request.portal
    with _read_only_connection(request) as connection:
        current = _signed_in(request, connection, token)
        if current is None:
            return Visitor(ended=SESSION_ENDED)
        session, identity = current
        if isinstance(identity, str):
            return Visitor(ended=identity)
        viewed = viewed_identity(connection, portal.tables, session, identity)
    keep_alive(portal.engine, portal.tables, session, request.now)
    own = Visitor(identity, remembered=session.remembered, has_drafts=session.has_drafts)
    if session.viewed_since is None:
        return own
    if viewed is None:
        end_view(portal.engine, portal.tables, session)
        return replace(own, notice=VIEW_ENDED)
    return replace(own, identity=viewed, read_only_view=view_as_banner(identity, viewed, session.viewed_since))


def _signed_in(request: Request, connection: Any, token: str) -> tuple[Session, Identity | str] | None:
    """The open session of a cookie, and the rights of its account; a sentence where it may not sign in any more."""
    current = find_session(connection, request.portal.tables, token, request.now)
    if current is None:
        return None
    session, account, person_row = current
    language = chosen_language(request, account)
    reading = {"language": language, "region": region_of(request, language), "now": request.now}
    return session, admit(connection, request.portal.tables, account, person_row, **reading)


def _previewing_visitor(request: Request, previewing: Previewing) -> Visitor:
    """Who looks at declarations that are not in force, in a browser that has the key; there are no sessions."""
    stranger = Visitor(read_only_view=previewing.stranger)
    if not previewing.knows(request.cookies.get(preview_cookie(request))):
        return stranger
    with _read_only_connection(request) as connection:
        account = previewing.account(connection, request.portal.tables)
        language = chosen_language(request, account)
        reading = {"language": language, "region": region_of(request, language), "now": request.now}
        identity = previewing.identity(connection, request.portal.tables, **reading)
    if isinstance(identity, str):
        return replace(stranger, ended=identity)
    return Visitor(identity, read_only_view=previewing.banner(identity))


@contextlib.contextmanager
def _read_only_connection(request: Request) -> Iterator[Any]:
    """A connection to the primary that reads: a session that has ended, or other rights, count from now on.

    A request that may write does not hold the write lock before its view needs it.
    """
    replica = request.portal.replica
    if not may_write(request) and replica is None:
        yield request.connection
        return
    with reading(request.portal.engine) as connection:
        if replica is not None:
            replica.note(connection)
        yield connection


def _replica_connection(request: Request) -> Any:
    """A connection to the replica, if it knows what this reader has changed and gives them the rights that they have.

    So that no record is read by rights of another moment. A request that failed is tried again without it.
    """
    replica = request.portal.replica
    if replica is None or request.environ.get(ATTEMPT):
        return None
    identity = request.visitor.identity  # which is read from the primary
    if identity is None or request.visitor.read_only_view is not None:
        return None
    connection = replica.connection(request.cookies.get(position_cookie(request)))
    if connection is None:
        return None
    try:
        known = _signed_in(request, connection, request.cookies[session_cookie(request)])
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
    if not may_write(request):
        return
    with contextlib.suppress(*DatabaseError):  # all is saved already; the next page is no older than others
        position = request.portal.replica.position()
        set_cookie(request, event.response, position_cookie(request), position, HOUR)

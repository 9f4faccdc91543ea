"""The visitor who makes a request, looked up once: from the session cookie, or for programs from their token."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pyramid.request import Request

from portal.accounts.accounts import NO_ACCOUNT, Account
from portal.accounts.api_tokens import find_token, note_use
from portal.accounts.identity import Identity, NotAdmitted, admit, what_must_be_set
from portal.accounts.sessions import Session, find_session, keep_alive
from portal.accounts.viewing import end_view, viewed_identity
from portal.database.engine import reading
from portal.texts import _
from portal.web.api import is_api_request
from portal.web.cookies import Cookie, read_cookie
from portal.web.language import chosen_language, region_of
from portal.web.preview_portal import Previewing
from portal.web.read_only_view import ReadOnlyView, view_as_banner
from portal.web.safe_methods import may_write

SESSION_ENDED = _("Your session has ended. Sign in again.")
TOKEN_ENDED = _("This token is not valid.")
READ_ONLY_TOKEN = _("This token may only read.")
VIEW_ENDED = _("The preview has ended. You are viewing the portal as yourself again.")


@dataclass(frozen=True)
class Visitor:
    """Whose rights a request has; `ended` is a sentence that says why a session is over."""

    identity: Identity | None = None
    ended: str = ""
    remembered: bool = False  # whether the session outlives the browser
    has_drafts: bool = True  # whether the account may have had any when the request began
    read_only_view: ReadOnlyView | None = None  # set if the request is read-only
    notice: str = ""  # shown on this page

    @property
    def own_account(self) -> int:
        """The account whose drafts, devices and uploaded files the request works with: nobody's in a preview."""
        return NO_ACCOUNT if self.identity is None or self.read_only_view is not None else self.identity.account.id


def visitor(request: Request) -> Visitor:
    """The visitor of a request: from its session, its token, or the key of a preview."""
    if request.registry.previewing is not None:
        return _previewing_visitor(request, request.registry.previewing)
    return _program(request) if is_api_request(request) else _browser(request)


def _browser(request: Request) -> Visitor:
    """The session in the visitor's cookie, and whether its account may still sign in."""
    token = read_cookie(request, Cookie.SESSION)
    if not token:
        return Visitor()
    portal = request.portal
    with _read_only_connection(request) as connection:
        current = signed_in(request, connection, token)
        if current is None:
            return Visitor(ended=SESSION_ENDED)
        session, identity = current
        if isinstance(identity, NotAdmitted):
            return Visitor(ended=identity.reason)
        viewed = viewed_identity(connection, portal.tables, session, identity)
    keep_alive(portal.engine, portal.tables, session, request.now)
    own = Visitor(identity, remembered=session.remembered, has_drafts=session.has_drafts)
    if session.viewed_since is None:
        return own
    if viewed is None:
        end_view(portal.engine, portal.tables, session)
        return replace(own, notice=VIEW_ENDED)
    return replace(own, identity=viewed, read_only_view=view_as_banner(identity, viewed, session.viewed_since))


def signed_in(request: Request, connection: Any, token: str) -> tuple[Session, Identity | NotAdmitted] | None:
    """The open session of a cookie, and the rights of its account, or why it may no longer sign in."""
    current = find_session(connection, request.portal.tables, token, request.now)
    if current is None:
        return None
    session, account, person_row = current
    identity = admit(connection, request.portal.tables, account, person_row, **_reading(request, account))
    if isinstance(identity, Identity) and (must_set := what_must_be_set(request.portal.declaration, account)):
        identity = replace(identity, must_set=must_set)
    return session, identity


def _reading(request: Request, account: Account | None) -> dict[str, Any]:
    """The language, region and time of a visitor, as the reader of their account."""
    language = chosen_language(request, account)
    return {"language": language, "region": region_of(request, language), "now": request.now}


def _program(request: Request) -> Visitor:
    """The owner of the request's token, and whether the account may still sign in. A program's input is read in machine
    formats, whatever the language of the account."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return Visitor()
    tables = request.portal.tables
    with _read_only_connection(request) as connection:
        known = find_token(connection, tables, token.strip())
        if known is None:
            return Visitor(ended=TOKEN_ENDED)
        api_token, account = known
        identity = admit(connection, tables, account, plain=True, **_reading(request, account))
    if isinstance(identity, NotAdmitted):
        return Visitor(ended=identity.reason)
    is_over = api_token.until is not None and identity.policy.reader.today > api_token.until
    if is_over or what_must_be_set(request.portal.declaration, identity.account):
        return Visitor(ended=TOKEN_ENDED)
    note_use(request.portal.engine, tables, api_token, request.now)
    return Visitor(identity, read_only_view=ReadOnlyView("", refusal=READ_ONLY_TOKEN) if api_token.read_only else None)


def _previewing_visitor(request: Request, previewing: Previewing) -> Visitor:
    """The viewer of declarations that are not in force, in a browser that has the key; there are no sessions."""
    stranger = Visitor(read_only_view=previewing.stranger)
    if not previewing.knows(read_cookie(request, Cookie.PREVIEW)):
        return stranger
    with _read_only_connection(request) as connection:
        account = previewing.account(connection, request.portal.tables)
        identity = previewing.identity(connection, request.portal.tables, **_reading(request, account))
    if isinstance(identity, NotAdmitted):
        return replace(stranger, ended=identity.reason)
    return Visitor(identity, read_only_view=previewing.banner(identity))


@contextlib.contextmanager
def _read_only_connection(request: Request) -> Iterator[Any]:
    """A connection that reads the visitor from the primary: ended sessions and changed rights count immediately.

    A request that may write does not hold the write lock until its view needs it.
    """
    replica = request.portal.replica
    if not may_write(request) and replica is None:
        yield request.connection
        return
    with reading(request.portal.engine) as connection:
        if replica is not None:
            replica.note(connection)
        yield connection

"""What people see when something is refused or goes wrong: a page with a way out, and no internals.

For our own mistakes, and the database's, it shows the id of the request; the log has the rest under that id.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from pyramid.csrf import BadCSRFToken
from pyramid.httpexceptions import HTTPError, HTTPForbidden, HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.traversal import find_interface
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config
from pyramid_retry import BeforeRetry, is_last_attempt, mark_error_retryable
from zope.interface import providedBy

from portal.accounts.attempts import TooManyAttemptsError
from portal.database.errors import DatabaseError, Failure, classify, connection_ended
from portal.records.writing.errors import ConflictError, NotAllowedError
from portal.texts import Words, _
from portal.views.administration.reasons import Reason, reasons_of_refusal
from portal.views.api.input_error import InputError
from portal.views.forms.drafts import keeps_form, page_of_unsent_form
from portal.views.wording import answer_too_many_attempts
from portal.web.addresses import API_ROUTE, MCP_ROUTE, own_path, referring_page
from portal.web.api import is_api_request
from portal.web.connections import ATTEMPT
from portal.web.cookies import Cookie, read_cookie
from portal.web.protection import is_disk_full
from portal.web.resources import Record, Root
from portal.web.safe_methods import SAFE_METHODS
from portal.web.security import PAGES_THAT_SET
from portal.web.visitor import Visitor

log = logging.getLogger(__name__)

# Answers after a form has been read.
FORM_READ = frozenset({404, 409, 500, 503})
RETRY_AFTER = "30"  # seconds
NO_FIELDS: Mapping[str, str] = MappingProxyType({})
MOST_TRIES = 3  # unless another transaction was in the way
MAY_SUCCEED_NOW = (Failure.CONFLICT, Failure.BUSY, Failure.READ_ONLY, Failure.CHANGED_TABLES)

HEADINGS = {
    400: _("Your request could not be processed"),
    401: _("Sign in"),
    403: _("Nothing can be changed here"),
    404: _("Page not found"),
    405: _("This is not possible here"),
    409: _("Nothing was saved"),
    413: _("Too large"),
    429: _("Please try again later"),
    500: _("Something went wrong"),
    503: _("Temporarily unavailable"),
}
TEXTS = {
    400: _("The address or the form contains something the portal cannot read."),
    401: _("Send a valid token (Authorization: Bearer TOKEN)."),
    404: _("It does not exist, or you do not have access to it."),
    405: _("This address exists, but it cannot be used this way."),
    409: _("This has changed since you opened it. Open it again to see the latest version."),
    413: _("You sent more than the portal accepts at once."),
    500: _("The problem is on our side. Give us the number below and we will look into it."),
}
NOTHING_SAVED = _("The portal is busy and nothing was saved. Please try again.")
NOTHING_READ = _("The portal is busy. Please try again.")
TROUBLES = {
    Failure.CONFLICT: NOTHING_SAVED,
    Failure.BUSY: NOTHING_SAVED,
    Failure.DISK_FULL: _("Nothing can be saved right now because the disk is full. Reading still works."),
    Failure.READ_ONLY: _("The portal can be read, but nothing can be saved right now. Try again in a minute."),
    Failure.TIMEOUT: _("This took too long. Please narrow your search."),
}
NO_ROOM = _("This file cannot be created right now because the disk is full. Please try again later.")
NOT_REACHED = _("The portal cannot reach its database. Please try again in a minute.")
EXPIRED = _("This form has expired")
NO_TOKEN = _("Nothing was saved. Go back and send the form again.")
NO_COOKIE = _(
    "Nothing was saved. Go back and send the form again. If that does not help, allow cookies for this site in your"
    " browser."
)


@dataclass(frozen=True)
class ErrorPage:
    """error.pt, for every status; also without a signed-in person and without a portal in force."""

    status: int
    heading: Words
    text: Words
    reference: str = ""  # its id in the log
    retry_url: str = ""  # for another attempt, which may succeed
    record_url: str = ""  # the record that has changed in the meantime
    back_url: str = ""  # the previous page, if the page offers neither of these
    drafts_url: str = ""  # where the sent form is kept
    reasons: tuple[Reason, ...] = ()  # for an administrator who views the portal as someone else


@notfound_view_config(renderer="error.pt")
def not_found(error: HTTPNotFound, request: Request) -> Any:
    """The page for what is missing, foreign or forbidden alike. A wrong method gets 405; a guest signs in first."""
    if _route_of(request) in (None, API_ROUTE, MCP_ROUTE) and hasattr(request, "context"):
        methods = _allowed_methods(request)
        if methods and request.method not in methods:
            request.response.headers["Allow"] = ", ".join(methods)
            return _page(request, 405)
        if request.visitor.identity is None:
            return _sign_in_first(request)
        if must_set := request.visitor.identity.must_set:
            return HTTPSeeOther(PAGES_THAT_SET[must_set][0])
        if renamed := _address_after_renaming(request):
            return HTTPSeeOther(renamed)
    return _page(request, 404)


@forbidden_view_config(renderer="error.pt")
def forbidden(error: HTTPForbidden, request: Request) -> Any:
    """The page for a forbidden action: it looks as if it did not exist."""
    identity = request.visitor.identity
    if identity is None:
        return _sign_in_first(request)
    return HTTPSeeOther(PAGES_THAT_SET[identity.must_set][0]) if identity.must_set else _page(request, 404)


@exception_view_config(NotAllowedError, renderer="error.pt")
def not_allowed(error: NotAllowedError, request: Request) -> Any:
    """The page for an action that the records layer refuses, as the profile does not grant it."""
    return _page(request, 404)


@exception_view_config(ConflictError, renderer="error.pt")
def conflict(error: ConflictError, request: Request) -> Any:
    """The page for a conflict: someone else saved first, and the view has no page of its own for that."""
    return _page(request, 409)


@exception_view_config(TooManyAttemptsError, renderer="error.pt")
def too_many_attempts(error: TooManyAttemptsError, request: Request) -> Any:
    """The page after too many attempts with a password or a link."""
    return _page(request, 429, answer_too_many_attempts(request, error))


@exception_view_config(HTTPError, renderer="error.pt")
def http_error(error: HTTPError, request: Request) -> Any:
    """The page for a refusal by protection or a view, with their sentence, if they have one."""
    request.response.headers.update({name: value for name, value in error.headers.items() if name == "Retry-After"})
    if isinstance(error, BadCSRFToken):
        has_cookie = any(read_cookie(request, cookie) for cookie in (Cookie.SESSION, Cookie.GUEST))
        return _page(request, 400, NO_TOKEN if has_cookie else NO_COOKIE, EXPIRED)
    own = error.detail if hasattr(error.detail, "interpolate") else ""
    return _page(request, error.status_code, own)


@exception_view_config(InputError, renderer="error.pt")
def wrong_input(error: InputError, request: Request) -> Any:
    """The response to a program whose input cannot be accepted: a sentence for each field."""
    return _response_to_program(request, error.status, request.reader.text(error.message), error.fields)


@exception_view_config(UnicodeDecodeError, renderer="error.pt")
def unreadable(error: UnicodeDecodeError, request: Request) -> Any:
    """The page for an address with bytes that are not text."""
    return _page(request, 400)


def _database_failed(error: Exception, request: Request) -> Any:
    """The page for a refusal by the database, with a way out if there is one. Retries first if that may help."""
    kind = classify(error)
    enough = kind != Failure.CONFLICT and request.environ[ATTEMPT] + 1 >= MOST_TRIES
    last = enough or is_last_attempt(request)
    if kind == Failure.OTHER or (kind == Failure.CHANGED_TABLES and last):
        return failed_by_our_mistake(error, request)
    # Writes may have been saved when the connection ended: only a read-only request is retried.
    read_in_vain = connection_ended(error) and request.method in SAFE_METHODS
    if not last and (kind in MAY_SUCCEED_NOW or read_in_vain):
        mark_error_retryable(error)
    log.warning("The database reports an error (%s): %s", kind, error)
    text = TROUBLES.get(kind, NOT_REACHED)
    return _page(request, 503, NOTHING_READ if text is NOTHING_SAVED and request.method in SAFE_METHODS else text)


@exception_view_config(OSError, renderer="error.pt")
def disk_failed(error: OSError, request: Request) -> Any:
    """The page for a full disk: sent forms are stored there while they are read, exports while they are written."""
    if not is_disk_full(error):
        return failed_by_our_mistake(error, request)
    log.warning("The disk is full: %s", error)
    return _page(request, 503, NO_ROOM if request.method in SAFE_METHODS else TROUBLES[Failure.DISK_FULL])


@exception_view_config(Exception, renderer="error.pt")
def failed_by_our_mistake(error: Exception, request: Request) -> Any:
    """The page for an unexpected exception: an error of ours."""
    # In Python's notation: a line break in an address must not start a new log line.
    log.error("%s %s %r", request.id, request.method, request.environ.get("PATH_INFO", ""), exc_info=error)
    return _page(request, 500)


def _await_declarations(event: BeforeRetry) -> None:
    """Retries a failed request whose tables were changed while it ran, with the new declarations."""
    if isinstance(event.exception, DatabaseError) and classify(event.exception) == Failure.CHANGED_TABLES:
        event.request.registry.live.settle(event.request.portal)


def includeme(config: Any) -> None:
    """Adds the pages for the database's errors, whose classes only its own layer knows."""
    config.add_subscriber(_await_declarations, BeforeRetry)
    for kind in DatabaseError:
        config.add_exception_view(_database_failed, context=kind, renderer="error.pt")


def _page(request: Request, status: int, text: str = "", heading: str = "") -> ErrorPage:
    # An error page does not use the database: the visitor is already known, or left out. Not found in a preview is
    # not an error.
    if "visitor" not in vars(request):
        request.visitor = Visitor()
    request.response.status_code = status
    if status == 503:
        request.response.headers.setdefault("Retry-After", RETRY_AFTER)
    known = status
    if status not in HEADINGS:
        known = 500 if status >= 500 else 400
    text = text or TEXTS.get(status, TEXTS.get(known, ""))
    if is_api_request(request):
        return _response_to_program(request, status, text)
    record_url = _address_of_record(request) if status == 409 else ""
    retry_url = _address_of_form(request) if status in (409, 429, 503) and not record_url else ""
    back_url = "" if record_url or retry_url else _address_before(request)
    drafts_url = "/account/" if (status in FORM_READ or text is NO_TOKEN) and keeps_form(request) else ""
    reasons = reasons_of_refusal(request) if status == 404 else ()
    reference = request.id if status >= 500 else ""
    return ErrorPage(
        status=status,
        heading=heading or HEADINGS[known],
        text=text,
        reference=reference,
        retry_url=retry_url,
        record_url=record_url,
        back_url=back_url,
        drafts_url=drafts_url,
        reasons=reasons,
    )


def _response_to_program(request: Request, status: int, text: str, fields: Mapping[str, str] = NO_FIELDS) -> Response:
    """The response to a program instead of an error page, as JSON."""
    reader, response = request.reader, request.response
    error: dict[str, Any] = {"error": reader.text(text)}
    if fields:
        error["fields"] = {name: reader.text(sentence) for name, sentence in fields.items()}
    if status >= 500:
        error["reference"] = request.id
    response.status_code, response.content_type, response.charset = status, "application/json", None
    response.body = json.dumps(error).encode()
    return response


def _sign_in_first(request: Request) -> Any:
    """From an error to the login page, which then returns to the previous page, or to that of the sent form. A program
    is told to send a token."""
    if is_api_request(request):
        request.response.headers["WWW-Authenticate"] = "Bearer"
        return _page(request, 401, request.visitor.ended)
    return HTTPSeeOther(f"/login?next={quote(_address_of_form(request), safe='')}")


def _address_of_record(request: Request) -> str:
    """The address of the record that caused an error, whose page shows what can be done now."""
    context = getattr(request, "context", None)
    record = find_interface(context, Record) if hasattr(context, "__parent__") else None
    return record.path if record else ""


def _address_of_form(request: Request) -> str:
    """Where an error leads after signing in: to the requested page, or to that of the sent form."""
    if request.method in SAFE_METHODS:
        return own_path(request.path_qs)
    return page_of_unsent_form(request) or referring_page(request)


def _address_before(request: Request) -> str:
    """The page with the form or the link; empty for home, which every error page offers. Reads nothing that was
    sent."""
    address = referring_page(request)
    return "" if address == "/" or (request.method in SAFE_METHODS and address == _own_address(request)) else address


def _own_address(request: Request) -> str:
    try:
        return own_path(request.path_qs)
    except UnicodeDecodeError:  # bytes that are not text
        return ""


def _address_after_renaming(request: Request) -> str:
    """Where a page not found is now, if its module had another name: links in old emails keep leading there."""
    if request.method not in SAFE_METHODS or is_api_request(request):
        return ""
    former, policy = request.view_name, request.policy
    name = policy.declaration.names_by_former.get(former) if isinstance(request.context, Root) else None
    if name is None or policy.access(name) is None:
        return ""
    return f"/{name}{_own_address(request).removeprefix(f'/{former}')}"


def _allowed_methods(request: Request) -> list[str]:
    """The methods of the views at this address that this person may use; empty if there is no such view."""
    allowed: set[str] = set()
    for view in _views(request):
        permitted = getattr(view["derived_callable"], "__permitted__", None)
        if permitted is None or permitted(request.context, request):
            methods = view["request_methods"] or ()
            allowed.update((methods,) if isinstance(methods, str) else methods)
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)


def _views(request: Request) -> list[Any]:
    if request.subpath:
        return []
    introspector, route = request.registry.introspector, _route_of(request)
    views = [item["introspectable"] for item in introspector.get_category("views")]
    named = [view for view in views if view["name"] == request.view_name and view["route_name"] == route]
    return [view for view in named if _applies_to(view, request.context)]


def _route_of(request: Request) -> str | None:
    return None if request.matched_route is None else str(request.matched_route.name)


def _applies_to(view: Any, context: Any) -> bool:
    declared = view["context"]
    if view["exception_only"] or declared is None:
        return False
    return isinstance(context, declared) if isinstance(declared, type) else declared in providedBy(context)

"""The checks on every request, and the headers of every response. The only place with tweens.

Rejected before any view: a foreign host or origin, a body that is too large, too many fields, bytes that are not text.
Nothing is repaired. The headers of the response tell browsers and search engines what they may do with it.
"""

import errno
from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPClientError,
    HTTPLengthRequired,
    HTTPRequestEntityTooLarge,
)
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW, INGRESS

from portal.texts import _
from portal.web.addresses import own_origins
from portal.web.api import is_api_request
from portal.web.compression import compress
from portal.web.cookies import Cookie, cookie_name, is_secure
from portal.web.form_limits import (
    LARGEST_ANONYMOUS,
    check_form_type,
    check_query,
    check_text,
    count_form,
    drop_body,
    is_form,
    keep_own_cookies,
    larger_than,
)
from portal.web.read_only_view import refuse_to_write
from portal.web.safe_methods import SAFE_METHODS, may_write
from portal.web.serving import knows_host

Handler = Callable[[Request], Response]

CONTENT = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
COPY_ERROR = "portal.copy_error"  # in the environment: why the body could not be copied
HEALTH = "/-/health"
FOR_MONITORS = (HEALTH, "/-/metrics")
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    # Nothing in a portal belongs in a search engine. Crawlers must see this header: views/static_files.py lets them.
    "X-Robots-Tag": "noindex, nofollow",
}


class ForeignOriginError(HTTPClientError):
    """A page of another site sent a request to the API: refused as the Model Context Protocol requires."""

    code, title = 403, "Forbidden"


def includeme(config: Configurator) -> None:
    """Adds the checks inside the error views, so that a refusal is a page, and the headers outside everything."""
    config.add_tween("portal.web.protection.add_headers", under=INGRESS)
    config.add_tween("portal.web.protection.check_requests", under=EXCVIEW)


def add_headers(handler: Handler, registry: Registry) -> Handler:
    """Adds the security headers to responses, except those that a view has set."""

    def tween(request: Request) -> Response:
        response = handler(request)
        present = {name.lower() for name, _value in response.headerlist}
        response.headerlist += [(name, value) for name, value in HEADERS.items() if name.lower() not in present]
        compress(request, response)
        if is_secure(request):
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    return tween


def check_requests(handler: Handler, registry: Registry) -> Handler:
    """Refuses a request that fails a check, before it reaches a view."""

    def tween(request: Request) -> Response:
        keep_own_cookies(request)
        _check_host(request)
        _check_origin(request)
        _check_body(request)
        check_text(request)
        if may_write(request):
            refuse_to_write(request)
        return handler(request)

    return tween


def _check_host(request: Request) -> None:
    if request.environ.get("PATH_INFO") in FOR_MONITORS:
        return  # they use IP addresses as hosts, and the response has no links
    # Two Host headers arrive as one with a comma, which does not match our host.
    if not knows_host(request, request.environ.get("HTTP_HOST", "")):
        raise HTTPBadRequest(_("This portal has a different address."))


def _check_origin(request: Request) -> None:
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.lower() not in own_origins(request)
    if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        kind = ForeignOriginError if is_api_request(request) else HTTPBadRequest
        raise kind(_("This request came from another site."))


def _check_body(request: Request) -> None:
    """Refuses a body that is too large, and parses none for a browser that cannot have a token or a session."""
    if error := request.environ.get(COPY_ERROR):
        raise error
    largest = request.registry.serving.largest_request
    if _is_refused_unread(request):
        kind = HTTPLengthRequired if request.content_length is None else HTTPRequestEntityTooLarge
        drop_body(request)
        raise kind(larger_than(largest))
    check_query(request)
    if not is_form(request):
        return
    check_form_type(request, largest)
    if _may_be_parsed(request):
        count_form(request)
    else:
        drop_body(request)


def _is_refused_unread(request: Request) -> bool:
    """Whether the body is larger than the limit, or of undeclared length: waitress measures such a body first; other
    servers would read for as long as the client sends."""
    length = request.content_length
    if length is None:
        return "HTTP_TRANSFER_ENCODING" in request.environ
    return length > int(request.registry.serving.largest_request)


def most_tries(request: Request) -> int | None:
    """How often pyramid_retry tries a request; None: the default. For a retry, the body is copied before anything is
    checked, unless it will be refused. A full disk is left to `check_requests`, whose errors have pages."""
    if _is_refused_unread(request):
        return 1
    try:
        request.make_body_seekable()
    except OSError as error:
        if not is_disk_full(error):
            raise
        drop_body(request)
        request.environ[COPY_ERROR] = error
        return 1
    return None


def is_disk_full(error: OSError) -> bool:
    """Whether a file could not be written because the disk is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _may_be_parsed(request: Request) -> bool:
    """Whether a body may be parsed as a form: without a session or a guest cookie there is no CSRF token, and a guest
    sends no more than a password."""
    if (request.content_length or 0) > LARGEST_ANONYMOUS or is_api_request(request):
        return request.visitor.identity is not None
    return any(cookie_name(request, cookie) in request.cookies for cookie in (Cookie.SESSION, Cookie.GUEST))

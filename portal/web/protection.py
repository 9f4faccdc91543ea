"""What every request has to pass, and what every answer bears. The one place of tweens.

A request is refused before anything looks into it: a host that is not ours, a foreign origin, too much, text that is
none. It never repairs what it refuses. The answer gets the headers that tell browsers what they may do with it.
"""

from collections.abc import Callable, Iterator

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW, INGRESS

from portal.texts import _
from portal.web.compression import compress
from portal.web.form_limits import count_fields, is_form, keep_own_cookies
from portal.web.serving import is_secure, knows_host, own_origins
from portal.web.visitor import SAFE_METHODS

Handler = Callable[[Request], Response]

CONTENT = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def includeme(config: Configurator) -> None:
    """Refuse inside of the error pages, so that a refusal is a page; put headers on outside of everything."""
    config.add_tween("portal.web.protection.add_headers", under=INGRESS)
    config.add_tween("portal.web.protection.check_requests", under=EXCVIEW)


def add_headers(handler: Handler, registry: Registry) -> Handler:
    """Answers bear what the browser may do with them; what a view has set itself stays."""

    def tween(request: Request) -> Response:
        response = handler(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        compress(request, response)
        if is_secure(request):
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    return tween


def check_requests(handler: Handler, registry: Registry) -> Handler:
    """Nothing that fails here reaches a view."""

    def tween(request: Request) -> Response:
        keep_own_cookies(request)
        _check_host(request)
        _check_origin(request)
        _check_size(request)
        _check_text(request)
        return handler(request)

    return tween


def _check_host(request: Request) -> None:
    # Two Host headers arrive as one with a comma, which is no host of ours.
    if not knows_host(request, request.environ.get("HTTP_HOST", "")):
        raise HTTPBadRequest(_("This portal has a different address."))


def _check_origin(request: Request) -> None:
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.lower() not in own_origins(request)
    if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise HTTPBadRequest(_("This request came from another site."))


def _check_size(request: Request) -> None:
    serving = request.registry.serving
    if (request.content_length or 0) > serving.largest_request:
        raise HTTPRequestEntityTooLarge(_("You sent more than the portal accepts at once."))
    fields = request.query_string.count("&")
    for number in count_fields(request) if is_form(request) else ():
        fields += number
        if fields >= serving.most_fields:
            break
    if fields >= serving.most_fields:
        raise HTTPRequestEntityTooLarge(_("This form has too many fields."))


def _check_text(request: Request) -> None:
    """Bytes that are no text, and characters that no database keeps, are refused before a view meets them."""
    try:
        texts = [request.path_info, *_texts(request.GET)]
        if is_form(request):
            texts += _texts(request.POST)
    except (ValueError, DeprecationWarning):  # no UTF-8, a broken multipart body; another encoding that was announced
        raise HTTPBadRequest(_("The address or the form contains something that is not text.")) from None
    if any("\x00" in text for text in texts):
        raise HTTPBadRequest(_("The address or the form contains something that is not text."))


def _texts(form: object) -> Iterator[str]:
    for name, value in form.items():
        yield name or "\x00"  # a part without a name is no field
        yield value if isinstance(value, str) else str(getattr(value, "filename", "") or "")

"""The portal's cookies: what each is called, and how one is set.

The guest cookie only anchors the CSRF token of forms that are sent before signing in.
"""

from pyramid.request import Request
from pyramid.response import Response

YEAR = 365 * 86_400
HOUR = 3_600


def session_cookie(request: Request) -> str:
    """The name of the session cookie; under https one that no neighboring host can set."""
    return _cookie_name(request, "portal_session")


def guest_cookie(request: Request) -> str:
    """The name of the cookie that anchors CSRF tokens before sign-in."""
    return _cookie_name(request, "portal_guest")


def device_cookie(request: Request) -> str:
    """The name of the cookie by which accounts know this browser, see accounts/devices.py."""
    return _cookie_name(request, "portal_device")


def language_cookie(request: Request) -> str:
    """The name of the cookie with the language chosen in this browser."""
    return _cookie_name(request, "portal_language")


def flash_cookie(request: Request) -> str:
    """The name of the cookie with the key of a flash message."""
    return _cookie_name(request, "portal_notice")


def invitation_cookie(request: Request) -> str:
    """The name of the cookie with the token of an invitation that is shown once, to the person who made it."""
    return _cookie_name(request, "portal_invitation")


def position_cookie(request: Request) -> str:
    """The name of the cookie with the position of the log after this browser's last change, see database/replica.py."""
    return _cookie_name(request, "portal_position")


def preview_cookie(request: Request) -> str:
    """The name of the cookie with the key of `portal preview`."""
    return _cookie_name(request, "portal_preview")


def draft_cookie(request: Request) -> str:
    """The name of the cookie that holds the key of a form sent after the session had ended."""
    return _cookie_name(request, "portal_draft")


def set_cookie(request: Request, response: Response, name: str, value: str | None, keep: int | None = None) -> None:
    """Set a cookie for this host, hidden from scripts, for `keep` seconds (None: until the browser closes).

    Without a `value` it is deleted.
    """
    options = {"path": "/", "httponly": True, "samesite": "Lax", "secure": is_secure(request)}
    response.set_cookie(name, value or "", max_age=0 if value is None else keep, **options)


def _cookie_name(request: Request, name: str) -> str:
    return f"__Host-{name}" if is_secure(request) else name


def is_secure(request: Request) -> bool:
    """Whether cookies are marked Secure: browsers use https."""
    base_url = request.portal.declaration.settings.base_url or ""
    return base_url.startswith("https://") or (request.scheme == "https" and not base_url)

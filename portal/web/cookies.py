"""The portal's cookies: their names, and how to read and set them."""

import enum

from pyramid.request import Request
from pyramid.response import Response

YEAR = 365 * 86_400
HOUR = 3_600


class Cookie(enum.StrEnum):
    """The cookies of the whole portal; those of lists are in views/lists/list_navigation.py."""

    SESSION = "portal_session"
    GUEST = "portal_guest"  # only anchors the CSRF token of forms sent before signing in
    DEVICE = "portal_device"  # identifies this browser to accounts, see accounts/devices.py
    CODE = "portal_code"  # for an account that has given its password but no second-factor code yet
    SINGLE_SIGN_ON = "portal_oidc"  # what the identity provider's response must match
    LANGUAGE = "portal_language"  # chosen in this browser
    FLASH = "portal_notice"  # the key of a flash message
    INVITATION = "portal_invitation"  # the token of an invitation, shown once to the person who created it
    POSITION = "portal_position"  # in the log, after this browser's last change, see database/replica.py
    PREVIEW = "portal_preview"  # the key of `portal preview`
    DRAFT = "portal_draft"  # the key of a form sent after the session had ended


def cookie_name(request: Request, cookie: Cookie) -> str:
    """The name of a cookie in browsers; with https, no neighboring host can set a cookie with this name."""
    return f"__Host-{cookie}" if is_secure(request) else cookie


def read_cookie(request: Request, cookie: Cookie) -> str:
    """The value of a cookie of this browser; empty if it has none."""
    return request.cookies.get(cookie_name(request, cookie), "")


def set_cookie(
    request: Request, response: Response, cookie: Cookie, value: str | None, keep: int | None = None
) -> None:
    """Sets a cookie for this host, hidden from scripts, for `keep` seconds (None: until the browser closes).

    Without a `value` it is deleted.
    """
    options = {"path": "/", "httponly": True, "samesite": "Lax", "secure": is_secure(request)}
    response.set_cookie(cookie_name(request, cookie), value or "", max_age=0 if value is None else keep, **options)


def is_secure(request: Request) -> bool:
    """Whether cookies are marked Secure: browsers use https."""
    base_url = request.portal.declaration.settings.base_url or ""
    return base_url.startswith("https://") or (request.scheme == "https" and not base_url)

"""The portal's cookies: what each is called, how one is read and set."""

import enum

from pyramid.request import Request
from pyramid.response import Response

YEAR = 365 * 86_400
HOUR = 3_600


class Cookie(enum.StrEnum):
    """The cookies that hold for the whole portal; those of lists are in views/lists/list_navigation.py."""

    SESSION = "portal_session"
    GUEST = "portal_guest"  # only anchors the CSRF token of forms that are sent before signing in
    DEVICE = "portal_device"  # by which accounts know this browser, see accounts/devices.py
    CODE = "portal_code"  # who has given the password and not yet the code of the second factor
    SINGLE_SIGN_ON = "portal_oidc"  # what the answer of the identity provider has to fit
    LANGUAGE = "portal_language"  # the one chosen in this browser
    FLASH = "portal_notice"  # the key of a flash message
    INVITATION = "portal_invitation"  # the token of an invitation that is shown once, to the person who made it
    POSITION = "portal_position"  # of the log after this browser's last change, see database/replica.py
    PREVIEW = "portal_preview"  # the key of `portal preview`
    DRAFT = "portal_draft"  # the key of a form sent after the session had ended


def cookie_name(request: Request, cookie: Cookie) -> str:
    """What browsers call a cookie; under https no neighboring host can set one of this name."""
    return f"__Host-{cookie}" if is_secure(request) else cookie


def read_cookie(request: Request, cookie: Cookie) -> str:
    """What a cookie of this browser holds; empty where it has none."""
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

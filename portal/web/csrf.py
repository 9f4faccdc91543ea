"""The CSRF token of every posting form, derived from a cookie so that nothing is stored.

After sign-in, it is bound to the session and ends with it; before, to a random cookie of the browser. Each page masks
it anew, so that the length of compressed pages does not reveal it (BREACH, see web/compression.py).
"""

import hashlib
import hmac
import re
import secrets

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import Request
from zope.interface import implementer

from portal.accounts.keys_and_tokens import new_token
from portal.web.cookies import Cookie, read_cookie, set_cookie

INPUT = "_csrf"
HEADER = "X-CSRF-Token"
MASKED_TOKEN = re.compile(r"[0-9a-f]{128}")
GUEST_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,60}")


@implementer(ICSRFStoragePolicy)
class CsrfTokens:
    """Pyramid's storage policy for tokens; stores none."""

    def new_csrf_token(self, request: Request) -> str:
        """A token for a browser without one."""
        return self.get_csrf_token(request)

    def get_csrf_token(self, request: Request) -> str:
        """The token for the forms of this request's page."""
        return _mask(_token_of(_session_secret(request) or request.guest))

    def check_csrf_token(self, request: Request, supplied: str) -> bool:
        """Whether `supplied` is this browser's token; one from a page opened before signing in stays valid."""
        secret_texts = (read_cookie(request, Cookie.GUEST), _session_secret(request))
        token = _unmask(supplied)
        return any([hmac.compare_digest(_token_of(secret), token) for secret in secret_texts if secret])


def guest_token(request: Request) -> str:
    """The random value of this browser's guest cookie; the response sets a new one if there is none."""
    current = read_cookie(request, Cookie.GUEST)
    if GUEST_TOKEN.fullmatch(current):
        return current
    created = new_token()
    request.add_response_callback(lambda request, response: set_cookie(request, response, Cookie.GUEST, created))
    return created


def _session_secret(request: Request) -> str | None:
    """What CSRF tokens of a session are bound to. A form from a preview is not valid outside it, and vice versa."""
    visitor, session = request.visitor, read_cookie(request, Cookie.SESSION)
    if visitor.identity is None or not session:
        return None
    return f"{session} {visitor.read_only_view.key}" if visitor.read_only_view else session


def _token_of(secret: str) -> bytes:
    return hashlib.sha256(f"form {secret}".encode("utf-8", "replace")).digest()


def _mask(token: bytes) -> str:
    mask = secrets.token_bytes(len(token))
    return (mask + _xor(mask, token)).hex()


def _unmask(supplied: object) -> bytes:
    if not isinstance(supplied, str) or not MASKED_TOKEN.fullmatch(supplied):
        return b""
    masked = bytes.fromhex(supplied)
    half = len(masked) // 2
    return _xor(masked[:half], masked[half:])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))

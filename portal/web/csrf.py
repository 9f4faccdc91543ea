"""The token that every posting form bears: derived from the cookie, so that nothing has to be kept for it.

Signed in it is bound to the session and dies with it. Before, it is bound to a random cookie of the browser. In
every page it is written differently, so that the length of compressed pages does not tell it (web/compression.py).
"""

import hashlib
import hmac
import re
import secrets

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import Request
from zope.interface import implementer

from portal.accounts.random_tokens import new_token
from portal.web.visitor import guest_cookie, session_cookie, set_cookie

INPUT = "_csrf"
HEADER = "X-CSRF-Token"
MASKED_TOKEN = re.compile(r"[0-9a-f]{128}")
GUEST_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,60}")


@implementer(ICSRFStoragePolicy)
class CsrfTokens:
    """Pyramid's storage of tokens, which stores none."""

    def new_csrf_token(self, request: Request) -> str:
        """A token of a browser that had none."""
        return self.get_csrf_token(request)

    def get_csrf_token(self, request: Request) -> str:
        """The token for the forms of this request's page."""
        if request.visitor.identity is not None:
            return _masked(_token_of(request.cookies[session_cookie(request)]))
        return _masked(_token_of(request.guest))

    def check_csrf_token(self, request: Request, supplied: str) -> bool:
        """A page that was opened before signing in, in another tab, may still be sent after it."""
        cookies = [request.cookies.get(guest_cookie(request))]
        if request.visitor.identity is not None:
            cookies.append(request.cookies.get(session_cookie(request)))
        given = _unmasked(supplied)
        return any([hmac.compare_digest(_token_of(cookie), given) for cookie in cookies if cookie])


def guest_token(request: Request) -> str:
    """The random value that this browser came with, or one that the answer gives it."""
    name = guest_cookie(request)
    found = request.cookies.get(name, "")
    if GUEST_TOKEN.fullmatch(found):
        return found
    made = new_token()
    request.add_response_callback(lambda request, response: set_cookie(request, response, name, made))
    return made


def _token_of(secret: str) -> bytes:
    return hashlib.sha256(f"form {secret}".encode("utf-8", "replace")).digest()


def _masked(token: bytes) -> str:
    mask = secrets.token_bytes(len(token))
    return (mask + _xor(mask, token)).hex()


def _unmasked(supplied: object) -> bytes:
    if not isinstance(supplied, str) or not MASKED_TOKEN.fullmatch(supplied):
        return b""
    both = bytes.fromhex(supplied)
    half = len(both) // 2
    return _xor(both[:half], both[half:])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))

"""The token that every posting form bears: derived from the cookie, so that nothing has to be kept for it.

Signed in it is bound to the session and dies with it. Before, it is bound to a random cookie of the browser.
"""

import hashlib
import hmac
import re

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import Request
from zope.interface import implementer

from portal.accounts.secrets import new_token
from portal.web.visits import guest_cookie, session_cookie, set_cookie

INPUT = "_csrf"
HEADER = "X-CSRF-Token"
SHAPE = re.compile(r"[A-Za-z0-9_-]{40,60}")


@implementer(ICSRFStoragePolicy)
class Tokens:
    """Pyramid's storage of tokens, which stores none."""

    def new_csrf_token(self, request: Request) -> str:
        """A token of a browser that had none."""
        return self.get_csrf_token(request)

    def get_csrf_token(self, request: Request) -> str:
        """The token for the forms of this request's page."""
        if request.visit.identity is not None:
            return _derived(request.cookies[session_cookie(request)])
        return _derived(request.guest)

    def check_csrf_token(self, request: Request, supplied: str) -> bool:
        """A page that was opened before signing in, in another tab, may still be sent after it."""
        cookies = [request.cookies.get(guest_cookie(request))]
        if request.visit.identity is not None:
            cookies.append(request.cookies.get(session_cookie(request)))
        given = supplied.encode("utf-8", "replace") if isinstance(supplied, str) else b""
        return any([hmac.compare_digest(_derived(cookie).encode(), given) for cookie in cookies if cookie])


def guest(request: Request) -> str:
    """The random value that this browser came with, or one that the answer gives it."""
    name = guest_cookie(request)
    found = request.cookies.get(name, "")
    if SHAPE.fullmatch(found):
        return found
    made = new_token()
    request.add_response_callback(lambda request, response: set_cookie(request, response, name, made))
    return made


def _derived(secret: str) -> str:
    return hashlib.sha256(f"form {secret}".encode("utf-8", "replace")).hexdigest()

"""One sentence that is said on the next page, after a redirect. The cookie carries a word, never the sentence."""

from pyramid.request import Request
from pyramid.response import Response

from portal.texts import _
from portal.web.visitor import flash_cookie, set_cookie

MESSAGES = {
    "signed-out": _("You have logged out."),
    "password-changed": _("Password changed. You have been logged out on all other devices."),
    "password-reset": _("Password changed. Sign in with your new password."),
    "created": _("Saved."),
    "edited": _("Saved."),
    "deleted": _("Deleted."),
    "moved": _("Done."),
    "commented": _("Comment added."),
}


def set_flash(request: Request, response: Response, word: str) -> Response:
    """Say the sentence of `word` on the page that `response` leads to."""
    set_cookie(request, response, flash_cookie(request), word, keep=60)
    return response


def flash_message(request: Request) -> str:
    """What is to be said on this page, once."""
    name = flash_cookie(request)
    word = request.cookies.get(name)
    if word is not None:
        request.add_response_callback(lambda request, response: _forget(request, response, name))
    return MESSAGES.get(word, "")


def _forget(request: Request, response: Response, name: str) -> None:
    # A page that only leads on does not show what was said: it stays for the next one.
    if response.status_code < 300 and f"{name}=" not in "".join(response.headers.getall("Set-Cookie")):
        set_cookie(request, response, name, None)

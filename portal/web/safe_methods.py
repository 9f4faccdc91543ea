"""Which requests only read: those whose method is safe, as HTTP says; but for the answer of an identity provider."""

from pyramid.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# The provider sends the browser here by GET. The `state` that it hands on is worth as much as the token of a form.
SIGN_IN_CALLBACK = "/login/oidc/callback"


def may_write(request: Request) -> bool:
    """Whether the request may write: its method is not safe, or it signs in."""
    return request.method not in SAFE_METHODS or request.environ.get("PATH_INFO") == SIGN_IN_CALLBACK

"""Which requests only read: those with a safe HTTP method, except for the response of an identity provider."""

from pyramid.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# The provider sends the browser here with GET. The `state` that it passes on protects as well as a form's token.
SIGN_IN_CALLBACK = "/login/oidc/callback"


def may_write(request: Request) -> bool:
    """Whether the request may write: its method is not safe, or it signs in."""
    return request.method not in SAFE_METHODS or request.environ.get("PATH_INFO") == SIGN_IN_CALLBACK

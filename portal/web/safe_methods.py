"""Which requests only read: those whose method is safe, as HTTP says."""

from pyramid.request import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def may_write(request: Request) -> bool:
    """Whether the request may write: its method is not safe."""
    return request.method not in SAFE_METHODS

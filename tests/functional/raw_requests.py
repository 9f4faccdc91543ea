"""Requests that no well-behaved client would make."""

import io
from typing import Any

from webob import Request, Response
from webtest import TestApp

FORM = "application/x-www-form-urlencoded"


def raw(app: TestApp, path: str = "/login", query: str = "", method: str = "GET", **environ: Any) -> Response:
    """The answer to a request that contains only what is given here."""
    request = Request.blank("/", method=method)
    request.environ.update({"PATH_INFO": path, "QUERY_STRING": query, **environ})
    return request.get_response(app.app)


def cookies_of(app: TestApp) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in app.cookiejar)


def post(app: TestApp, body: bytes, content_type: str = FORM, path: str = "/login", **environ: Any) -> Response:
    """The answer to a body of any kind, sent with the browser's cookies."""
    sent = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type}
    sent["webob.is_body_seekable"] = True  # like the server's: it need not be copied to a file
    return raw(app, path, method="POST", **{"HTTP_COOKIE": cookies_of(app), **sent, **environ})

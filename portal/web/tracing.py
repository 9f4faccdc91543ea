"""Traces each request: its id, which is in the response and in every log line, its time, and what made it slow."""

import logging
import time
from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import INGRESS

from portal.logs import LONGEST_STATEMENT, Trace, current_trace
from portal.mail.letter_text import TOKEN
from portal.web.api import is_api_request
from portal.web.metrics import Metrics

Handler = Callable[[Request], Response]
HEADER = "X-Request-Id"

log = logging.getLogger(__name__)


def includeme(config: Configurator) -> None:
    """Traces requests outside everything else, so that the time covers the whole request."""
    config.add_tween("portal.web.tracing.trace_request", under=INGRESS)


def trace_request(handler: Handler, registry: Registry) -> Handler:
    """Gives each request its id, and reports it to log and metrics when it is answered."""
    metrics, serving = registry.metrics, registry.serving

    def tween(request: Request) -> Response:
        trace = Trace(request.id)
        token, began = current_trace.set(trace), time.perf_counter()
        try:
            response = handler(request)
            response.headers[HEADER] = trace.id
            seconds = time.perf_counter() - began
            _tell(request, response, trace, seconds, metrics)
            if seconds >= serving.slow_page:
                _warn(request, trace, seconds)
            return response
        finally:
            current_trace.reset(token)

    return tween


def _tell(request: Request, response: Response, trace: Trace, seconds: float, metrics: Metrics) -> None:
    page = _page_name(request, response)
    metrics.count_request(page, response.status_code, seconds, trace)
    if request.registry.serving.logs_requests:
        facts = {
            "method": request.method,
            "path": _shown_path(request),
            "page": page,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "statements": trace.statements,
            "database_milliseconds": round(trace.seconds * 1000, 1),
        }
        log.info("%s %s %s", request.method, facts["path"], response.status_code, extra={"facts": facts})


def _warn(request: Request, trace: Trace, seconds: float) -> None:
    statement = " ".join(trace.slowest_statement.split())[:LONGEST_STATEMENT]
    log.warning(
        "Slow page: %s %s took %.1f s, %.1f s of it for %s statements; the slowest took %.1f s: %s",
        request.method,
        _shown_path(request),
        seconds,
        trace.seconds,
        trace.statements,
        trace.slowest,
        statement or "none",
    )


def _page_name(request: Request, response: Response) -> str:
    """The kind of a traced page: resource and view. Only few names exist, whatever addresses strangers invent."""
    context = vars(request).get("context")
    if context is None or response.status_code in (404, 405):
        return "static" if request.environ.get("PATH_INFO", "").startswith("/static/") else "none"
    name = "/".join(filter(None, (type(context).__name__, request.view_name)))
    return f"api/{name}" if is_api_request(request) else name


def _shown_path(request: Request) -> str:
    """The path of a traced request in Python's notation, so that it stays on one line; without tokens of links.

    It does not contain search texts.
    """
    path = TOKEN.sub("…", request.environ.get("PATH_INFO", ""))
    return path if path.isprintable() else path.encode("unicode_escape").decode("ascii")

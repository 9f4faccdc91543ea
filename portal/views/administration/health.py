"""`/-/health`, for monitors and load balancers: 200 while the portal can answer, 503 while its database does not.

That is public. The figures, here and for Prometheus at `/-/metrics`, are for administrators, and for requests with the
token of PORTAL_MONITOR_TOKEN.
"""

import hmac

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.web.metrics import CONTENT_TYPE
from portal.web.resources import Administration
from portal.web.security import ADMINISTER
from portal.web.serving import is_local_development


@view_config(context=Administration, name="health", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_health(context: Administration, request: Request) -> Response:
    """`GET /-/health`: `?live` only checks whether the process answers."""
    if "live" in request.GET:
        return Response(json_body={"status": "live"})
    health = request.registry.probe.health()
    if health is None:
        return Response(json_body={"status": "database does not answer"}, status=503, headers={"Retry-After": "5"})
    status = {"status": "behind" if health.behind else "ok"}
    return Response(json_body=status | (health.details() if _may_monitor(request) else {}))


@view_config(context=Administration, name="metrics", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_metrics(context: Administration, request: Request) -> Response:
    """`GET /-/metrics`: the requests of this process, and the backlog of the whole portal."""
    health = request.registry.probe.health()
    if not _may_monitor(request):
        raise HTTPNotFound
    return Response(request.registry.metrics.text(health), headerlist=[("Content-Type", CONTENT_TYPE)])


def _may_monitor(request: Request) -> bool:
    """Whether the figures may be shown: to administrators, with the token, or in development on this machine."""
    token = request.registry.serving.monitor_token
    authorization = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(authorization.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        return True
    return is_local_development(request) or bool(request.has_permission(ADMINISTER))

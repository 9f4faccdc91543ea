"""The special handling of requests from programs: everything below `/api/`, answered by the same resource tree.

They have the rights of their token, and no cookie: what a browser sends on its own opens nothing here, so that no page
of another site can use the API, and no form token is needed.
"""

from pyramid.config import Configurator
from pyramid.events import ContextFound, subscriber
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from portal.accounts.attempts import API_CHANGES, check_attempt
from portal.web.addresses import API, API_ROUTE, MCP, MCP_ROUTE
from portal.web.resources import ToolServer
from portal.web.safe_methods import may_write


def includeme(config: Configurator) -> None:
    """Adds the routes for programs: views without a route name, which are the pages, are not found below `/api/`.

    The route for assistants comes first, so that no module can hide it, whatever its name.
    """
    config.add_route(MCP_ROUTE, MCP, factory=ToolServer)
    config.add_route(API_ROUTE, f"{API}*traverse")


def is_api_request(request: Request) -> bool:
    """Whether the request goes to the API; works before its route is known."""
    return f"{request.environ.get('PATH_INFO', '')}/".startswith(API)


@subscriber(ContextFound)
def limit_changes(event: ContextFound) -> None:
    """Called after traversal to limit runaway programs. Raises TooManyAttemptsError."""
    request = event.request
    if request.matched_route is None or request.matched_route.name != API_ROUTE:
        return
    if request.subpath:
        raise HTTPNotFound
    identity = request.visitor.identity
    if identity is not None and may_write(request):
        tables = request.portal.tables
        check_attempt(request.connection, tables, API_CHANGES, str(identity.account.id), request.now)

"""What is particular to requests of programs: everything below `/api/`, which the same tree of resources answers.

They have the rights of the token that they send, and no cookie: what a browser sends by itself opens nothing here, so
that no page of another site can use the API, and no form token is needed.
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
    """Adds the routes of programs: views without their name, which are the pages, are not found below `/api/`.

    That of assistants comes first: no module hides it, whatever it is called.
    """
    config.add_route(MCP_ROUTE, MCP, factory=ToolServer)
    config.add_route(API_ROUTE, f"{API}*traverse")


def is_api_request(request: Request) -> bool:
    """Whether the request is one to the API; also before its route is known."""
    return f"{request.environ.get('PATH_INFO', '')}/".startswith(API)


@subscriber(ContextFound)
def limit_changes(event: ContextFound) -> None:
    """Called after traversal: a program that runs wild is slowed down. Raises TooManyAttemptsError."""
    request = event.request
    if request.matched_route is None or request.matched_route.name != API_ROUTE:
        return
    if request.subpath:
        raise HTTPNotFound
    identity = request.visitor.identity
    if identity is not None and may_write(request):
        tables = request.portal.tables
        check_attempt(request.connection, tables, API_CHANGES, str(identity.account.id), request.now)

"""One address per page: a missing last slash redirects to the address with it, trailing segments are not found.

Also tells which methods an address accepts, for the Allow header of 405.
"""

from typing import Any

from pyramid.events import ContextFound, subscriber
from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from pyramid.request import Request
from zope.interface import providedBy

from portal.web.resources import Account, Module, Record


@subscriber(ContextFound)
def redirect_to_canonical(event: ContextFound) -> None:
    """Called after traversal, before the view lookup."""
    request = event.request
    if request.matched_route is not None:
        return
    if request.subpath:
        raise HTTPNotFound
    is_folder = isinstance(request.context, Account | Module | Record) and not request.view_name
    if is_folder and request.method in ("GET", "HEAD") and not request.path_info.endswith("/"):
        # Built from the resource tree: “//evil.example/../tickets” traverses to the same record, but as a redirect
        # it would lead to another host.
        raise HTTPMovedPermanently(request.context.path + (f"?{request.query_string}" if request.query_string else ""))


def allowed_methods(request: Request) -> list[str]:
    """The methods of the views at this address that this person may use; empty where there is no such view."""
    allowed: set[str] = set()
    for view in _views(request):
        permitted = getattr(view["derived_callable"], "__permitted__", None)
        if permitted is None or permitted(request.context, request):
            methods = view["request_methods"] or ()
            allowed.update((methods,) if isinstance(methods, str) else methods)
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)


def _views(request: Request) -> list[Any]:
    if request.subpath:
        return []
    views = [item["introspectable"] for item in request.registry.introspector.get_category("views")]
    return [view for view in views if view["name"] == request.view_name and _applies_to(view, request.context)]


def _applies_to(view: Any, context: Any) -> bool:
    declared = view["context"]
    if view["route_name"] is not None or view["exception_only"] or declared is None:
        return False
    return isinstance(context, declared) if isinstance(declared, type) else declared in providedBy(context)

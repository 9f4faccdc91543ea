"""One address per page: what lacks its last slash leads there, what goes on behind a page is not found.

And which methods an address knows, for the answer to a wrong one.
"""

from typing import Any

from pyramid.events import ContextFound, subscriber
from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from pyramid.request import Request
from zope.interface import providedBy

from portal.web.resources import Module, Record


@subscriber(ContextFound)
def redirect_to_canonical(event: ContextFound) -> None:
    """Called when the tree has been walked, before a view is looked for."""
    request = event.request
    if request.matched_route is not None:
        return
    if request.subpath:
        raise HTTPNotFound
    named_like_a_folder = isinstance(request.context, Module | Record) and not request.view_name
    if named_like_a_folder and request.method in ("GET", "HEAD") and not request.path_info.endswith("/"):
        # The tree's own address: “//evil.example/../tickets” leads to the same record, but as an address elsewhere.
        raise HTTPMovedPermanently(request.context.path + (f"?{request.query_string}" if request.query_string else ""))


def allowed_methods(request: Request) -> list[str]:
    """The methods of the views of this address that this person may use; none where there is no such view for them."""
    found: set[str] = set()
    for view in _views(request):
        permitted = getattr(view["derived_callable"], "__permitted__", None)
        if permitted is None or permitted(request.context, request):
            methods = view["request_methods"] or ()
            found.update((methods,) if isinstance(methods, str) else methods)
    return sorted(found | {"HEAD"} if "GET" in found else found)


def _views(request: Request) -> list[Any]:
    if request.subpath:
        return []
    views = [item["introspectable"] for item in request.registry.introspector.get_category("views")]
    return [view for view in views if view["name"] == request.view_name and _fits(view, request.context)]


def _fits(view: Any, context: Any) -> bool:
    wanted = view["context"]
    if view["route_name"] is not None or view["exception_only"] or wanted is None:
        return False
    return isinstance(context, wanted) if isinstance(wanted, type) else wanted in providedBy(context)

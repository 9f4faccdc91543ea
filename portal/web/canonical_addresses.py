"""One address per page: a missing trailing slash redirects, extra segments are not found."""

from pyramid.events import ContextFound, subscriber
from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound

from portal.web.resources import Account, Module, Record


@subscriber(ContextFound)
def redirect_to_canonical(event: ContextFound) -> None:
    """Redirects to the one address of a page, after traversal, before the view lookup."""
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

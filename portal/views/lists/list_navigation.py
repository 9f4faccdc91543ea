"""From a record back to the list from which it was opened, and on to its next and previous record.

The browser says which list led to a record (Referer), with its search, filters, order and page. A cookie with the
record's own path keeps it for the forms of the record and for the page after them; static/js/return-to-list.js corrects
it if a record is open in two tabs. Only a request that does not say where it comes from returns to the list last seen
in the browser.

Work on a record may move it: a list with the newest change first immediately has it on top. So its place when it was
opened is kept, and navigation continues from there. Nothing is looked up until someone navigates.
"""

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from webob.multidict import MultiDict

from portal.records.reading.records import Query
from portal.views.lists.filters import Parameters
from portal.views.lists.shown_list import PANEL, PLACE, VIEW, shown_list
from portal.web.addresses import list_address, record_address, referring_page
from portal.web.cookies import is_secure
from portal.web.flash import set_flash
from portal.web.resources import Record

LAST_LIST = "list"  # the cookie with the query of the list last seen in the browser, one per module path
LIST_OF_RECORD = "portal_list"  # the cookie with the query of the list that led to a record, by the record's path
PLACE_OF_RECORD = "portal_place"  # the cookie with its place in that list
LONGEST_QUERY = 3_000  # characters
COOKIE_LIFETIME = 86_400  # seconds


def remember_list(request: Request, module: str) -> None:
    """Keeps the query of this list in a cookie, for the way back from records opened without a referrer."""
    _set_cookie(request, LAST_LIST, request.query_string, list_address(module))


def back_to_list(resource: Any, request: Request) -> str:
    """The link from a record back to the list that led to it."""
    return list_of_query(resource.module_name, list_query(resource, request) or "")


def list_of_query(module: str, query: str) -> str:
    """The list for a query from a cookie or a referring page."""
    return list_address(module, _parameters_of(query))


def _parameters_of(query: str) -> Parameters:
    """The parameters of a list's address. With a view, an empty one has a meaning: it removes the view's."""
    pairs = parse_qsl(query[:LONGEST_QUERY], keep_blank_values=True)
    in_view = any(name == VIEW for name, _value in pairs)
    return [(name, value) for name, value in pairs if name != PANEL and (value or in_view)]


def list_query(resource: Any, request: Request) -> str | None:
    """The query of the list that led to this page, kept for later requests; None if no list is known."""
    query = _referring_query(resource, request)
    current = request.cookies.get(LIST_OF_RECORD) if isinstance(resource, Record) else None
    if query is None:
        query = current
    if query is None and _names_no_list(resource, request):
        query = request.cookies.get(LAST_LIST)
    if isinstance(resource, Record) and (query or "") != (current or ""):
        _set_cookie(request, LIST_OF_RECORD, query or "", resource.path, COOKIE_LIFETIME)
    return query


def _keep_list(request: Request, module: str, record_id: int, query: str) -> None:
    _set_cookie(request, LIST_OF_RECORD, query, record_address(module, record_id), COOKIE_LIFETIME)


def _keep_place(request: Request, module: str, record_id: int, place: str) -> None:
    _set_cookie(request, PLACE_OF_RECORD, place, record_address(module, record_id), COOKIE_LIFETIME)


def _names_no_list(resource: Any, request: Request) -> bool:
    """Whether the request does not name its list: it comes from no page, or from one of the record itself."""
    own = resource.path if isinstance(resource, Record) else None
    return not request.headers.get("Referer") or (own is not None and referring_page(request).startswith(own))


def _referring_query(resource: Any, request: Request) -> str | None:
    """The query of the list that the request comes from; None if that is not a list of the module."""
    page = urlsplit(referring_page(request))
    return page.query[:LONGEST_QUERY] if page.path == list_address(resource.module_name) else None


def _set_cookie(request: Request, name: str, query: str, path: str, keep: int | None = None) -> None:
    # Commas and semicolons end a cookie's value in some browsers.
    value = quote(query[:1000], safe="%=&+", encoding="latin-1")[:LONGEST_QUERY]
    request.response.set_cookie(
        name, value, path=path, max_age=keep, httponly=True, samesite="Lax", secure=is_secure(request)
    )


def remember_place(resource: Record, request: Request) -> None:
    """Keeps the record's place in the list that led to it, for its next and previous record."""
    text = _referring_query(resource, request)
    if text is not None:
        place = resource.records.place(_query_of(resource, request, text), resource.record.id)
        _keep_place(request, resource.module_name, resource.record.id, place)


@view_config(context=Record, name="next", request_method="GET")
def show_next(resource: Record, request: Request) -> Response:
    """`GET /MODULE/ID/next`: leads to the next record of the list."""
    return _record_beside(resource, request, backwards=False)


@view_config(context=Record, name="previous", request_method="GET")
def show_previous(resource: Record, request: Request) -> Response:
    """`GET /MODULE/ID/previous`: leads to the previous record of the list."""
    return _record_beside(resource, request, backwards=True)


def _record_beside(resource: Record, request: Request, backwards: bool) -> Response:
    """Redirects to the neighbor in the list, or back to the list if there is none."""
    records, module = resource.records, resource.module_name
    text = list_query(resource, request) or ""
    query, place = _query_of(resource, request, text), request.cookies.get(PLACE_OF_RECORD, "")
    neighbor = records.beside(query, resource.record.id, place, backwards)
    if neighbor is None:
        response = HTTPSeeOther(list_of_query(module, text))
        return set_flash(request, response, "list-begins" if backwards else "list-ends")
    _keep_list(request, module, neighbor.id, text)
    _keep_place(request, module, neighbor.id, records.place(query, neighbor.id))
    cookies = [("Set-Cookie", cookie) for cookie in request.response.headers.getall("Set-Cookie")]
    return HTTPSeeOther(record_address(module, neighbor.id), headers=cookies)


def _query_of(resource: Record, request: Request, text: str) -> Query:
    """The list from which a record was opened, by its address, for “next record”."""
    parameters = MultiDict(pair for pair in _parameters_of(text) if pair[0] not in PLACE)
    return shown_list(resource.records, request, parameters).request.query

"""The next and the previous record of the list from which a record was opened: same tab, search, filters and order.

A record that is worked on may move: a list that begins with the newest change has it on top at once. So the place where
it stood when it was opened is kept, and one goes on from there. Nothing is looked up until somebody wants to go on.
"""

from urllib.parse import parse_qsl

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from webob.multidict import MultiDict

from portal.records.reading.records import Query
from portal.views.lists.return_to_list import (
    LONGEST_QUERY,
    PLACE_OF_RECORD,
    keep_list,
    keep_place,
    list_of_query,
    list_query,
    referring_query,
)
from portal.views.lists.shown_request import PLACE, shown_request
from portal.web.addresses import record_address
from portal.web.flash import set_flash
from portal.web.resources import Record


def remember_place(resource: Record, request: Request) -> None:
    """Keeps where the record stands in the list that led to it."""
    text = referring_query(resource, request)
    if text is not None:
        place = resource.records.place(query_of(resource, request, text), resource.record.id)
        keep_place(request, resource.module_name, resource.record.id, place)


@view_config(context=Record, name="next", request_method="GET")
def show_next(resource: Record, request: Request) -> Response:
    """`/MODULE/ID/next`"""
    return beside(resource, request, backwards=False)


@view_config(context=Record, name="previous", request_method="GET")
def show_previous(resource: Record, request: Request) -> Response:
    """`/MODULE/ID/previous`"""
    return beside(resource, request, backwards=True)


def beside(resource: Record, request: Request, backwards: bool) -> Response:
    """Leads to the neighbour in the list; back to the list where there is none."""
    records, module = resource.records, resource.module_name
    text = list_query(resource, request) or ""
    query, place = query_of(resource, request, text), request.cookies.get(PLACE_OF_RECORD, "")
    neighbour = records.beside(query, resource.record.id, place, backwards)
    if neighbour is None:
        answer = HTTPSeeOther(list_of_query(module, text))
        return set_flash(request, answer, "list-begins" if backwards else "list-ends")
    keep_list(request, module, neighbour.id, text)
    keep_place(request, module, neighbour.id, records.place(query, neighbour.id))
    cookies = [("Set-Cookie", cookie) for cookie in request.response.headers.getall("Set-Cookie")]
    return HTTPSeeOther(record_address(module, neighbour.id), headers=cookies)


def query_of(resource: Record, request: Request, text: str) -> Query:
    """The list from which a record was opened, by its address: what “next record” goes through."""
    pairs = [pair for pair in parse_qsl(text[:LONGEST_QUERY]) if pair[0] not in PLACE]
    return shown_request(resource.records, request, MultiDict(pairs)).query

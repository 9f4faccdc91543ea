"""Watchers of a record for programs."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from portal.fields.refused import Refused, json_text
from portal.records.writing.errors import NotAllowedError
from portal.records.writing.watching import watching_people
from portal.texts import _
from portal.views.api.body import read_body
from portal.views.api.input_error import UNKNOWN, InputError
from portal.views.api.responses import api_view_config
from portal.views.records.watching import NOBODY_CHOSEN, chosen_person
from portal.web.resources import RecordWatcher, RecordWatchers

PERSON, ADDRESS = "person", "address"


@api_view_config(context=RecordWatchers, name="", request_method="GET")
def list_watchers(resource: RecordWatchers, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE/ID/watchers`: who watches the record, as far as the reader may know."""
    people = watching_people(resource.records, resource.record)
    return {"watchers": [{"id": person.id, "name": person.name} for person in people]}


@api_view_config(context=RecordWatchers, name="", request_method="POST", permission="watch")
def add_watcher(resource: RecordWatchers, request: Request) -> dict[str, Any]:
    """`POST /api/MODULE/ID/watchers`: adds a `person` by id, or by their `address`."""
    body = read_body(request)
    if unknown := {name: UNKNOWN for name in body if name not in (PERSON, ADDRESS)}:
        raise InputError(unknown)
    name = PERSON if PERSON in body else ADDRESS
    try:
        chosen = chosen_person(resource.records, json_text(body.get(PERSON)), json_text(body.get(ADDRESS)))
        if chosen is None:
            raise Refused(NOBODY_CHOSEN)
        request.writer(resource.records).watch(resource.record, chosen)
    except NotAllowedError:
        raise InputError({name: _("Choose someone from the list.")}) from None
    except Refused as refused:
        raise InputError({name: refused.message}) from None
    request.response.status_code = 201
    return list_watchers(resource, request)


@api_view_config(context=RecordWatcher, name="", request_method="DELETE")
def remove_watcher(resource: RecordWatcher, request: Request) -> Response:
    """`DELETE /api/MODULE/ID/watchers/PERSON`: removes a watcher; everyone may remove themselves."""
    request.writer(resource.records).unwatch(resource.record, int(resource.__name__))
    return Response(status=204)

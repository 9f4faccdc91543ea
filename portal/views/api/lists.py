"""The modules and the lists of records for programs, with the same parameters as the addresses of the pages."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pyramid.request import Request

from portal.declaration.shapes import display_name
from portal.records.reading.as_json import record_json
from portal.records.reading.filters import filter_inputs, filterable
from portal.records.reading.list_request import ListRequest, read_list_request
from portal.records.reading.records import Records
from portal.texts import _
from portal.views.api.input_error import InputError
from portal.views.api.responses import CHANGED, api_view_config
from portal.web.addresses import api_address, own_url
from portal.web.form_input import whole_number
from portal.web.resources import Module, Root

LIMIT, MOST_RECORDS = "_limit", 200
PLACE = ("after", "before")
WRONG_PARAMETERS = _("The address has parameters that cannot be read.")
NO_PARAMETER = _("There is no such parameter.")


@api_view_config(context=Root, name="", request_method="GET")
def list_modules(root: Root, request: Request) -> dict[str, Any]:
    """`GET /api/`: the modules that the profile has."""
    policy = request.policy
    modules = [
        {
            "name": name,
            "label": request.reader.text(display_name(access)),
            "records": own_url(request, api_address(name)),
            "can": sorted(access.can),
        }
        for name, access in policy.modules.items()
    ]
    return {"modules": modules, "account": request.identity.account.email, "profile": policy.profile.name}


@api_view_config(context=Module, name="", request_method="GET")
def list_records(module: Module, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE`: a page of the list, with every field that may be read, and the addresses of its neighbors."""
    records = module.records
    list_request = read_list_request(records, request.GET, first_tab=False)
    if wrong := dict(_wrong_parameters(records, list_request, request)):
        raise InputError(wrong, WRONG_PARAMETERS, 400)
    size = whole_number(request.GET.get(LIMIT, "")) or list_request.query.size
    page = records.page(replace(list_request.query, size=min(size, MOST_RECORDS)), records.module.everything)
    if request.GET.get("after") and page.first:  # a program that follows `next` would start over forever
        raise InputError({"after": CHANGED}, WRONG_PARAMETERS, 400)
    return {
        "records": [record_json(records, record) for record in page.records],
        "next": _address_of_page(request, records, "after", page.next),
        "previous": _address_of_page(request, records, "before", page.previous),
    }


def _wrong_parameters(records: Records, list_request: ListRequest, request: Request) -> Iterator[tuple[str, str]]:
    """The parameters that a page would ignore: a program would take all records for those it requested."""
    of_filters = {name for field in filterable(records) for name in filter_inputs(field)}
    known = {*of_filters, "q", "tab", "sort", "button", LIMIT, *PLACE}
    for name, value in request.GET.items():
        if name not in known or (name.endswith(".empty") and value != "1"):
            yield name, NO_PARAMETER
    for name, chosen in list_request.filters.items():
        if chosen.error:
            yield name, chosen.error
    if error := next(list_request.search.all_errors, ""):
        yield "q", error
    for name, understood in (("tab", list_request.tab), ("button", list_request.button)):
        if request.GET.get(name, "") != understood:
            yield name, NO_PARAMETER
    if set(request.GET.getall("sort")) != set(list_request.query.sort):
        yield "sort", NO_PARAMETER
    size = request.GET.get(LIMIT)
    if size is not None and not whole_number(size):
        yield LIMIT, _("Enter a whole number.")


def _address_of_page(request: Request, records: Records, name: str, key: str) -> str | None:
    others = [(other, value) for other, value in request.GET.items() if other not in PLACE]
    return own_url(request, f"{api_address(records.name)}?{urlencode([*others, (name, key)])}") if key else None

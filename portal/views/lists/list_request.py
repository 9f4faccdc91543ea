"""What a list shows at an address: what its parameters ask for, without the records that the reader has hidden."""

from pyramid.request import Request

from portal.conditions import only_these_records
from portal.fields.protocols import Form
from portal.records.reading.list_request import ListRequest, narrow_list_request, read_list_request
from portal.records.reading.records import Records
from portal.views.lists.filters import Parameters

# Parameters of the address that a link to another order, tab or page leaves out.
PLACE = ("after", "before")


def shown_request(records: Records, request: Request, parameters: Form) -> ListRequest:
    """The list that the parameters ask for, without what the reader has hidden; `_hidden=1`: that alone.

    A search is for all records.
    """
    list_request = read_list_request(records, parameters)
    if parameters.get("_hidden") == "1":
        return narrow_list_request(list_request, only_these_records(request.news.hidden(records)))
    return list_request if list_request.query.text else narrow_list_request(list_request, request.news.shown(records))


def parameters_of(request: Request) -> Parameters:
    """What links to another order, tab or page of the list keep of the address."""
    return [(name, value) for name, value in request.GET.items() if name not in PLACE and value]

"""Search in all modules, and what a link input offers as one types."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import always
from portal.records.reading.records import Query, Records
from portal.records.writing.defaults import defaults
from portal.records.writing.validation import choices, depends_on, names_in, read_form
from portal.views.addresses import list_address, record_address
from portal.views.lists import counted
from portal.views.pages import Hit, HitsOfModule, SearchPage
from portal.views.parts import Moment
from portal.views.values import moment
from portal.web.resources import Module, Root

HITS = 5  # of each module


@view_config(context=Root, name="search", request_method="GET", renderer="search.pt")
def search_everywhere(root: Root, request: Request) -> dict[str, Any]:
    """`/search?q=`: the newest hits of every enabled module."""
    text = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:1000]
    groups = [group for module in request.policy.modules if text and (group := hits_of(request, module, text))]
    return {"page": SearchPage(text, tuple(groups))}


def hits_of(request: Request, module: str, text: str) -> HitsOfModule | None:
    """The newest hits of one module; None without any."""
    records = Records(request.connection, request.policy, module)
    query = Query(text=text, size=HITS)
    names = [name for name in ("modified",) if name in request.policy.readable(module)]
    page = records.page(query, names)
    if not page.rows:
        return None
    hits = (
        Hit(
            record.title,
            record_address(module, record.id),
            record.reference,
            _when(request, record.values.get("modified")),
        )
        for record in page.rows
    )
    count = counted(records.count(query), request.reader)
    return HitsOfModule(records.access.label, records.access.icon or "square", tuple(hits), count, _all(records, text))


def _all(records: Records, text: str) -> str:
    """The module's list with the same search, in the tab that leaves nothing out where there is one."""
    tabs = records.access.list.tabs or {}
    widest = next((name for name, tab in tabs.items() if always(tab.where)), "")
    return list_address(records.name, {"q": text} | ({"tab": widest} if widest else {}))


def _when(request: Request, at: Any) -> Moment:
    return moment(at, request.reader) if at else Moment("", "")


@view_config(context=Module, name="find", request_method="GET", renderer="json")
def find_linked(module: Module, request: Request) -> list[dict[str, Any]]:
    """`/MODULE/find?q=&field=`: the records that a link offers, by title; other inputs of the form may narrow them."""
    records = module.records
    field = records.module.fields.get(request.GET.get("field", ""))
    if field is None or not field.targets or field.name not in findable(records):
        raise HTTPNotFound
    fixed = [records.module.field(name) for name in depends_on(field)]
    values = defaults(records.connection, records.policy, records.module)
    values |= read_form(records, [each for each in fixed if each.has_input(request.GET)], request.GET, values).values
    found = []
    for target in field.targets:
        offered = choices(records, field, target, values) if request.policy.access(target) else None
        for identity, title in offered.find(request.GET.get("q", "").replace("\x00", "")[:200]) if offered else ():
            found.append({"id": f"{target}:{identity}" if field.several_targets else identity, "title": title})
    return found


def findable(records: Records) -> set[str]:
    """The links that this reader chooses in a form or filters by: readable ones, and what a transition asks for."""
    found = set(records.policy.readable(records.name))
    for action, layout in (("create", records.access.create), ("edit", records.access.edit)):
        if records.policy.may(records.name, action):
            found |= set(names_in(layout))
    for name, transition in (records.module.lifecycle.transitions if records.module.lifecycle else {}).items():
        if records.policy.may(records.name, name):
            found |= set(transition.ask)
    return found

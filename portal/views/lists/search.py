"""Search in all modules, and what a link input offers as one types."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.fields.protocols import Form
from portal.fields.row import row_in
from portal.fields.value_path import value_path
from portal.records.reading import highlight
from portal.records.reading.records import Records
from portal.records.reading.row_records import rows_of
from portal.records.reading.search_everywhere import ModuleHits, hits_everywhere
from portal.records.writing.defaults import defaults
from portal.records.writing.form_conditions import depends_on, offered_records
from portal.records.writing.validation import follow_again, names_in, read_form, typed_fields
from portal.views.displays import moment
from portal.views.forms.forms import with_titles
from portal.views.lists.match_notes import match_notes
from portal.views.lists.tabs import widest_tab
from portal.views.pages import SearchPage
from portal.views.parts import Hit, HitsOfModule, Moment
from portal.views.wording import count_text
from portal.web.addresses import list_address, record_address
from portal.web.resources import Module, Root

HITS = 5  # of each module


@view_config(context=Root, name="search", request_method="GET", renderer="search.pt")
def search_everywhere(root: Root, request: Request) -> dict[str, Any]:
    """`/search?q=`: the newest hits of every enabled module."""
    text = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:1000]
    connection, policy = request.connection, request.policy
    modules = hits_everywhere(connection, policy, text, HITS, ["modified"]) if text else []
    notes = match_notes(_without_visible_match(modules, text), highlight.read(text))
    groups = (
        hits_of(request, module_hits, of_module, text) for module_hits, of_module in zip(modules, notes, strict=True)
    )
    return {"page": SearchPage(text, tuple(groups))}


def _without_visible_match(modules: Sequence[ModuleHits], text: str) -> list[tuple[Records, list[int]]]:
    """The hits of each module of which neither title nor reference shows why they are hits."""
    words = highlight.read(text)
    return [
        (
            module_hits.records,
            [hit.id for hit in module_hits.newest if not highlight.matches(f"{hit.title} {hit.reference}", words)],
        )
        for module_hits in modules
    ]


def hits_of(request: Request, module_hits: ModuleHits, notes: Mapping[int, str], text: str) -> HitsOfModule:
    """The newest hits of one module."""
    records = module_hits.records
    hits = (
        Hit(
            record.title,
            record_address(records.name, record.id),
            record.reference,
            _when(request, record.values.get("modified")),
            notes.get(record.id, ""),
        )
        for record in module_hits.newest
    )
    count = count_text(module_hits.count, request.reader)
    all_url = list_address(records.name, {"q": text, **widest_tab(records)})
    label, icon = records.access.label or records.name, records.access.icon or "square"
    return HitsOfModule(label, icon, tuple(hits), count, all_url)


def _when(request: Request, at: Any) -> Moment:
    return moment(at, request.reader) if at else Moment("", "")


@view_config(context=Module, name="find", request_method="GET", renderer="json")
def find_linked(module: Module, request: Request) -> list[dict[str, Any]]:
    """`/MODULE/find?q=&field=`: the records that a link offers, by title; other inputs of the form may narrow them."""
    records, field, form = place_in_form(module.records, request, findable(module.records))
    if field is None or not field.targets:
        raise HTTPNotFound
    others = [records.module.field(name) for name in depends_on(records.module, field)]
    sent = [other for other in others if other.has_input(form)]
    values = defaults(records.connection, records.policy, records.module)
    values |= read_form(records, sent, form, values).values
    text = request.GET.get("q", "").replace("\x00", "")[:200]
    offers: list[dict[str, Any]] = []
    for target in field.targets:
        offered = offered_records(records, field, target, values) if request.policy.access(target) else None
        for record_id, title in offered.find(text) if offered else ():
            offers.append({"id": f"{target}:{record_id}" if field.several_targets else record_id, "title": title})
    return offers


@view_config(context=Module, name="followed", request_method="GET", renderer="json", permission="create")
def followed_default(module: Module, request: Request) -> dict[str, Any]:
    """`/MODULE/followed?field=&LINK=`: the inputs of a field whose default comes from the record chosen as LINK."""
    form_fields = {field.name for field in typed_fields(module.records, names_in(module.records.access.create))}
    records, field, form = place_in_form(module.records, request, form_fields)
    path = value_path(field.default) if field is not None else None
    if path is None or (records is module.records and path.link not in form_fields):
        raise HTTPNotFound
    chosen = read_form(records, [records.module.field(path.link)], form, {})
    # Only the record of a link that this reader may choose is followed.
    values = {} if chosen.errors else follow_again(records, chosen.values, keep=())
    value = values.get(field.name)
    titled = with_titles(records, field, value)
    prefix = request.GET["field"].removesuffix(field.name)
    inputs = {prefix + name: text for name, text in field.inputs(value, request.reader).items()}
    return {"inputs": inputs, "title": field.show(titled, request.reader)}


def place_in_form(records: Records, request: Request, names: Collection[str]) -> tuple[Records, Any, Form]:
    """Where the input `field` of the address stands: the records whose fields its form asks for, the field, the form.

    “lines.0.product” stands in a row of the field `lines`. The field is None unless its own name, or that of the lines,
    is among `names`.
    """
    name, _dot, rest = request.GET.get("field", "").partition(".")
    field: Any = records.module.fields.get(name) if name in names else None
    if field is None or not field.row_fields:
        return records, None if rest else field, request.GET
    index, _dot, column = rest.partition(".")
    of_rows = rows_of(records, field)
    return of_rows, of_rows.module.fields.get(column), row_in(request.GET, f"{name}.{index}.")


def findable(records: Records) -> set[str]:
    """The links that this reader chooses in a form or filters by: readable ones, and what a transition asks for."""
    names = set(records.policy.readable(records.name))
    for action, layout in (("create", records.access.create), ("edit", records.access.edit)):
        if records.policy.may(records.name, action):
            names |= set(names_in(layout))
    lifecycle = records.module.lifecycle
    for name, transition in lifecycle.transitions.items() if lifecycle else ():
        if records.policy.may(records.name, name):
            names |= set(transition.ask)
    return names

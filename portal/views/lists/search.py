"""The search in all modules, `/search`: the newest hits of each, with a note of where the words were found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.database.search.words import parse_words
from portal.declaration.shapes import DEFAULT_ICON, display_name
from portal.records.reading import highlight
from portal.records.reading.records import Records
from portal.records.reading.search_everywhere import ModuleHits, hits_everywhere
from portal.records.reading.typed_search import as_words
from portal.texts import Words
from portal.views.displays import moment
from portal.views.lists.list_rows import called_record, match_notes
from portal.views.lists.tabs import widest_tab
from portal.views.parts import Moment, TitledLink
from portal.views.wording import count_text, reference_in_words
from portal.web.addresses import list_address, record_address
from portal.web.resources import Root

HITS = 5  # of each module


@dataclass(frozen=True)
class HitShown:
    title: str
    url: str
    reference: str
    at: Moment
    note: str = ""  # where the words are, if not in title or reference


@dataclass(frozen=True)
class HitsOfModule:
    label: Words
    icon: str
    hits: tuple[HitShown, ...]
    count: str  # "3", "1,000+"
    all_url: str  # the module's list with the same search


@dataclass(frozen=True)
class SearchPage:
    """search.pt"""

    query: str
    groups: tuple[HitsOfModule, ...] = ()
    called: tuple[TitledLink, ...] = ()  # the records with the reference searched for, unless they come first anyway


@view_config(context=Root, name="search", request_method="GET", renderer="search.pt")
def search_everywhere(root: Root, request: Request) -> SearchPage:
    """`GET /search?q=`: the newest hits of every enabled module."""
    text = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:1000]
    connection, policy = request.connection, request.policy
    modules = hits_everywhere(connection, policy, text, HITS, ["modified"]) if text else []
    notes = match_notes(_without_visible_match(modules, text), parse_words(text))
    groups = (
        _hits_of(request, module_hits, of_module, text) for module_hits, of_module in zip(modules, notes, strict=True)
    )
    first = {module_hits.records.name: module_hits.newest[:1] for module_hits in modules}
    called = (called_record(Records(connection, policy, name), text, first.get(name, ())) for name in policy.modules)
    return SearchPage(text, tuple(groups), tuple(filter(None, called)))


def _without_visible_match(modules: Sequence[ModuleHits], text: str) -> list[tuple[Records, list[int]]]:
    """The hits in each module of the search everywhere whose title and reference do not show the match."""
    words = parse_words(text)
    return [
        (
            module_hits.records,
            [
                hit.id
                for hit in module_hits.newest
                if not highlight.matches(f"{hit.title} {reference_in_words(hit)}", words)
            ],
        )
        for module_hits in modules
    ]


def _hits_of(request: Request, module_hits: ModuleHits, notes: Mapping[int, str], text: str) -> HitsOfModule:
    records = module_hits.records
    hits = (
        HitShown(
            record.title,
            record_address(records.name, record.id),
            reference_in_words(record),
            _when(request, record.values.get("modified")),
            notes.get(record.id, ""),
        )
        for record in module_hits.newest
    )
    count = count_text(module_hits.count, request.reader)
    all_url = list_address(records.name, {"q": as_words(records, text), **widest_tab(records)})
    label, icon = display_name(records.access), records.access.icon or DEFAULT_ICON
    return HitsOfModule(label, icon, tuple(hits), count, all_url)


def _when(request: Request, at: Any) -> Moment:
    return moment(at, request.reader) if at else Moment("", "")

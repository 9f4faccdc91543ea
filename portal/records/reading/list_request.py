"""The list that an address asks for: search, tab, filters, sort, page. Only readable fields can be filtered by.

Unknown parameters are ignored; a value that cannot be parsed becomes a message at its filter, and filters nothing.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.conditions import ALWAYS, AllOf, Condition
from portal.declaration.home_shapes import Panel
from portal.fields.protocols import Form
from portal.records.reading.filters import Filter, filterable, read_filter
from portal.records.reading.records import Count, Query, Records
from portal.records.reading.typed_search import TypedSearch, read_search

MOST_SORTS = 4  # fields: each row is compared in all of them


@dataclass(frozen=True)
class ListRequest:
    """A requested list; `query` holds the conditions of tab, button and filters together."""

    query: Query
    filtering: Condition = ALWAYS  # the filters alone
    tab: str = ""
    button: str = ""
    filters: dict[str, Filter] = dataclasses.field(default_factory=dict)  # of the address, by field
    search: TypedSearch = TypedSearch()

    @property
    def narrowed(self) -> bool:
        """Whether text or filters leave out rows that the tab would show."""
        return bool(self.query.text or self.search.parts) or any(filter_.used for filter_ in self.filters.values())

    @property
    def has_errors(self) -> bool:
        """Whether a filter cannot be parsed, so that the list has more records than were asked for."""
        return any(filter_.error for filter_ in self.filters.values()) or any(self.search.all_errors)


def read_list_request(records: Records, form: Form, *, first_tab: bool = True) -> ListRequest:
    """The list that the parameters of `/MODULE/` ask for; `first_tab`: whether the first tab is the default."""
    layout = records.access.list
    button = form.get("button", "")
    narrowing = button_condition(records, button)
    tab = form.get("tab", "")
    if tab not in (layout.tabs or {}):
        # With a button, the list shows what fulfills the button's condition, not the first tab.
        tab = next(iter(layout.tabs or ()), "") if narrowing is None and first_tab else ""
    names = {name.partition(".")[0] for name in form}
    filters: dict[str, Filter] = {}
    filtering: list[Condition] = []
    for field in filterable(records):
        if field.name in names and not (field.name == "button" and narrowing is not None):
            filters[field.name], conditions = read_filter(records, field, form)
            filtering += conditions
    search = read_search(records, " ".join(form.get("q", "").replace("\x00", " ").split())[:1000])
    filtering.append(search.condition)
    query = Query(
        text=search.words,
        condition=AllOf((tab_condition(records, tab), narrowing or ALWAYS, *filtering)),
        sort=tuple(_read_sort(records, form)),
        after=form.get("after", ""),
        before=form.get("before", ""),
        size=layout.page_size or 25,
    )
    return ListRequest(query, AllOf(tuple(filtering)), tab, button if narrowing is not None else "", filters, search)


def narrow_list_request(list_request: ListRequest, condition: Condition) -> ListRequest:
    """The same list, and counts of its tabs, restricted to records that also fulfill `condition`."""
    if condition == ALWAYS:
        return list_request
    query = replace(list_request.query, condition=AllOf((list_request.query.condition, condition)))
    return replace(list_request, query=query, filtering=AllOf((list_request.filtering, condition)))


def tab_condition(records: Records, tab: str) -> Condition:
    """The condition of a tab; none for an unknown one."""
    declared = (records.access.list.tabs or {}).get(tab)
    return declared.where if declared else ALWAYS


def tab_counts(records: Records, list_request: ListRequest, others: Sequence[Query] = ()) -> dict[str, Count]:
    """How many of the records that search and filters leave are in each tab of the list.

    `others` are counted in the same statement if possible, so that `Records.counts` knows them.
    """
    conditions = {name: tab.where for name, tab in (records.access.list.tabs or {}).items()}
    if list_request.query.text:
        query = Query(list_request.query.text, list_request.filtering)
        counts = records.counts_of_hits(query, list(conditions.values()))
    else:
        filtering = list_request.filtering
        queries = [Query(condition=AllOf((where, filtering))) for where in conditions.values()]
        counts = records.counts([*queries, *others])[: len(queries)]
    return dict(zip(conditions, counts, strict=True))


def button_condition(records: Records, name: str) -> Condition | None:
    """The condition of the button or panel of the home page that opens this list; None if the profile has no such
    one."""
    if (panel := opening_panel(records, name)) is not None:
        return panel.where
    if not name or name not in records.policy.profile.buttons:
        return None
    button = records.policy.declaration.buttons[name]
    return (button.where or ALWAYS) if button.opens == records.name else None


def opening_panel(records: Records, key: str) -> Panel | None:
    """The panel of the home page that a list shows in whole, as its address names it."""
    panels = records.policy.profile.home.declared_panels
    return next((panel for panel in panels if panel.module == records.name and panel.key == key), None)


def _read_sort(records: Records, form: Form) -> list[str]:
    """The sort criteria, each field once and at most MOST_SORTS."""
    by_field = {entry.removeprefix("-"): entry for entry in form.getall("sort")[::-1]}
    return [entry for name, entry in reversed(by_field.items()) if _sortable(records, name)][:MOST_SORTS]


def _sortable(records: Records, name: str) -> bool:
    """Whether a requested list can be sorted by this field; other names are ignored."""
    return name in records.policy.readable(records.name) and records.module.field(name).sortable

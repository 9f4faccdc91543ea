"""Saved views next to the tabs of a list, and the panel for arranging it: columns, density, views.

The panel is drawn only if the address opens it, so that other pages stay small; arranging.py handles what it sends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyramid.request import Request
from webob.multidict import MultiDict

from portal.accounts.saved_views import LONGEST_NAME
from portal.records.reading.records import Query
from portal.texts import Words
from portal.views.lists.columns import columns_to_choose
from portal.views.lists.shown_list import PANEL, VIEW, ShownList, requested
from portal.views.lists.tabs import TabState
from portal.views.wording import count_text
from portal.web.addresses import arranging_address, list_address, own_address

MOST_COUNTED = 10  # views with the number of their records, the first ones by name


@dataclass(frozen=True)
class ColumnChoice:
    """A field that may be a column; the shown ones come first, in their order."""

    name: str
    label: Words
    shown: bool
    always: bool  # the title contains the link to the record
    first: bool = False  # of the shown ones
    last: bool = False
    focused: str = ""  # up or down: the button just pressed, so that it can be pressed again


@dataclass(frozen=True)
class RefusedName:
    """A refused name, and the reason."""

    name: str
    error: str


@dataclass(frozen=True)
class ListPanel:
    """The panel for arranging a list."""

    columns_url: str
    views_url: str
    longest_name: int
    columns: tuple[ColumnChoice, ...] = ()  # none in someone else's view
    moved: bool = False  # whether one was just moved
    compact: bool = False
    arranged: bool = False  # whether columns or density differ from the declaration
    view: Words = ""  # the name of the open view
    is_own: bool = True
    is_default: bool = False
    changed: bool = False  # whether the open list differs from the saved view
    link: str = ""  # to the view, for colleagues
    name: str = ""  # in the input
    error: str = ""


def list_panel(shown: ShownList, request: Request, refused: RefusedName | None) -> ListPanel:
    """The panel for arranging the list. `refused`: a name that a view cannot have."""
    view, module = shown.view, shown.records.name
    view_name = view.name if view else ""
    own = view if shown.is_own else None
    columns = tuple(_column_choices(shown, request.GET.get(PANEL, ""))) if shown.is_own else ()
    return ListPanel(
        columns_url=arranging_address(module, "columns", shown.parameters),
        views_url=arranging_address(module, "views", shown.parameters),
        longest_name=LONGEST_NAME,
        columns=columns,
        moved=any(column.focused for column in columns),
        compact=shown.arrangement.compact,
        arranged=shown.arrangement.columns is not None or shown.arrangement.compact,
        view=view_name,
        is_own=shown.is_own,
        is_default=own is not None and own.is_default,
        changed=own is not None and len(shown.parameters) > 1,
        link=own_address(request) + list_address(module, {VIEW: own.key}) if own else "",
        name=refused.name if refused else view_name,
        error=refused.error if refused else "",
    )


def _column_choices(shown: ShownList, moved: str) -> Iterator[ColumnChoice]:
    """The fields that the panel offers as columns; `moved`: `up.status` if that was just moved up."""
    module, title = shown.records.module, shown.records.module.title_field.name
    way, _dot, name_moved = moved.partition(".")
    names = dict.fromkeys((*shown.columns, *columns_to_choose(shown.records)))
    last = len(shown.columns) - 1
    only_ways = {last: "up", 0: "down"}
    for place, name in enumerate(names):
        is_first, is_last = place == 0, place == last
        focused = only_ways.get(place, way) if name == name_moved else ""
        yield ColumnChoice(name, module.field(name).title, place <= last, name == title, is_first, is_last, focused)


def view_queries(shown: ShownList, request: Request) -> dict[str, Query]:
    """The queries counted for saved views, by key: not those with words, which need a statement for each view."""
    queries = {
        view.key: requested(shown.records, request, MultiDict(view.arrangement.parameters)).query
        for view in shown.views[:MOST_COUNTED]
    }
    return {key: query for key, query in queries.items() if not query.text}


def view_tabs(shown: ShownList, queries: Mapping[str, Query]) -> Iterator[TabState]:
    """The saved views next to the tabs of a list, by name, with the numbers of records of `queries`."""
    counts = dict(zip(queries, shown.records.counts(list(queries.values())), strict=True))
    for view in shown.views:
        number = count_text(counts[view.key], shown.records.policy.reader) if view.key in counts else ""
        is_open = shown.view is not None and view.key == shown.view.key
        yield TabState(view.name, list_address(shown.records.name, {VIEW: view.key}), is_open, number)

"""The list at an address, as its reader has arranged it: a saved view, own columns, without hidden records.

The page of the list, its export, actions on many records and the way to the next record all start here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyramid.request import Request
from webob.multidict import MultiDict

from portal.accounts.saved_views import Arrangement, SavedView, SavedViews
from portal.conditions import only_these_records
from portal.fields.protocols import Form
from portal.records.reading.list_request import ListRequest, narrow_list_request, read_list_request
from portal.records.reading.records import Records
from portal.views.lists.columns import shown_columns
from portal.views.lists.filters import Parameters
from portal.web.addresses import list_address

VIEW = "view"  # the parameter with the key of a saved view; empty: none, even if one opens by default
PANEL = "_panel"  # the parameter that opens the panel for arranging the list, or the help of its search
SEARCH_HELP = "search"
# Parameters that links to another order, tab or page omit.
PLACE = ("after", "before")


@dataclass(frozen=True)
class ShownList:
    """The list at an address as its reader sees it."""

    records: Records
    request: ListRequest
    form: Form  # the parameters of the address, and those of the view that it does not override
    parameters: Parameters  # the parameters that links to another order, tab or page keep
    columns: tuple[str, ...]  # the readable ones
    arrangement: Arrangement
    view: SavedView | None = None  # the open one
    views: tuple[SavedView, ...] = ()  # the reader's own
    is_own: bool = True  # whether the reader may arrange it: not in someone else's view
    lost: bool = False  # whether the address names a view that does not exist

    @property
    def without_view(self) -> Parameters:
        """The parameter that opens the declared list if a view opens by default."""
        return [(VIEW, "")] if any(view.is_default for view in self.views) else []

    def address(self, *more: tuple[str, str]) -> str:
        """The address of this list, with further parameters."""
        return list_address(self.records.name, [*self.parameters, *more])

    def address_without(self, name: str) -> str:
        """The address of this list without one of its filters, its search or its button."""
        return list_address(self.records.name, self.parameters_without(name))

    def address_with_search(self, text: str) -> str:
        """The address of this list with another search."""
        if not text:
            return self.address_without("q")
        others = [(name, value) for name, value in self.parameters if name != "q"]
        return list_address(self.records.name, [*others, ("q", text)])

    def parameters_without(self, name: str) -> Parameters:
        """The parameters of links that remove a filter, the search or the button: an empty one removes the view's."""
        others = [(key, value) for key, value in self.parameters if _subject(key) != name]
        of_view = self.view.arrangement.parameters if self.view else ()
        return [*others, (name, "")] if any(_subject(key) == name for key, _value in of_view) else others


def shown_list(records: Records, request: Request, parameters: Form) -> ShownList:
    """The list for the parameters of an address.

    Parameters other than `view` override those of the view. Without any, the reader's default view opens.
    """
    saved, account = _saved(request, records.name, parameters), request.news.account
    own = [view for view in saved if view.account == account]
    views = tuple(view for view in own if view.name)
    view = _open_view(saved, views, parameters)
    layout = next((arranged.arrangement for arranged in own if not arranged.name), Arrangement())
    arrangement = view.arrangement if view else layout
    form = _with_parameters_of(view, parameters) if view else parameters
    return ShownList(
        records=records,
        request=requested(records, request, form),
        form=form,
        parameters=list(_parameters_of_links(view, views, parameters)),
        columns=shown_columns(records, arrangement.columns),
        arrangement=arrangement,
        view=view,
        views=views,
        is_own=view is None or view.account == account,
        lost=view is None and bool(parameters.get(VIEW)),
    )


def requested(records: Records, request: Request, form: Form) -> ListRequest:
    """The list for the parameters, without what the reader has hidden; `_hidden=1`: only that.

    A search covers all records.
    """
    list_request = read_list_request(records, form)
    if form.get("_hidden") == "1":
        return narrow_list_request(list_request, only_these_records(request.news.hidden(records)))
    return list_request if list_request.query.text else narrow_list_request(list_request, request.news.shown(records))


def _saved(request: Request, module: str, parameters: Form) -> list[SavedView]:
    """What the reader has saved for the module, and the view that the address names; without a statement if there
    cannot be any."""
    account, key = request.visitor.identity.account, parameters.get(VIEW, "")
    if not account.arranges and not key:
        return []
    return SavedViews(request.connection, request.portal.tables, account.id).find(module, key)


def _open_view(saved: list[SavedView], views: tuple[SavedView, ...], parameters: Form) -> SavedView | None:
    """The view that the address names; the default one if it only contains a page."""
    if VIEW in parameters:
        return next((view for view in saved if view.name and view.key == parameters.get(VIEW, "")), None)
    if set(parameters) <= {*PLACE, PANEL}:
        return next((view for view in views if view.is_default), None)
    return None


def _with_parameters_of(view: SavedView, parameters: Form) -> MultiDict:
    """The parameters of an address, and those of the view that it does not name itself."""
    named = {_subject(name) for name in parameters}
    of_view = [pair for pair in view.arrangement.parameters if _subject(pair[0]) not in named]
    return MultiDict([*of_view, *parameters.items()])


def _subject(name: str) -> str:
    """The subject of a parameter of a list's address: the field of `due.min`."""
    return name.partition(".")[0]


def _parameters_of_links(
    view: SavedView | None, views: tuple[SavedView, ...], parameters: Form
) -> Iterator[tuple[str, str]]:
    """The parameters that links of the shown list keep. An empty one removes the view's parameter of that name."""
    if view is not None or any(other.is_default for other in views):
        yield VIEW, view.key if view else ""
    for name, value in parameters.items():
        if name not in (*PLACE, PANEL, VIEW) and (value or view is not None):
            yield name, value

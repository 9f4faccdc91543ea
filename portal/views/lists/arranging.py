"""Arranging a list: choosing columns and their density, and saving, changing and deleting views."""

from collections.abc import Callable

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.saved_views import Arrangement, SavedView, SavedViews
from portal.fields.refused import Refused
from portal.texts import _
from portal.views.forms.form_page import QuestionPage
from portal.views.lists.columns import columns_to_choose
from portal.views.lists.list_page import list_page
from portal.views.lists.list_panel import RefusedName
from portal.views.lists.shown_list import PANEL, VIEW, ShownList, shown_list
from portal.web.addresses import arranging_address, list_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module

SEARCH_AND_ORDER = ("q", "tab", "sort", "button")


@view_config(context=Module, name="columns", request_method="POST")
def choose_columns(module: Module, request: Request) -> Response:
    """`POST /MODULE/columns`: `columns` in their order, and `compact`, of the list or of the view that its
    address opens.

    `_move`: also `up.FIELD` or `down.FIELD`; `_declared`: restores the declaration.
    """
    shown = shown_list(module.records, request, request.GET)
    if not shown.is_own or shown.lost:
        raise HTTPNotFound
    move, compact = posted_text(request, "_move"), posted_text(request, "compact") == "true"
    chosen = _moved(_chosen_columns(shown, request), move)
    # Columns chosen as declared follow the declaration.
    columns = None if chosen == shown.records.access.list.columns else chosen
    if "_declared" in request.POST:
        columns, compact = None, False
    _views(request).arrange(module.module_name, columns, compact, shown.view.key if shown.view else "")
    return HTTPSeeOther(shown.address((PANEL, move)) if move else shown.address())


def _chosen_columns(shown: ShownList, request: Request) -> tuple[str, ...]:
    """The columns that were ticked, and the title."""
    offered = columns_to_choose(shown.records)
    chosen = [name for name in request.POST.getall("columns") if isinstance(name, str) and name in offered]
    title = shown.records.module.title_field.name
    return tuple(dict.fromkeys(chosen if title in chosen or title not in offered else [title, *chosen]))


def _moved(columns: tuple[str, ...], move: str) -> tuple[str, ...]:
    """The chosen columns after `up.FIELD` or `down.FIELD`."""
    way, _dot, name = move.partition(".")
    if name not in columns:
        return columns
    names = [other for other in columns if other != name]
    place = columns.index(name) + (-1 if way == "up" else 1)
    names.insert(max(place, 0), name)
    return tuple(names)


@view_config(context=Module, name="views", request_method="POST")
def change_views(module: Module, request: Request) -> Response:
    """`POST /MODULE/views`: `do` says what: `save` the list of the address under `name`; of the view that it opens,
    `overwrite`, `rename`, `delete`, `default`, and `declared` for the declared list as the default again."""
    shown, name = shown_list(module.records, request, request.GET), posted_text(request, "do")
    if shown.lost:
        raise HTTPNotFound
    try:
        if name == "save":
            key = _views(request).add(module.module_name, posted_text(request, "name"), _arrangement_of(shown))
            return _response(request, list_address(module.module_name, {VIEW: key}))
        change = CHANGES.get(name)
        if change is None or shown.view is None or not shown.is_own:
            raise HTTPNotFound
        return change(shown, shown.view, request)
    except Refused as refused:
        page = list_page(module.records, request, RefusedName(posted_text(request, "name"), refused.message))
        response = render_to_response("list.pt", page, request)
        response.status_code = 422
        return response


def _arrangement_of(shown: ShownList) -> Arrangement:
    """What is saved of the list that its reader sees: its parameters in their current meaning, and its columns."""
    request = shown.request
    in_force = {*SEARCH_AND_ORDER, *(name for name, filter_ in request.filters.items() if not filter_.error)}
    parameters = [(name, value) for name, value in shown.form.items() if value and name.partition(".")[0] in in_force]
    if request.tab and not any(name == "tab" for name, _value in parameters):
        parameters.append(("tab", request.tab))
    columns = None if shown.arrangement.columns is None else shown.columns
    return Arrangement(tuple(parameters), columns, shown.arrangement.compact)


def _overwrite(shown: ShownList, view: SavedView, request: Request) -> Response:
    _views(request).overwrite(shown.records.name, view.key, _arrangement_of(shown))
    return _response(request, list_address(shown.records.name, {VIEW: view.key}))


def _rename(shown: ShownList, view: SavedView, request: Request) -> Response:
    _views(request).rename(shown.records.name, view.key, posted_text(request, "name"))
    return _response(request, shown.address())


def _make_default(shown: ShownList, view: SavedView, request: Request) -> Response:
    _views(request).make_default(shown.records.name, view.key)
    return _response(request, shown.address())


def _make_declared_default(shown: ShownList, _view: SavedView, request: Request) -> Response:
    _views(request).make_default(shown.records.name, "")
    return _response(request, shown.address())


def _delete(shown: ShownList, view: SavedView, request: Request) -> Response:
    """Asks for confirmation before a saved view is deleted: its filters may have taken a while to set."""
    module = shown.records.name
    if "_sure" in request.POST:
        _views(request).delete(module, view.key)
        return set_flash(request, HTTPSeeOther(list_address(module)), "deleted")
    page = QuestionPage(
        heading=_("Delete this view?"),
        subject=view.name,
        action=arranging_address(module, "views", shown.parameters),
        submit=_("Delete"),
        back_url=shown.address(),
        text=_("Links to it will no longer work. The records stay as they are."),
        tone="bad",
        icon="trash-2",
        hidden=(("do", "delete"), ("_sure", "1")),
    )
    return render_to_response("question.pt", page, request)


CHANGES: dict[str, Callable[[ShownList, SavedView, Request], Response]] = {
    "overwrite": _overwrite,
    "rename": _rename,
    "default": _make_default,
    "declared": _make_declared_default,
    "delete": _delete,
}


def _views(request: Request) -> SavedViews:
    return SavedViews(request.connection, request.portal.tables, request.visitor.identity.account.id)


def _response(request: Request, address: str) -> Response:
    return set_flash(request, HTTPSeeOther(address), "edited")

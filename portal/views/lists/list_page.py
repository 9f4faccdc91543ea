"""The page of a module's list, assembled from records, columns, filters and tabs; and the links to its other pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.shapes import display_name
from portal.fields.reader import Reader
from portal.records.reading.list_request import ListRequest, tab_counts
from portal.records.reading.news import News
from portal.records.reading.records import Count, Page, Query, Records
from portal.records.transfer.import_rights import may_import
from portal.texts import Words, _, ngettext
from portal.views.lists.chips import Chip, chips, view_chip
from portal.views.lists.columns import Column, list_column
from portal.views.lists.export import exports, may_export
from portal.views.lists.filters import filter_states
from portal.views.lists.list_navigation import remember_list
from portal.views.lists.list_panel import ListPanel, RefusedName, list_panel, view_queries, view_tabs
from portal.views.lists.list_rows import ListRow, RecordTable, called_record, page_rows, rows_with_last_commenters
from portal.views.lists.many_records import ManyForm, many_form
from portal.views.lists.search_box import SearchBox, search_box
from portal.views.lists.shown_list import PANEL, SEARCH_HELP, VIEW, ShownList, shown_list
from portal.views.lists.tabs import TabState, tabs, widest_tab
from portal.views.parts import Pairs, TitledLink
from portal.views.wording import count_text, new_label
from portal.web.addresses import create_address, import_address, list_address
from portal.web.resources import Module


@dataclass(frozen=True)
class HiddenRecords:
    """The line of a list that leaves out records that the reader has hidden, or shows only these."""

    text: Words
    url: str
    label: Words


@dataclass(frozen=True)
class Pager:
    text: Words  # “1–25 of 1,000+”
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class ListPage(RecordTable):
    """list.pt"""

    heading: Words
    url: str
    columns: tuple[Column, ...]
    rows: tuple[ListRow, ...]
    pager: Pager
    search: SearchBox
    hidden: Pairs = ()  # view, tab, sort and button, kept while searching and filtering
    tabs: tuple[TabState, ...] = ()
    views: tuple[TabState, ...] = ()  # the reader's saved views
    compact: bool = False  # more rows on a screen
    panel_url: str = ""  # opens the panel for arranging the list
    panel: ListPanel | None = None  # for arranging it
    chips: tuple[Chip, ...] = ()  # active search, button and filters
    called: TitledLink | None = None  # the record with the reference searched for, unless it comes first anyway
    notes: tuple[Words, ...] = ()  # “Sorted within the newest 2,000 hits.”, “Narrow your search.”
    clear_url: str = ""  # without search and filters; empty: none are active
    import_url: str = ""
    create_url: str = ""
    create_label: Words = ""
    invite_url: str = ""  # for people, if the reader may give access
    exports: tuple[TitledLink, ...] = ()  # the records as a file, and the rows of each of their `lines`
    many: ManyForm | None = None  # if records can be chosen
    seen_url: str = ""  # for marking everything as read; empty: nothing is new
    hidden_records: HiddenRecords | None = None

    @property
    def filters(self) -> bool:
        return any(column.filter for column in self.columns)

    @property
    def other_tabs(self) -> tuple[TabState, ...]:
        """The other tabs that have records."""
        return tuple(tab for tab in self.tabs if not tab.current and tab.count not in ("", "0"))


@view_config(context=Module, name="", request_method="GET", renderer="list.pt")
def list_records(module: Module, request: Request) -> ListPage:
    """`GET /MODULE/`: the requested list, within what the profile shows."""
    page = list_page(module.records, request)
    remember_list(request, module.module_name)
    return page


def list_page(records: Records, request: Request, refused: RefusedName | None = None) -> ListPage:
    """The requested page of a list; `refused`: in the panel for arranging it."""
    shown = shown_list(records, request, request.GET)
    list_request, parameters, columns = shown.request, shown.parameters, shown.columns
    states = filter_states(records, list_request, columns)
    query, access, policy = list_request.query, records.access, records.policy
    with_help = request.GET.get(PANEL) == SEARCH_HELP
    with_panel = refused is not None or (PANEL in request.GET and not with_help)
    of_views = view_queries(shown, request)
    page, count, counts_of_tabs = _page_and_counts(shown, list(of_views.values()))
    news = _page_news(shown, request, page)
    rows = page_rows(records, page, columns, query.text, news.unread)
    total = _total(count, page, policy.reader) if count.number != 1 else ""
    return ListPage(
        heading=display_name(access),
        url=list_address(records.name),
        columns=tuple(list_column(records, list_request, name, parameters, states) for name in columns),
        rows=rows_with_last_commenters(request, records, news, rows, columns),
        pager=_pager(shown, page, count, request.reader),
        search=search_box(shown, with_help),
        hidden=tuple((name, value) for name, value in parameters if name in (VIEW, "tab", "sort", "button")),
        tabs=tuple(tabs(shown, counts_of_tabs, news)),
        views=tuple(view_tabs(shown, of_views)),
        compact=shown.arrangement.compact,
        panel_url=shown.address((PANEL, "1")),
        panel=list_panel(shown, request, refused) if with_panel else None,
        chips=(*view_chip(shown), *chips(shown, states)),
        called=called_record(records, query.text, page.records[:1]),
        notes=tuple(_list_notes(shown, count)),
        clear_url=_clear_address(shown) if list_request.narrowed or list_request.button else "",
        create_url=create_address(records.name) if policy.may(records.name, "create") else "",
        create_label=new_label(records),
        import_url=import_address(records.name, ()) if may_import(records) else "",
        invite_url=f"/{records.name}/invite" if policy.may(records.name, "grant") else "",
        many=many_form(records, parameters, total, may_export(records)),
        exports=tuple(exports(records, parameters)) if may_export(records) else (),
        seen_url=f"{list_address(records.name)}seen" if request.news.counts().get(records.name) else "",
        hidden_records=_hidden_records_line(records, request, list_request),
    )


def _hidden_records_line(records: Records, request: Request, list_request: ListRequest) -> HiddenRecords | None:
    """The line of a list about records that the reader has hidden; None without any, and in a search."""
    number = len(request.news.hidden(records))
    if not number or list_request.query.text:
        return None
    text = ngettext(
        "${number} record is hidden until it changes.",
        "${number} records are hidden until they change.",
        number,
    )
    if request.GET.get("_hidden") == "1":
        return HiddenRecords(text, list_address(records.name), _("Show the others"))
    return HiddenRecords(text, list_address(records.name, {**widest_tab(records), "_hidden": "1"}), _("Show"))


def _page_and_counts(shown: ShownList, others: Sequence[Query]) -> tuple[Page, Count, dict[str, Count]]:
    """The page of the shown list, its number of records, and the number in each tab; `others` are counted with
    these."""
    records, list_request, columns = shown.records, shown.request, shown.columns
    query = list_request.query
    if query.text:
        counts = tab_counts(records, list_request)  # often knows which hits the page has
        page = records.page(query, columns)  # often knows how many hits there are
        count = records.count(query)
        if list_request.tab and not list_request.button:
            counts[list_request.tab] = count
        return page, count, counts
    counts = tab_counts(records, list_request, others)
    return records.page(query, columns), records.count(query), counts


def _page_news(shown: ShownList, request: Request, page: Page) -> News:
    """Which records on the page are new, and how many in each tab while nothing narrows the list."""
    records, columns = shown.records, shown.columns
    declared = () if shown.request.narrowed else (records.access.list.tabs or {}).values()
    commented = [record.id for record in page.records if record.values.get("comments")] if "comments" in columns else []
    return request.news.of(records, page.records, tuple(tab.where for tab in declared), commented)


def _list_notes(shown: ShownList, count: Count) -> Iterator[str]:
    """What the reader of a list's page should know about how the list came about."""
    if shown.lost:
        yield _("This view no longer exists. This is the list without it.")
    query = shown.request.query
    if query.text and query.sort and count.more:
        yield _("Only the newest matches are sorted. Narrow your search to sort them all.")


def _clear_address(shown: ShownList) -> str:
    """The address of the shown list's tab without search, filters and view."""
    tab = shown.request.tab
    return list_address(shown.records.name, {"tab": tab} if tab else shown.without_view)


def _pager(shown: ShownList, page: Page, count: Count, reader: Reader) -> Pager:
    """“1–25 of 1,000+” on the first page, “25 of 1,000+” on others, and the links to the next ones."""

    def address(name: str, key: str) -> str:
        return list_address(shown.records.name, [*shown.parameters, (name, key)]) if key else ""

    is_search = shown.request.narrowed or bool(shown.request.button)
    text = _page_text(page, count, reader) if page.records or is_search else ""
    return Pager(text, address("before", page.previous), address("after", page.next))


def _page_text(page: Page, count: Count, reader: Reader) -> str:
    """The text of a list's pager, “1–50 of 240”: the records on this page, and their total number."""
    if not page.records:
        return _("No results")
    mapping = {"records": len(page.records), "total": _total(count, page, reader)}
    if page.first:
        return _("1–${records} of ${total}", mapping=mapping)
    return _("${records} of ${total}", mapping=mapping)


def _total(count: Count, page: Page, reader: Reader) -> str:
    """How many records the list has: at least those of the page, as counting may have covered only the newest rows."""
    return count_text(replace(count, number=max(count.number, len(page.records))), reader)

"""The list of a module: columns, filters, tabs, pages; and what is made of it, the related lists of a record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.shapes import Tab
from portal.fields.base import Field
from portal.fields.link import RECORD_ID
from portal.fields.numbers import localized
from portal.fields.reader import Reader
from portal.records.reading import highlight as matching
from portal.records.reading.filters import Filter, ListRequest, read_address, tab_condition
from portal.records.reading.highlight import Words
from portal.records.reading.records import Count, Page, Query, Record, Records
from portal.texts import Text, _, readable
from portal.views.addresses import create_address, list_address, record_address
from portal.views.pages import Column, ListPage, Pager, Row, TabState
from portal.views.parts import FilterState, Offer, Value
from portal.views.values import COUNTS, display_of
from portal.web.resources import Module
from portal.web.serving import is_secure

# The cookie in which the browser keeps the query of the list that was seen last, one per module by its path.
LIST_COOKIE = "list"
# Parameters of the address that a link to another order, tab or page leaves out.
PLACE = ("after", "before")
# Displays that show their text as it is, so that what was searched for can be marked in it.
MARKED = frozenset({"cover", "plain", "longtext", "pill", "link", "email", "phone", "url"})


@view_config(context=Module, name="", request_method="GET", renderer="list.pt")
def list_records(module: Module, request: Request) -> dict[str, Any]:
    """`/MODULE/`: what the address asks for, within what the profile shows."""
    records, asked = module.records, read_address(module.records, request.GET)
    by_tab = {name: Query(condition=tab_condition(records, name)) for name in records.access.list.tabs or {}}
    columns = records.access.list.columns
    # A page of hits may know their number, a number tells how a list without a search is read best.
    hits = records.page(asked.query, columns) if asked.query.text else None
    count, *of_tabs = records.counts([asked.query, *by_tab.values()])
    page = hits or records.page(asked.query, columns)
    pairs = [(name, value) for name, value in request.GET.items() if name not in PLACE and value]
    shown_page = ListPage(
        heading=records.access.label,
        url=list_address(records.name),
        columns=tuple(column(records, asked, name, pairs) for name in columns),
        rows=tuple(found_rows(records, page, columns, asked.query.text)),
        pager=pager(page, count, list_address(records.name), pairs, request.reader),
        query=asked.query.text,
        hidden=tuple((name, value) for name, value in pairs if name in ("tab", "sort", "button")),
        tabs=tuple(tabs(records, asked, dict(zip(by_tab, of_tabs, strict=True)))),
        notes=tuple(notes(asked, count)),
        clear_url=clear_address(records, asked) if asked.narrowed or asked.button else "",
        **offered(records, pairs),
    )
    keep_list(request, records.name)
    return {"page": shown_page}


def keep_list(request: Request, module: str) -> None:
    """Lets the browser keep this list's query, so that “Return to list” leads back to it from any page of a record."""
    # Commas and semicolons end a cookie's value in some browsers.
    query = quote(request.query_string[:1000], safe="%=&+", encoding="latin-1")[:3000]
    request.response.set_cookie(
        LIST_COOKIE, query, path=f"/{module}/", httponly=True, samesite="Lax", secure=is_secure(request)
    )


def offered(records: Records, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The buttons that the profile may press on a list: a new record, an export."""
    found: dict[str, Any] = {}
    if records.policy.may(records.name, "create"):
        found |= {"create_url": create_address(records.name), "create_label": new_label(records)}
    if records.access.list.export and records.policy.may(records.name, "export"):
        found["export_url"] = list_address(records.name, pairs).replace(
            f"/{records.name}/", f"/{records.name}/export.csv", 1
        )
    return found


def new_label(records: Records) -> str:
    """“New ticket”, but “New VPN access”; in German nouns keep their letter."""
    reader = records.policy.reader
    name = reader.text(records.access.singular)
    if name[1:2].islower() and not reader.language.startswith("de"):
        name = name[0].lower() + name[1:]
    return _("New ${singular}", mapping={"singular": name})


def rows(records: Records, found: Iterable[Record], names: Iterable[str]) -> Iterator[Row]:
    """The rows of a list; their cells may be read, for the policy has left out the others."""
    reader, names = records.policy.reader, list(names)
    fields = [records.module.field(name) for name in names]
    columns = [(each.name, each, each.show, display_of(each)) for each in fields]
    title = records.module.title_field.name
    lead = names.index(title) if title in names else 0
    for record in found:
        url, values = record_address(records.name, record.id), record.values
        cells = [
            display(field, value := values.get(name), show(value, reader), reader)
            for name, field, show, display in columns
        ]
        if cells:
            cells[lead] = cells[lead]._replace(display="cover", text=cells[lead].text or "—", url=url)
        yield Row(url, tuple(cells))


def found_rows(records: Records, page: Page, names: Iterable[str], text: str) -> Iterator[Row]:
    """The rows of a page; those of hits with what was searched for marked, or the name of the field in which it is."""
    drawn = list(rows(records, page.rows, names))
    if text:
        typed = matching.read(text)
        drawn = [replace(each, cells=tuple(marked(cell, typed) for cell in each.cells)) for each in drawn]
        unseen = [record.id for record, each in zip(page.rows, drawn, strict=True) if not any_marked(each)]
        where = elsewhere(records, unseen, typed)
        drawn = [told(each, where.get(record.id, "")) for record, each in zip(page.rows, drawn, strict=True)]
    yield from drawn


def marked(cell: Value, typed: Words) -> Value:
    """A cell with what was searched for marked in it."""
    found = matching.matches(cell.text, typed) if cell.display in MARKED else ()
    return cell._replace(matches=found) if found else cell


def any_marked(row: Row) -> bool:
    """Whether a row shows why it was found."""
    return any(cell.matches for cell in row.cells)


def elsewhere(records: Records, ids: Sequence[int], typed: Words) -> dict[int, str]:
    """“found in Description”, for those of the records `ids` where that can be said."""
    names, reader = searched(records), records.policy.reader
    fields = [records.module.field(name) for name in names]
    where = {each.id: matching.elsewhere(fields, each.values, typed) for each in records.rows(ids, names)}
    return {
        identity: reader.text(_("found in ${field}", mapping={"field": reader.text(field.title)}))
        for identity, field in where.items()
        if field is not None
    }


def told(row: Row, where: str) -> Row:
    """A row that says beside its title where the words stand."""
    if not where:
        return row
    cells = (cell._replace(tone=where) if cell.display == "cover" else cell for cell in row.cells)
    return replace(row, cells=tuple(cells))


def searched(records: Records) -> list[str]:
    """The fields in which something typed may have been found."""
    readable = records.policy.readable(records.name)
    return [name for name, each in records.module.fields.items() if each.searched and name in readable]


def column(records: Records, asked: ListRequest, name: str, pairs: list[tuple[str, str]]) -> Column:
    """One column with its order and its filter."""
    field = records.module.field(name)
    found = plain_column(records, name)
    sort = asked.query.sort or records.access.list.sort
    first = next(iter(sort), "")
    direction = {name: "ascending", f"-{name}": "descending"}.get(first, "")
    other = f"-{name}" if first == name else name
    kept = [(key, value) for key, value in pairs if key != "sort"]
    return replace(
        found,
        sort_url=list_address(records.name, [*kept, ("sort", other)]) if field.sortable else "",
        sorted=direction,
        filter=filter_state(records, field, asked.filters.get(name)),
    )


def plain_column(records: Records, name: str) -> Column:
    """A column as related lists have it: neither order nor filter."""
    field = records.module.field(name)
    lifecycle = records.module.lifecycle
    places = {records.module.title_field.name: "lead", "reference": "reference", "modified": "when"}
    place = "status" if lifecycle and lifecycle.field == name else places.get(name, "extra")
    number = field.filter == "range" and not field.specials
    return Column(name, field.title, place, icon=COUNTS.get(name, ""), number=number)


def filter_state(records: Records, field: Field, asked: Filter | None) -> FilterState | None:
    """The filter of a column as it was typed."""
    if asked is None:
        return None
    state = FilterState(
        name=field.name,
        label=field.title,
        macro=field.filter,
        value=next(iter(asked.values), ""),
        minimum=asked.minimum,
        maximum=asked.maximum,
        type=field.input_type
        if field.input_type in ("date", "time")
        else "date"
        if "now" in field.specials
        else "text",
        error=asked.error,
    )
    if field.filter == "options":
        offers = tuple(Offer(name, option.label, name in asked.values) for name, option in field.offered.items())
        return replace(state, value="", offers=offers)
    if field.filter == "link":
        return replace(state, value=_link_text(records, field, state.value))
    return state


def _link_text(records: Records, field: Field, value: str) -> str:
    """A filter by id shows the title of the record, as far as its reader may see it."""
    module, _colon, identity = value.rpartition(":")
    target = module or field.targets[0]
    if not RECORD_ID.fullmatch(identity) or records.policy.access(target) is None:
        return value
    found = records.of(target).rows([int(identity)], [])
    return found[0].title if found else value


def tabs(records: Records, asked: ListRequest, counts: Mapping[str, Count]) -> Iterable[TabState]:
    """The tabs with their counts; the search stays when one changes the tab."""
    for name, tab in (records.access.list.tabs or {}).items():
        kept = [("q", asked.query.text)] if asked.query.text else []
        yield TabState(
            _tab_label(name, tab),
            list_address(records.name, [*kept, ("tab", name)]),
            name == asked.tab,
            counted(counts[name], records.policy.reader),
        )


def _tab_label(name: str, tab: Tab) -> Text:
    return tab.label or readable(name)


def notes(asked: ListRequest, count: Count) -> Iterable[str]:
    """What the reader should know of how the list was made."""
    if asked.query.text and asked.query.sort and count.more:
        yield _("Only the newest matches are sorted. Narrow your search to sort them all.")


def clear_address(records: Records, asked: ListRequest) -> str:
    """The same tab without search and filters."""
    return list_address(records.name, {"tab": asked.tab} if asked.tab else {})


def pager(page: Page, count: Count, url: str, pairs: list[tuple[str, str]], reader: Reader) -> Pager:
    """“1–25 of 1,000+” on the first page, “25 of 1,000+” on others, and the ways to the next ones."""
    rows, total = len(page.rows), counted(count, reader)
    if not rows:
        text = _("No results")
    elif page.first:
        text = _("1–${rows} of ${total}", mapping={"rows": rows, "total": total})
    else:
        text = _("${rows} of ${total}", mapping={"rows": rows, "total": total})
    path = url.partition("?")[0].strip("/")

    def to(name: str, key: str) -> str:
        return list_address(path, [*pairs, (name, key)]) if key else ""

    return Pager(text, to("before", page.previous), to("after", page.next))


def counted(count: Count, reader: Reader) -> str:
    """A count as it is shown: “41”, “1,000+”."""
    return localized(count.number, reader) + ("+" if count.more else "")

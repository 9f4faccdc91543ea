"""What a link in a form offers: records by title, found as the reader types; on cards, with a description."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.layouts import form_layout_fields
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.lines import Row
from portal.fields.linked_value import Linked
from portal.fields.protocols import Form
from portal.fields.record_titles import RECORD_ID
from portal.fields.row_form import row_in
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.writing.defaults import defaults, follow_again
from portal.records.writing.form_conditions import depends_on, offered_records, unread_values
from portal.records.writing.validation import read_form, typed_fields
from portal.texts import beginning
from portal.views.forms.form_page import Offer
from portal.web.form_input import posted_text
from portal.web.resources import Module

# The number of records that a link offers at once; more are found by typing.
OFFERED = 200
OFFERED_IN_ROWS = 50  # in lines: each row has all of them, unless the script finds them as the reader types
# A link that is the only field of a step is drawn as cards if it offers at most this many records.
RECORD_CARDS = 12
ABOUT = 140  # characters of a record's description on its card
BESIDE = " · "  # between a title and the `details`
DETAIL = 60  # characters of each of the `details` next to a title

MOST_OFFERED = 20  # while someone types

FIND = "_find."


@dataclass(frozen=True)
class LinkOffers:
    """What a link in a form offers: titles by the value of the input; `more`: there are further records."""

    titles: dict[str, str]
    more: bool


def link_offers(  # noqa: PLR0913 - all of a form that decides about them
    records: Records,
    field: Field,
    values: Mapping[str, Any],
    stored: Any,
    find_text: str,
    chosen: list[str],
    *,
    known: dict[Any, list[tuple[int, str]]],
) -> LinkOffers:
    """The records that a link offers, given the form's other `values`; chosen and `stored` ones are always included.

    `find_text` narrows them to titles that contain it. `known`: what other rows of the same lines have found.
    """
    most = OFFERED_IN_ROWS if records.form_module != records.name else OFFERED
    titles: dict[str, str] = {}
    more = False
    for module in field.targets:
        offered = offered_records(records, field, module, values) if records.policy.access(module) else None
        if offered is not None:
            prefix = f"{module}:" if field.several_targets else ""
            key = (module, field.beside_titles, offered.narrowed, find_text, most)
            if key not in known:
                known[key] = _with_text(offered, field, find_text, most + 1)
            more = more or len(known[key]) > most
            titles |= _titles(offered, prefix, known[key][:most])
            titles |= _titles(
                offered, prefix, _chosen(offered, field, prefix, [text for text in chosen if text not in titles])
            )
    for link in field.links_in(stored):
        if field.link_value(link) in chosen:
            titles.setdefault(field.link_value(link), link.title)
    return LinkOffers(titles, more)


def _titles(offered: Records, prefix: str, titles: list[tuple[int, str]]) -> dict[str, str]:
    """Titles by the value of the input; if a link may lead to several modules, the title includes the module."""
    label = f"{offered.policy.reader.text(offered.access.singular)}: " if prefix else ""
    return {f"{prefix}{record_id}": label + title for record_id, title in titles}


def _with_text(offered: Records, field: Field, text: str, most: int = MOST_OFFERED) -> list[tuple[int, str]]:
    """The offered records whose title contains `text`, which may be that of a chosen one with its details."""
    title = text.partition(BESIDE)[0] if field.beside_titles else text
    return _with_details(offered, field, offered.find(title, most))


def _with_details(offered: Records, field: Field, titles: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The `titles`, each with the link's `details`, as far as this reader may read them."""
    names = [name for name in field.beside_titles if name in offered.policy.readable(offered.name)]
    if not names or not titles:
        return titles
    reader, fields = offered.policy.reader, [offered.module.field(name) for name in names]
    details = {
        record.id: [beginning(field.show(record.values[field.name], reader), DETAIL) for field in fields]
        for record in offered.by_ids([record_id for record_id, _title in titles], names)
    }
    return [(record_id, BESIDE.join(filter(None, (title, *details.get(record_id, ()))))) for record_id, title in titles]


def _chosen(offered: Records, field: Field, prefix: str, values: list[str]) -> list[tuple[int, str]]:
    """The records among `offered` that the inputs name, whatever the search text."""
    texts = [value.removeprefix(prefix) for value in values if value.startswith(prefix)]
    ids = [int(text) for text in texts if RECORD_ID.fullmatch(text)]
    return _with_details(offered, field, [(record.id, record.title) for record in offered.by_ids(ids, [])])


def link_cards(
    records: Records, field: Field, values: Mapping[str, Any], offers: tuple[Offer, ...]
) -> tuple[Offer, ...] | None:
    """The offers with descriptions of the records; None if there are too many for cards."""
    offered = offered_records(records, field, field.targets[0], values) if not field.several_targets else None
    if offered is None or not 0 < len(offers) <= RECORD_CARDS:
        return None
    texts = _descriptions(offered, [int(offer.value) for offer in offers])
    return tuple(offer._replace(help=texts.get(offer.value, "")) for offer in offers)


def _descriptions(records: Records, ids: list[int]) -> dict[str, str]:
    """The texts of a link's cards, by id: the start of the first text that the reader may read, without the title."""
    readable, title = records.policy.readable(records.name), records.module.title_field.name
    texts = (
        field
        for name, field in records.module.fields.items()
        if field.searched and field.input_type == "text" and field.widget in ("textarea", "input")
        if name in readable and name != title
    )
    field = next(texts, None)
    if field is None:
        return {}
    reader = records.policy.reader
    return {
        str(record.id): beginning(field.show(record.values[field.name], reader), ABOUT)
        for record in records.by_ids(ids, [field.name])
    }


def find_address(records: Records, name: str, values: Mapping[str, Any]) -> str:
    """Where a script finds what the link with the input `name` offers in a form with `values`."""
    record = f"&id={values['id']}" if values.get("id") and records.form_module == records.name else ""
    return f"/{records.form_module}/find?field={name}{record}"


def find_texts(request: Request) -> dict[str, str]:
    """Search texts typed for links with many records, if the button next to one was pressed: without JavaScript."""
    pressed = posted_text(request, "_find")
    return {pressed: posted_text(request, FIND + pressed)} if pressed else {}


def with_titles(records: Records, field: Field, value: Any) -> Any:
    """A form's value with the titles of its links, which a form knows only by id, as far as they may be seen."""
    if isinstance(value, Linked):
        return _with_title(records, value)
    if field.row_fields:
        return tuple(replace(row, values=_titled_row(records, field, row)) for row in value or ())
    if field.multiple and value and isinstance(value[0], Linked):
        return tuple(_with_title(records, link) for link in value)
    return value


def _titled_row(records: Records, lines: Field, row: Row) -> dict[str, Any]:
    return {name: with_titles(records, lines.row_fields[name], value) for name, value in row.values.items()}


def _with_title(records: Records, link: Linked) -> Linked:
    if link.title or not records.policy.access(link.module):
        return link
    rows = records.of(link.module).by_ids([link.id], [])
    return replace(link, title=rows[0].title) if rows else link


@view_config(context=Module, name="find", request_method="GET", renderer="json")
def find_linked(module: Module, request: Request) -> list[dict[str, Any]]:
    """`GET /MODULE/find?q=&field=`: the records that a link offers, by title; other inputs of the form may
    narrow them."""
    records, field, form = _place_in_form(module.records, request, fields_with_offers(module.records))
    if field is None or not field.targets:
        raise HTTPNotFound
    values = _narrowing_values(records, field, form)
    text = request.GET.get("q", "").replace("\x00", "")[:200]
    offers: list[dict[str, Any]] = []
    for target in field.targets:
        offered = offered_records(records, field, target, values) if request.policy.access(target) else None
        for record_id, title in _with_text(offered, field, text) if offered else ():
            offers.append({"id": f"{target}:{record_id}" if field.several_targets else record_id, "title": title})
    return offers


@view_config(context=Module, name="followed", request_method="GET", renderer="json", permission="create")
def default_from_link(module: Module, request: Request) -> dict[str, Any]:
    """`GET /MODULE/followed?field=&LINK=`: the inputs of a field whose default comes from the record chosen as LINK."""
    form_fields = {
        field.name for field in typed_fields(module.records, form_layout_fields(module.records.access.create))
    }
    records, field, form = _place_in_form(module.records, request, form_fields)
    path = value_path(field.default) if field is not None else None
    if field is None or path is None or (records is module.records and path.link not in form_fields):
        raise HTTPNotFound
    link = records.module.field(path.link)
    chosen = read_form(records, [link], form, _narrowing_values(records, link, form))
    # Only the record of a link that this reader may choose is followed.
    values = {} if chosen.errors else follow_again(records, chosen.values, keep=())
    value = values.get(field.name)
    titled = with_titles(records, field, value)
    prefix = request.GET["field"].removesuffix(field.name)
    inputs = {prefix + name: text for name, text in field.inputs(value, request.reader).items()}
    return {"inputs": inputs, "title": field.show(titled, request.reader)}


def _narrowing_values(records: Records, link: Field, form: Form) -> dict[str, Any]:
    """The values that narrow what `link` offers: of the form's own record, else of a new one, replaced by `form`."""
    names = depends_on(records.module, link)
    known = {**defaults(records), "id": None}
    text = form.get("id", "") if records.form_module == records.name else ""
    if RECORD_ID.fullmatch(text) and records.exists(int(text)):
        known = {**unread_values(records, names, {"id": int(text)}), "id": int(text)}
    others = [records.module.field(name) for name in names if name != "id"]
    return known | read_form(records, [other for other in others if other.has_input(form)], form, known).values


def _place_in_form(records: Records, request: Request, names: Collection[str]) -> tuple[Records, Field | None, Form]:
    """Where a link's offers are asked for: the records whose fields the form asks for, the field, the form.

    “lines.0.product” is in a row of the field `lines`. The field is None unless its own name, or that of the lines,
    is among `names`.
    """
    name, _dot, rest = request.GET.get("field", "").partition(".")
    field = records.module.fields.get(name) if name in names else None
    if field is None or not field.row_fields:
        return records, None if rest else field, request.GET
    index, _dot, column = rest.partition(".")
    of_rows = rows_of(records, field)
    return of_rows, of_rows.module.fields.get(column), row_in(request.GET, f"{name}.{index}.")


def fields_with_offers(records: Records) -> set[str]:
    """The fields whose links offer this reader records: readable ones, to filter by, and those that a form or a
    transition asks for."""
    names = set(records.policy.readable(records.name))
    for action, layout in (("create", records.access.create), ("edit", records.access.edit)):
        if records.policy.may(records.name, action):
            names |= set(form_layout_fields(layout))
    for name, transition in records.module.transitions.items():
        if records.policy.may(records.name, name):
            names |= set(transition.ask)
    return names

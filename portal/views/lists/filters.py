"""The filters of a list's columns."""

from collections.abc import Collection
from typing import NamedTuple

from portal.fields.base import Field
from portal.fields.date import Date
from portal.fields.dates_and_times import parse_date
from portal.fields.linked_value import Linked
from portal.fields.reader import Reader
from portal.fields.record_titles import RECORD_ID
from portal.fields.refused import Refused
from portal.records.reading.filters import Filter, filterable
from portal.records.reading.list_request import ListRequest
from portal.records.reading.records import Records
from portal.texts import Words, _
from portal.views.forms.form_page import Offer

MOST_CHOICES = 30  # linked records that a filter offers as choices; with more, one types part of a title
Parameters = list[tuple[str, str]]
# The bounds of filters by day are formatted by this field.
DATE = Date(name="day", type="date")


class FilterState(NamedTuple):
    """The filter of one column; drawn by the macro `macro` of filters.pt (a field's `filter`)."""

    name: str
    label: Words
    macro: str  # text, options, range or link
    value: str = ""
    minimum: str = ""
    maximum: str = ""
    type: str = "text"  # for a range: date, time, text
    summary: Words = ""  # its choice: “New, Waiting”, “Nov 17, 2026 – Nov 23, 2026”; empty: everything
    offers: tuple[Offer, ...] = ()
    error: Words = ""

    @property
    def several(self) -> bool:
        return sum(offer.chosen for offer in self.offers) > 1

    @property
    def used(self) -> bool:
        """Whether the filter of a column is active."""
        return bool(self.summary)


def filter_states(records: Records, list_request: ListRequest, columns: Collection[str]) -> dict[str, FilterState]:
    """The filters of the shown columns, and active ones of other fields."""
    typed = list_request.filters
    in_force = {name for name, request in typed.items() if request.used}
    return {
        field.name: filter_state(records, field, typed.get(field.name) or Filter(field.name))
        for field in filterable(records)
        if field.name in columns or field.name in in_force
    }


def filter_state(records: Records, field: Field, request: Filter) -> FilterState:
    """A filter as sent, with its inputs and its choice in words."""
    offers: tuple[Offer, ...] = ()
    if field.filter == "options":
        offers = tuple(Offer(name, option.label, name in request.values) for name, option in field.offered.items())
    state = FilterState(
        name=field.name,
        label=field.title,
        macro=field.filter,
        value="" if field.filter == "options" else next(iter(request.values), ""),
        minimum=request.minimum,
        maximum=request.maximum,
        type=_filter_input_type(field),
        error=request.error,
        offers=offers,
    )
    if field.filter == "link":
        state = _link_filter(records, field, request, state)
    return state._replace(summary=_summary(field, request, state, records.policy.reader)) if request.used else state


def _summary(field: Field, request: Filter, state: FilterState, reader: Reader) -> str:
    """The choice of an active filter in the reader's language: “New, Waiting”, “from Nov 17, 2026”."""
    values = [reader.text(offer.label) for offer in state.offers if offer.chosen]
    if state.offers:
        offered = {offer.value for offer in state.offers}
        values += [value for value in request.values if value not in offered]
    else:
        values += [state.value, *request.values[1:]]
    parts = [*values, _bounds_text(request, state.type, reader), reader.text(_("empty")) if request.empty else ""]
    return reader.listed(part for part in parts if part)


def _bounds_text(request: Filter, input_type: str, reader: Reader) -> str:
    """The bounds of a range's filter in words; empty if it has none."""
    least, most = (_bound(bound, input_type, reader) for bound in (request.minimum, request.maximum))
    above, below = (_bound(bound, input_type, reader) for bound in (request.above, request.below))
    if above or below:
        return f"> {above}" if above else f"< {below}"
    if least and most:
        return f"{least} – {most}"
    if least:
        return reader.text(_("from ${min}", mapping={"min": least}))
    return reader.text(_("to ${max}", mapping={"max": most})) if most else ""


def _bound(text: str, input_type: str, reader: Reader) -> str:
    """A date in a filter in the reader's format; anything else as typed."""
    try:
        return DATE.show(parse_date(text, reader), reader) if text and input_type == "date" else text
    except Refused:
        return text


def _filter_input_type(field: Field) -> str:
    """The type of a range's inputs: whole days also for moments, text for numbers in the reader's format."""
    if field.input_type in ("date", "time"):
        return field.input_type
    return "date" if "now" in field.specials else "text"


def _link_filter(records: Records, field: Field, request: Filter, state: FilterState) -> FilterState:
    """The filter of a link: the linked records as choices if there are few, else a text."""
    linked = None if request.values else _titles_behind_link(records, field)
    if linked is None or not set(request.ids) <= set(linked):
        return state._replace(value=state.value or _title_of(records, field, next(iter(request.ids), "")))
    offers = tuple(Offer(value, title, value in request.ids) for value, title in linked.items())
    return state._replace(name=f"{field.name}.id", offers=offers)


def _titles_behind_link(records: Records, field: Field) -> dict[str, str] | None:
    """The choices in a link's filter: titles by input value, of all visible records; None if there are many."""
    titles: dict[str, str] = {}
    for module in field.targets:
        if records.policy.access(module) is None:
            return None
        few = records.of(module).all_if_few(MOST_CHOICES - len(titles))
        if few is None:
            return None
        titles |= {field.link_value(Linked(record.id, module)): record.title for record in few}
    return titles


def _title_of(records: Records, field: Field, text: str) -> str:
    """The title of the record that a filter names by id, as far as its reader may see it."""
    module, _colon, record_id = text.rpartition(":")
    target = module or field.targets[0]
    if not RECORD_ID.fullmatch(record_id) or target not in field.targets or records.policy.access(target) is None:
        return text
    linked = records.of(target).by_ids([int(record_id)], [])
    return linked[0].title if linked else text

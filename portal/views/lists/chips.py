"""The chips above a list: everything that narrows it, each with the address of the list without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from portal.declaration.shapes import display_name
from portal.records.reading.list_request import opening_panel
from portal.records.reading.records import Records
from portal.records.reading.typed_search import SearchPart, TypedFilter, filters_in
from portal.texts import Words, _
from portal.views.lists.filters import FilterState, filter_state
from portal.views.lists.shown_list import ShownList
from portal.web.addresses import list_address


@dataclass(frozen=True)
class Chip:
    """Something that narrows the list, with the address of the list without it."""

    label: Words
    text: Words
    url: str
    error: Words = ""  # for an unreadable filter, which has no effect


def chips(shown: ShownList, states: Mapping[str, FilterState]) -> Iterator[Chip]:
    """Everything that narrows the list apart from the tab, each with the address that removes it."""
    yield from _search_chips(shown)
    if shown.request.button:
        yield Chip(_opener(shown), "", shown.address_without("button"))
    for name, state in states.items():
        if state.used:
            yield Chip(state.label, state.summary, shown.address_without(name), state.error)


def _opener(shown: ShownList) -> Words:
    """What a chip says of the button or panel of the home page that narrows the list."""
    records, name = shown.records, shown.request.button
    if (panel := opening_panel(records, name)) is not None:
        return panel.label or _("From the home page")
    return display_name(records.policy.declaration.buttons[name])


def _search_chips(shown: ShownList) -> Iterator[Chip]:
    """The chips for the words of the search, and for each of its other parts."""
    records, search = shown.records, shown.request.search
    if search.words:
        yield Chip(_("Search"), search.words, shown.address_with_search(search.without_words))
    for part in search.parts:
        url = shown.address_with_search(search.without(part))
        if isinstance(part, TypedFilter):
            label, text = _filter_in_words(records, part)
            yield Chip(label, text, url, part.filter.error)
        else:
            errors = (typed.filter.error for typed in filters_in(part.parts))
            yield Chip(_in_words(records, part), "", url, next(filter(None, errors), ""))


def _filter_in_words(records: Records, part: TypedFilter) -> tuple[str, str]:
    """A typed filter on a chip: its field and its condition, “Status”, “not Open”."""
    field, reader = records.module.field(part.filter.name), records.policy.reader
    text = reader.text(filter_state(records, field, part.filter).summary)
    return reader.text(field.title), reader.text(_("not ${value}", mapping={"value": text})) if part.negated else text


def _in_words(records: Records, part: SearchPart) -> str:
    """The filters of a chip in words: “Urgency: High or Overdue: Yes”."""
    reader = records.policy.reader
    if isinstance(part, TypedFilter):
        return ": ".join(_filter_in_words(records, part))
    texts = []
    for inner in part.parts:
        text = _in_words(records, inner)
        texts.append(text if isinstance(inner, TypedFilter) else f"({text})")
    text = f" {reader.text(_('or'))} ".join(texts) if part.any else reader.listed(texts)
    return reader.text(_("not ${value}", mapping={"value": f"({text})"})) if part.negated else text


def view_chip(shown: ShownList) -> Iterator[Chip]:
    """The chip of an open saved view, with the way back to the list as declared."""
    if shown.view:
        yield Chip(_("View"), shown.view.name, list_address(shown.records.name, shown.without_view))

"""The chips above a list: what narrows it, each with the address of the list without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from portal.declaration.shapes import display_name
from portal.records.reading.list_request import ListRequest
from portal.records.reading.records import Records
from portal.records.reading.typed_search import SearchPart, TypedFilter, TypedSearch, filters_in
from portal.texts import Words, _
from portal.views.lists.filters import FilterState, Parameters, filter_state
from portal.web.addresses import list_address


@dataclass(frozen=True)
class Chip:
    """Something that narrows the list, with the address of the list without it."""

    label: Words
    text: Words
    url: str
    error: Words = ""  # of a filter that cannot be read, and leaves out nothing


def chips(
    records: Records, list_request: ListRequest, states: Mapping[str, FilterState], parameters: Parameters
) -> Iterator[Chip]:
    """What narrows the list besides the tab, each with the way to take it away."""
    yield from _search_chips(records, list_request.search, parameters)
    if list_request.button:
        button = records.policy.declaration.buttons[list_request.button]
        yield Chip(display_name(button), "", _without(records, parameters, "button"))
    for name, state in states.items():
        if state.used:
            yield Chip(state.label, state.summary, _without(records, parameters, name), state.error)


def _search_chips(records: Records, search: TypedSearch, parameters: Parameters) -> Iterator[Chip]:
    """The words of the search, and each of its other parts."""
    if search.words:
        yield Chip(_("Search"), search.words, search_address(records, parameters, search.without_words))
    for part in search.parts:
        url = search_address(records, parameters, search.without(part))
        if isinstance(part, TypedFilter):
            label, text = _filter_in_words(records, part)
            yield Chip(label, text, url, part.filter.error)
        else:
            errors = (typed.filter.error for typed in filters_in(part.parts))
            yield Chip(_in_words(records, part), "", url, next(filter(None, errors), ""))


def _filter_in_words(records: Records, part: TypedFilter) -> tuple[str, str]:
    """The field of a typed filter, and what it lets through: “Status”, “not Open”."""
    field, reader = records.module.field(part.filter.name), records.policy.reader
    text = reader.text(filter_state(records, field, part.filter).summary)
    return reader.text(field.title), reader.text(_("not ${value}", mapping={"value": text})) if part.negated else text


def _in_words(records: Records, part: SearchPart) -> str:
    """“Urgency: High or Overdue: Yes”."""
    reader = records.policy.reader
    if isinstance(part, TypedFilter):
        return ": ".join(_filter_in_words(records, part))
    texts = []
    for inner in part.parts:
        text = _in_words(records, inner)
        texts.append(text if isinstance(inner, TypedFilter) else f"({text})")
    text = f" {reader.text(_('or'))} ".join(texts) if part.any else ", ".join(texts)
    return reader.text(_("not ${value}", mapping={"value": f"({text})"})) if part.negated else text


def search_address(records: Records, parameters: Parameters, text: str) -> str:
    """The same list with another search."""
    others = [(name, value) for name, value in parameters if name != "q"]
    return list_address(records.name, [*others, ("q", text)] if text else others)


def _without(records: Records, parameters: Parameters, name: str) -> str:
    return list_address(records.name, [(key, value) for key, value in parameters if key.partition(".")[0] != name])

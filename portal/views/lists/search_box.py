"""The search of a list: its messages, the examples in its help, and completions while typing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pyramid.request import Request
from pyramid.view import view_config

from portal.fields.base import Field
from portal.records.reading.filters import filterable
from portal.records.reading.records import Records
from portal.records.reading.typed_search import NOTHING, OR, SPECIAL, TOKEN, FilterNames, filter_names, quote, unquote
from portal.texts import Words, _, fold
from portal.views.lists.shown_list import PANEL, SEARCH_HELP, ShownList
from portal.web.resources import Module

OFFERED = 10  # completions at once
LONGEST = 1_000  # characters of a search


@dataclass(frozen=True)
class SearchExample:
    """An example search in the help, and the list with it."""

    text: str
    meaning: Words
    url: str


@dataclass(frozen=True)
class SearchHelp:
    """How to search this list."""

    examples: tuple[SearchExample, ...]
    names: tuple[str, ...]  # of all fields that can be used before a colon


@dataclass(frozen=True)
class SearchBox:
    """The search of a list as it was typed; drawn by list.pt."""

    text: str
    complete_url: str
    help_url: str
    help: SearchHelp | None = None  # only if requested, so that other pages stay small
    errors: tuple[Words, ...] = ()  # what could not be done
    filter_errors: tuple[Words, ...] = ()  # unreadable values, as on their chips


def search_box(shown: ShownList, with_help: bool) -> SearchBox:
    """The search of a list, with its messages."""
    records, search = shown.records, shown.request.search
    reader = records.policy.reader
    wrong = (typed.filter for typed in search.filters if typed.filter.error)
    labeled = ((records.module.field(typed.name).title, typed.error) for typed in wrong)
    return SearchBox(
        text=search.text,
        complete_url=f"/{records.name}/complete",
        help_url=shown.address((PANEL, SEARCH_HELP)),
        help=_search_help(shown) if with_help else None,
        errors=search.errors,
        filter_errors=tuple(f"{reader.text(label)}: {reader.text(error)}" for label, error in labeled),
    )


def _search_help(shown: ShownList) -> SearchHelp:
    names = filter_names(shown.records)
    examples = (
        SearchExample(text, meaning, shown.address_with_search(text)) for text, meaning in _examples(shown, names)
    )
    return SearchHelp(tuple(examples), tuple(names.spellings.values()))


def _examples(shown: ShownList, names: FilterNames) -> Iterator[tuple[str, Words]]:
    """Searches with fields of this module, preferably columns of the list, and what they mean."""
    reader, typed = shown.records.policy.reader, names.spellings
    fields = sorted(filterable(shown.records), key=lambda field: field.name not in shown.columns)
    yield reader.text(_("“exact words”")), _("these words next to each other")
    if field := next((field for field in fields if len(field.offered) > 1), None):
        options = [quote(reader.text(option.label)) for option in list(field.offered.values())[:2]]
        one, other = (f"{typed[field.name]}:{option}" for option in options)
        yield one, _("records with this value")
        yield f"-{other}", _("records without this value")
        yield f"{one} {reader.text(OR)} {other}", _("one or the other")
    if field := next((field for field in fields if "me" in field.specials and reader.people in field.targets), None):
        yield f"{typed[field.name]}:{reader.text(SPECIAL['me'])}", _("records with your name")
    if field := next((field for field in fields if field.ranged and "today" in field.specials), None):
        yield f"{typed[field.name]}:{reader.text(SPECIAL['today'])}", _("on that day")
        yield f"{typed[field.name]}:{reader.today.replace(day=1)}..{reader.today}", _("from one day to another")
    if field := next((field for field in fields if field.filter == "range" and not field.specials), None):
        yield f"{typed[field.name]}:>=10", _("at least 10; also >, <= and <")
    if field := next((field for field in fields if not field.required), None):
        yield f"{typed[field.name]}:{reader.text(NOTHING)}", _("records where this is empty")


@view_config(context=Module, name="complete", request_method="GET", renderer="json")
def complete_search(module: Module, request: Request) -> list[dict[str, str]]:
    """`GET /MODULE/complete?q=`: completions of a search; `id` is the search, `title` the new part."""
    records, text = module.records, request.GET.get("q", "").replace("\x00", " ")[-LONGEST:]
    token = next((token for token in TOKEN.finditer(text) if token.end() == len(text)), None)
    if token is None or token["quoted"]:
        return []
    names = filter_names(records)
    if token["name"]:
        field, start = names.field(token["name"]), token.start("value")
        offered = _values(records, field, token["value"]) if field and not token["sign"] else ()
    else:
        start = token.start() + token[0].startswith("-")
        offered = _names(records, names, text[start:])
    return [{"id": text[:start] + more, "title": title} for more, title in islice(offered, OFFERED)]


def _names(records: Records, names: FilterNames, begun: str) -> Iterator[tuple[str, str]]:
    """The completions of a search: the fields that a word may be the start of."""
    reader = records.policy.reader
    for field in filterable(records):
        label = reader.text(field.title)
        if begun and (_begins(label, begun) or field.name.startswith(begun)):
            yield f"{names.spellings[field.name]}:", label


def _values(records: Records, field: Field, typed: str) -> Iterator[tuple[str, str]]:
    """The completions of a filter in a search: options, special words, titles of linked records."""
    reader, begun = records.policy.reader, unquote(typed)
    words = [word for word in SPECIAL if word in field.specials and (word != "me" or reader.people in field.targets)]
    labels = [*(reader.text(SPECIAL[word]) for word in words), *(reader.text(o.label) for o in field.offered.values())]
    yield from ((f"{quote(label)} ", label) for label in labels if _begins(label, begun))
    for target in field.targets:
        if records.policy.access(target):
            yield from ((f"{quote(title)} ", title) for _id, title in records.of(target).find(begun, OFFERED))


def _begins(label: str, begun: str) -> bool:
    """Whether a word of a label starts with what is typed into the search."""
    return f" {fold(label)}".find(f" {fold(begun)}") >= 0

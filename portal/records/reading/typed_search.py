"""Parses the search of a list: words, and filters such as `status:open -assignee:me (due:today or …)`.

A text is a filter only if it begins with the name of a field that the reader may filter by; everything else, like
`http://x` and `10:30`, is a word to search for. Filters are parsed like those of an address (filters.py). Half-typed
text, such as an open bracket, is read as far as it goes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.conditions import AllOf, AnyOf, Condition, negation
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.reading.filters import Filter, filterable, parse_filter
from portal.records.reading.records import Records
from portal.texts import _, fold

MOST_FILTERS = 30  # of one search
MOST_BRACKETS = 5  # within one another

QUOTED = r'"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»'
# A piece of a value: in quotes, which may be unclosed at the end; in brackets; one character.
PIECE = rf'(?:{QUOTED}|"[^"]*\Z|\([^\s()"]*\)|[^\s()])'
NAME = rf'(?:{QUOTED}|[^\s:()"“„«-][^\s:()"“„«]*)'
FILTER = rf"(?P<minus>-?)(?P<name>{NAME}):(?P<sign>>=|<=|>|<|)(?P<value>{PIECE}*)"
# Brackets and filters begin where a word would.
TOKEN = re.compile(
    rf'(?<![^\s(])(?:(?P<open>-?\()|{FILTER})|(?P<close>\))|(?P<quoted>{QUOTED})|(?P<word>[^\s()"“„«]+|\S)'
)
ONE_WORD = re.compile(r"\w[\w-]*")
RANGE = re.compile(rf"((?:{QUOTED}|(?!\.\.)[^\s\"“„«])*)\.\.(.*)", re.DOTALL)
# Special words as the value of a filter, as the declaration writes them; readers may also use their own language.
SPECIAL = {"me": _("me"), "today": _("today")}
NOTHING = _("nothing")
OR = _("or")


class TypedFilter(NamedTuple):
    """One filter of a search, and its part of the text. Its condition is None if it cannot be parsed: then it filters
    nothing, like one of an address."""

    start: int
    end: int
    negated: bool
    filter: Filter
    condition: Condition | None


class Joined(NamedTuple):
    """Filters of a typed search of which any or all must hold; `negated`: the opposite."""

    start: int
    end: int
    negated: bool
    any: bool
    parts: tuple["SearchPart", ...]

    @property
    def condition(self) -> Condition | None:
        """None if it filters nothing."""
        conditions = [part.condition for part in self.parts]
        known = tuple(condition for condition in conditions if condition is not None)
        if not known or (self.any and len(known) < len(conditions)):
            return None
        if self.negated and any(typed.condition is None for typed in filters_in(self.parts)):
            return None
        joined = AnyOf(known) if self.any else AllOf(known)
        return negation(joined) if self.negated else joined


SearchPart = TypedFilter | Joined


@dataclass(frozen=True)
class TypedSearch:
    """A search as it was typed: its words and its other parts, all of which must hold."""

    text: str = ""
    words: str = ""
    parts: tuple[SearchPart, ...] = ()
    errors: tuple[str, ...] = ()  # what could not be understood

    @property
    def condition(self) -> Condition:
        """All filters together."""
        return AllOf(tuple(part.condition for part in self.parts if part.condition is not None))

    @property
    def filters(self) -> Iterator[TypedFilter]:
        """Every filter of the search."""
        return filters_in(self.parts)

    @property
    def all_errors(self) -> Iterator[str]:
        """Why parts of it were ignored."""
        yield from (typed.filter.error for typed in self.filters if typed.filter.error)
        yield from self.errors

    def without(self, part: SearchPart) -> str:
        """The text without one of its parts."""
        return " ".join(f"{self.text[: part.start]} {self.text[part.end :]}".split())

    @property
    def without_words(self) -> str:
        """The text of its parts alone."""
        return " ".join(self.text[part.start : part.end] for part in self.parts)


def filters_in(parts: Sequence[SearchPart]) -> Iterator[TypedFilter]:
    """Every filter in the `parts` of a typed search."""
    for part in parts:
        if isinstance(part, TypedFilter):
            yield part
        else:
            yield from filters_in(part.parts)


def read_search(records: Records, text: str) -> TypedSearch:
    """The search that a reader typed. Without a filter it consists of its words alone."""
    if ":" not in text:
        return TypedSearch(text, text)
    return _Parser(records, text).search()


def as_words(records: Records, text: str) -> str:
    """The search for all words of `text`, including what would be read as filters."""
    return text if read_search(records, text).words == text else text.replace(":", " ")


@dataclass(frozen=True)
class FilterNames:
    """The names that a reader may use in a typed search for the fields they may filter by."""

    fields: Mapping[str, Field]  # by their names, and by their labels unless another field has that name
    spellings: Mapping[str, str]  # by name, how a field is typed: its label, if that is one unambiguous word

    def field(self, text: str) -> Field | None:
        """The field that a text means; spaces may be hyphens or underscores."""
        return self.fields.get(fold(unquote(text))) or self.fields.get(_with_spaces(fold(unquote(text))))


def filter_names(records: Records) -> FilterNames:
    """The names of filters in a typed search: of the fields that the reader of `records` may filter by."""
    reader, fields = records.policy.reader, list(filterable(records))
    labels = {field.name: fold(reader.text(field.title)).replace(" ", "-") for field in fields}
    by_label = {_with_spaces(labels[field.name]): field for field in reversed(fields)}
    called = by_label | {_with_spaces(field.name): field for field in fields} | {field.name: field for field in fields}
    typed = {
        field.name: label if called[_with_spaces(label)] is field and ONE_WORD.fullmatch(label) else field.name
        for field, label in zip(fields, labels.values(), strict=True)
    }
    return FilterNames(called, typed)


def _with_spaces(text: str) -> str:
    return text.replace("-", " ").replace("_", " ").strip()


def quote(text: str) -> str:
    """A value as it is typed into a search: in quotes if it needs them."""
    if re.fullmatch(r'[^\s()"“„«<>]+', text) and ".." not in text:
        return text
    return f'"{text}"' if '"' not in text else f"“{text.replace('”', '')}”"


def unquote(text: str) -> str:
    """A name or value of a typed search without its quotes, which may be unclosed."""
    if text.isalnum():
        return text
    return re.sub(QUOTED, lambda quote: quote[0][1:-1], text).removeprefix('"').strip()


class _Word(NamedTuple):
    start: int
    end: int


class _Or(NamedTuple):
    start: int
    end: int


class _Group(NamedTuple):
    """The content of a pair of brackets in a typed search."""

    start: int
    end: int
    negated: bool
    items: "list[_Item]"


_Item = _Word | _Or | _Group | TypedFilter


class _Parser:
    """Parses one typed search in two passes: first brackets, then what `or` joins."""

    def __init__(self, records: Records, text: str) -> None:
        self.records, self.text = records, text
        self.names = filter_names(records)
        self.tokens = list(TOKEN.finditer(text))
        self.place = 0
        self.number_of_filters = 0
        self.half_typed = False  # a filter without its value
        self.ors = ("or", fold(records.policy.reader.text(OR)))
        self.errors: dict[str, None] = {}

    def search(self) -> TypedSearch:
        items: list[_Item] = []
        while self.place < len(self.tokens):  # an unmatched closing bracket ends the items, and means nothing
            items += self._items(0)
        parts, words = self._joined(items)
        if not self.number_of_filters and not self.half_typed:
            return TypedSearch(self.text, self.text)
        typed = " ".join(self.text[word.start : word.end] for word in sorted(words))
        return TypedSearch(self.text, typed, tuple(parts), tuple(self.errors))

    def _items(self, depth: int) -> list[_Item]:
        """Everything up to the next closing bracket, or the end."""
        items: list[_Item] = []
        ignored = 0  # open brackets that mean nothing
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            self.place += 1
            if token["close"]:
                if not ignored:
                    break
                ignored -= 1
            elif token["open"] and depth < MOST_BRACKETS:
                items.append(self._group(token, depth))
            elif token["open"]:
                ignored += 1
                self._add_error(_("The brackets are nested too deeply."))
            elif token["name"]:
                items += self._filter_or_word(token)
            elif fold(token[0]) in self.ors:
                items.append(_Or(*token.span()))
            else:
                items.append(_Word(*token.span()))
        return items

    def _group(self, token: re.Match[str], depth: int) -> _Group:
        items = self._items(depth + 1)
        end = self.tokens[self.place - 1].end()
        return _Group(token.start(), end, token[0].startswith("-"), items)

    def _filter_or_word(self, token: re.Match[str]) -> list[_Item]:
        field, reader = self.names.field(token["name"]), self.records.policy.reader
        is_last = not self.text[token.end() :].strip(" )")
        if field is None or not (token["value"] or is_last):
            return [_Word(*token.span())]
        chosen = _typed_filter(field, token["sign"], token["value"], reader)
        if not chosen.used:
            self.half_typed = True
            return []
        self.number_of_filters += 1
        if self.number_of_filters > MOST_FILTERS:
            self._add_error(_("There are too many filters in this search."))
            return []
        chosen, conditions = parse_filter(self.records, field, chosen)
        condition: Condition | None = AllOf(tuple(conditions)) if conditions else None
        negated = bool(token["minus"])
        if negated and condition is not None:
            condition = negation(condition)
        return [TypedFilter(*token.span(), negated, chosen, condition)]

    def _joined(self, items: Sequence[_Item]) -> tuple[list[SearchPart], list[_Word]]:
        """The filters and the words among `items`; neighbors of `or` are joined into one part."""
        parts: list[SearchPart] = []
        words: list[_Word] = []
        operands = [self._operand(item) for item in items]
        joins = False
        for index, item in enumerate(items):
            if isinstance(item, _Or):
                joins = self._joins(operands, index)
                if not joins and not self._stands_beside_filter(operands, index):
                    words.append(_Word(*item))
                continue
            of_item, more_words = operands[index]
            if joins and of_item:
                parts[-1] = _either(parts[-1], of_item[0])
            else:
                parts += of_item
            words += more_words
            joins = False
        return parts, words

    def _operand(self, item: _Item) -> tuple[list[SearchPart], list[_Word]]:
        if isinstance(item, _Word):
            return [], [item]
        if isinstance(item, TypedFilter):
            return [item], []
        if isinstance(item, _Or):
            return [], []
        parts, words = self._joined(item.items)
        if words and parts and item.negated:
            self._add_error(_("A minus works only before a filter, not before a word."))
        if not parts or words:
            return parts, words
        if len(parts) == 1 and not item.negated:
            return [parts[0]._replace(start=item.start, end=item.end)], []
        return [Joined(item.start, item.end, item.negated, False, tuple(parts))], []

    def _joins(self, operands: Sequence[tuple[list[SearchPart], list[_Word]]], index: int) -> bool:
        """Whether both neighbors of an `or` are filters. Adds an error if one is and the other cannot be."""
        beside = [operands[place] for place in (index - 1, index + 1) if 0 <= place < len(operands)]
        whole = [len(parts) == 1 and not words for parts, words in beside]
        if len(whole) == 2 and all(whole):
            return True
        if any(words for _parts, words in beside) and any(parts for parts, _words in beside):
            self._add_error(_("“or” works only between filters, not between words."))
        return False

    def _stands_beside_filter(self, operands: Sequence[tuple[list[SearchPart], list[_Word]]], index: int) -> bool:
        return any(operands[place][0] for place in (index - 1, index + 1) if 0 <= place < len(operands))

    def _add_error(self, words: str) -> None:
        self.errors[words] = None


def _either(first: SearchPart, second: SearchPart) -> Joined:
    """Two neighbors of `or` in a typed search; the first may already be joined from others."""
    if isinstance(first, Joined) and first.any and not first.negated:
        return first._replace(end=second.end, parts=(*first.parts, second))
    return Joined(first.start, second.end, False, True, (first, second))


def _typed_filter(field: Field, sign: str, value: str, reader: Reader) -> Filter:
    """The filter that a text such as `>=10`, `10..20` or `"one two"` means for a field."""
    if sign and field.ranged:
        return _one_sided(field.name, sign, _meaning(field, value, reader))
    bounds = RANGE.fullmatch(value) if field.ranged else None
    if bounds:
        least, most = (_meaning(field, bound, reader) for bound in bounds.groups())
        return Filter(field.name, minimum=least, maximum=most)
    if fold(value) in ("nothing", fold(reader.text(NOTHING))):
        return Filter(field.name, empty=True)
    meaning = _meaning(field, value, reader)
    return Filter(field.name, values=(sign + meaning,) if meaning else ())


def _one_sided(name: str, sign: str, bound: str) -> Filter:
    if sign.endswith("="):
        return Filter(name, minimum=bound) if sign == ">=" else Filter(name, maximum=bound)
    return Filter(name, above=bound) if sign == ">" else Filter(name, below=bound)


def _meaning(field: Field, value: str, reader: Reader) -> str:
    """A value in a typed search without quotes; a special word as the declaration writes it."""
    folded = fold(value)
    for special, word in SPECIAL.items():
        if special in field.specials and folded in (special, fold(reader.text(word))):
            return special
    return unquote(value)

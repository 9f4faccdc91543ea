"""Misspelled names: similar names of the language and the folder, at every place where the same name is unknown."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portal.declaration.source.document import Document
from portal.declaration.source.problems import ALSO, KeyPath, Problem, RelatedPlace
from portal.declaration.synonyms import OUR_TYPES
from portal.workshop.fixing.edits import Alternatives, Edit, Proposal, SourceText
from portal.workshop.fixing.known_words import (
    declared_words,
    everyday_words,
    names_of,
    words_of_key,
    words_of_the_language,
)

MOST_ALTERNATIVES = 24
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_QUOTED = re.compile(r'["“]([^"”]+)["”]')

FARTHEST = 3
# The keys under which names are declared.
DECLARING = ("modules", "fields", "options", "transitions", "tabs", "buttons")


def respelled(problem: Problem, sources: Mapping[str, SourceText], documents: list[Document]) -> Iterator[Alternatives]:
    """The name that the problem is about, replaced by similar names, the closest first."""
    wrong = _wrong_name(problem, sources[problem.file])
    if not any(map(str.isalpha, wrong)):
        return  # a number or a date close to another one is not a typo
    if translated := _translated(problem, wrong):
        yield [_everywhere(problem, wrong, translated, sources)]
    key = next((str(part) for part in reversed(problem.path) if isinstance(part, str)), "")
    for group in near(wrong, words_of_the_language() | names_of(documents) | words_of_key(key)):
        alternatives = [_everywhere(problem, wrong, name, sources) for name in group[:MOST_ALTERNATIVES]]
        yield [proposal for proposal in alternatives if proposal]


def renamed_declarations(
    problem: Problem, chosen: Proposal, sources: Mapping[str, SourceText], documents: list[Document]
) -> Iterator[Proposal]:
    """The other way to make the names agree: the declaration gets the wrong name."""
    wrong, right = _wrong_name(problem, sources[problem.file]), chosen[0].text
    for document, path, is_key in _places_where_declared(right, documents):
        source = sources[document.file]
        line, column = document.place(path, key=is_key)
        shift = source.lines[line - 1][column - 1 :].find(right)
        if shift >= 0:
            yield source.replaced(line, column + shift, len(right), wrong)


def _places_where_declared(name: str, documents: Iterable[Document]) -> Iterator[tuple[Document, KeyPath, bool]]:
    """The places where a name is declared: the file, the path, and whether it is a key there."""
    for document in documents:
        for path in _paths(document.data, ()):
            above = path[-2] if len(path) > 1 else None
            if above in DECLARING and path[-1] == name:
                yield document, path, True
            elif above == "options" and document.value(path) == name:
                yield document, path, False


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def only_right_name_is_in_use(problem: Problem, chosen: Proposal, sources: Mapping[str, SourceText]) -> bool:
    """Whether the words of the right name also appear elsewhere, as in a label, and those of the wrong one do not."""
    wrong, right = _wrong_name(problem, sources[problem.file]), chosen[0].text
    texts = (_NAME.sub(_without(wrong, right), source.text) for source in sources.values())
    known = everyday_words().union(*map(declared_words, texts))
    return known.issuperset(declared_words(right)) and not known.issuperset(declared_words(wrong))


def _without(*names: str) -> Callable[[re.Match[str]], str]:
    return lambda match: "" if match[0] in names else match[0]


def _wrong_name(problem: Problem, source: SourceText) -> str:
    """The misspelled name: that in the message if it is at the place of the problem, else whatever is there."""
    if problem.line > len(source.lines):
        return ""
    named = _QUOTED.search(problem.statement)
    if named is not None and _column_of(named[1], problem, source) is not None:
        return named[1]
    there = source.marked(problem.line, problem.column)
    return there.strip("\"'") if len(there) < 60 and not re.search(r"[\[\]{}\s]", there) else ""


def _translated(problem: Problem, wrong: str) -> str | None:
    """Our name for a misspelled or another system's field type, if there is exactly one."""
    ours = OUR_TYPES.get(wrong.casefold().replace("-", "_"), [])
    return ours[0] if problem.message.startswith("no field type") and len(ours) == 1 else None


def _everywhere(problem: Problem, wrong: str, right: str, sources: Mapping[str, SourceText]) -> Proposal:
    """The edits of a misspelled name at the place of the problem and at all related places with the same name."""
    places: list[Problem | RelatedPlace] = [problem, *(place for place in problem.related if place.note == ALSO)]
    edits: list[Edit] = []
    for place in places:
        source = sources[place.file]
        column = _column_of(wrong, place, source)
        if column is None:
            return ()
        text = _as_yaml(right, source.marked(place.line, place.column))
        edits += source.replaced(place.line, column, len(wrong), text)
    return tuple(edits)


def _column_of(name: str, place: Problem | RelatedPlace, source: SourceText) -> int | None:
    """The column of a misspelled name within the text at a place, or of the key just before it."""
    there = source.marked(place.line, place.column)
    match = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", there) or re.search(re.escape(name), there)
    if match is not None:
        return place.column + match.start()
    key = re.search(rf"(?<![\w-]){re.escape(name)}(?=:\s+$)", source.before(place.line, place.column))
    return key.start() + 1 if key is not None else None


def _as_yaml(name: str, there: str) -> str:
    """The right name, in quotes if YAML would misread it without them, unless the misspelled one already has some."""
    plain = re.fullmatch(r"[A-Za-z_$][\w.$/+-]*(?: [\w]+)*", name) is not None
    return name if plain or there[:1] in "\"'" else f'"{name}"'


def near(wrong: str, known: Iterable[str]) -> Iterator[list[str]]:
    """Names similar to a misspelled one, the closest first: equal but for case, hyphens and plural, then by typos."""
    names = {name for name in known if name and name != wrong}
    folded, single = _folded(wrong), _singular(_folded(wrong))
    same = sorted(name for name in names if _folded(name) == folded)
    plural = sorted(name for name in names - {*same} if _singular(_folded(name)) == single)
    yield from (group for group in (same, plural) if group)
    left = names - {*same, *plural}
    limit = _limit(wrong)
    by_slips: dict[int, list[str]] = {}
    for name in sorted(left):
        if abs(len(name) - len(wrong)) <= limit and (number := slips(folded, _folded(name))) <= limit:
            by_slips.setdefault(number, []).append(name)
    yield from (by_slips[number] for number in sorted(by_slips))


def slips(one: str, other: str) -> int:
    """How many typos turn one name into the other: letters left out, added, changed, or swapped with the next one.

    The optimal string alignment distance (Boytsov 2011).
    """
    before_last, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, other_letter in enumerate(other, 1):
            best = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other_letter))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter:
                best = min(best, before_last[column - 2] + 1)
            line.append(best)
        before_last, last = last, line
    return last[-1]


def _limit(name: str) -> int:
    """The plausible number of typos in a misspelled name of this length."""
    for slips, length in enumerate((2, 6, 10)):
        if len(name) < length:
            return slips
    return FARTHEST


def _folded(name: str) -> str:
    return re.sub(r"[-_\s]", "", name.casefold())


def _singular(folded: str) -> str:
    return re.sub(r"ies$", "y", folded).removesuffix("s")

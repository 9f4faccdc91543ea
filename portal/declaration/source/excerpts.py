"""The lines of a file that are shown with a problem, and how much of the last one is marked.

`with_lines` adds lines to problems right after the files are read, so that a page shows what was read and not what is
in the file now. Everything that shows a problem makes an Excerpt from them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from unicodedata import east_asian_width

from portal.declaration.source.document import Document
from portal.declaration.source.problems import Problem, RelatedPlace

BEFORE = 2  # lines shown above the line itself
LONGEST_LINE = 160
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_IN_BRACKETS = re.compile(r"[\[{][^\[\]{}]*[\]}]")
_TEXT = re.compile(r"(?:(?!:(?:\s|$)|\s+#|\s+$).)+")
_TEXT_IN_BRACKETS = re.compile(r"(?:(?!:(?:\s|$)|\s+#|\s*[,\[\]{}]|\s+$).)+")


@dataclass(frozen=True)
class Excerpt:
    """`lines` without unprintable characters, the first with the number `first`; the mark is below the last one."""

    first: int
    lines: tuple[str, ...]
    before_mark: str  # spaces as wide as the text before the mark
    mark: int  # the number of characters that are marked, at least 1


def with_lines(problem: Problem, documents: Mapping[str, Document]) -> Problem:
    """`problem` and its related places with their lines from `documents`, if any."""
    related = tuple(replace(place, lines=_lines(place, documents, 1)) for place in problem.related)
    return replace(problem, related=related, lines=_lines(problem, documents, BEFORE))


def excerpt(place: Problem | RelatedPlace) -> Excerpt | None:
    """The lines of a file to show with a problem or a related place; None if there is no line."""
    if not place.lines:
        return None
    line, column = place.lines[-1], place.column - 1
    cut = max(0, column - LONGEST_LINE // 2) if len(line) > LONGEST_LINE else 0
    shown = tuple(_visible(text[cut : cut + LONGEST_LINE]) for text in place.lines)
    mark = min(marked(line, column), max(1, LONGEST_LINE - column + cut))
    return Excerpt(place.line - len(place.lines) + 1, shown, " " * _width(_visible(line[cut:column])), mark)


def marked(line: str, column: int) -> int:
    """How many characters from `column`, counted from 0, belong to the value or name that begins there; at least 1."""
    rest = line[column:]
    if rest[:1] in ("[", "{"):
        return _brackets(rest)
    inside = is_in_brackets(line[:column])
    match = _QUOTED.match(rest) or (_TEXT_IN_BRACKETS if inside else _TEXT).match(rest)
    return max(1, len(match[0])) if match else 1


def _lines(place: Problem | RelatedPlace, documents: Mapping[str, Document], before: int) -> tuple[str, ...]:
    document = documents.get(place.file)
    if document is None or not document.text or place.line > len(document.lines):
        return ()
    lines: Sequence[str] = document.lines[max(0, place.line - 1 - before) : place.line]
    # Empty lines before it are useless; the line itself is always shown.
    while len(lines) > 1 and not lines[0].strip():
        lines = lines[1:]
    return tuple(lines)


def _brackets(rest: str) -> int:
    """The length up to the bracket that closes the first one; 1 if none does."""
    depth = 0
    for index, character in enumerate(_QUOTED.sub(lambda match: "." * len(match[0]), rest)):
        depth += (character in "[{") - (character in "]}")
        if depth == 0:
            return index + 1
    return 1


def is_in_brackets(before: str) -> bool:
    """Whether a bracket is open after the beginning of a line that a problem shows."""
    plain = _QUOTED.sub("", before)
    while (shorter := _IN_BRACKETS.sub("", plain)) != plain:
        plain = shorter
    return bool(re.search(r"(?:^|[\s:,\[{-])[\[{]", plain))


def _visible(text: str) -> str:
    return _INVISIBLE.sub(lambda match: "→" if match[0] == "\t" else "\N{REPLACEMENT CHARACTER}", text)


def _width(text: str) -> int:
    """How many columns of a terminal a shown text takes, to place the mark below it."""
    return sum(2 if east_asian_width(character) in ("W", "F") else 1 for character in text)

"""Reads one YAML file into plain data that knows the place of each part in the file.

Whatever the bytes are, the result is a Document: a file with errors has problems, and reading never raises. The reader
does not know what the keys mean, or which are required.

The events of the C parser are built into data in one pass and without recursion, so that depth and aliases are limited
while reading, all duplicate keys and tags are found, and places are cheap: letting YAML compose its own nodes first
takes several times as long.
"""

import re
import sys
from collections.abc import Callable
from typing import Any, Protocol

import yaml
from yaml._yaml import CParser

from portal.declaration.source.decoding import LARGEST_FILE, UnreadableError, decode
from portal.declaration.source.document import Document, place_of
from portal.declaration.source.nodes import Collection, Node, OpenList, OpenMapping, YamlMark, copy_data
from portal.declaration.source.problems import KeyPath, Problem, ProblemText, RelatedPlace, quoted_name
from portal.declaration.source.scalars import plain_value
from portal.declaration.source.suggestions import suggest
from portal.declaration.source.syntax_errors import (
    NOT_A_SPACE,
    TYPOGRAPHIC_QUOTES,
    error_in_words,
    unseen_break,
)
from portal.declaration.source.text_lines import LINE_BREAK

DEEPEST = 50
MOST_THROUGH_ALIASES = 200_000
MOST_PROBLEMS = 1_000

_ODD_START = re.compile(f"[{NOT_A_SPACE}]")
_BLANK_WITH_TAB = re.compile(r"^ *\t[ \t]*(?=[#\r\n]|$)", re.MULTILINE)
_SUSPICIOUS = re.compile(f"[{NOT_A_SPACE}{TYPOGRAPHIC_QUOTES}]")


def read(raw: bytes, file: str) -> Document:
    """Reads the YAML document in `raw`; `file` is the name for its problems."""
    problems: list[Problem] = []
    text = ""
    try:
        text = decode(raw)
        reading = _Reading(text, file, problems)
        try:
            data = reading.build()
        except UnreadableError as error:
            if not _is_blank(text, error.place[0]):
                raise
            # YAML allows tabs in lines without content, and the parser does not.
            problems.clear()
            reading = _Reading(_BLANK_WITH_TAB.sub(lambda tabs: " " * len(tabs[0]), text), file, problems)
            data = reading.build()
        document = Document(file, data, problems, reading.root, text)
        if (unseen := unseen_break(text, 0, len(text))) is not None:
            problems.append(Problem(file, *unseen[0], (), unseen[1], warning=True))
        return document
    except UnreadableError as error:
        problems.append(Problem(file, *error.place, error.path, error.message))
        return Document(file, None, problems, text=text or raw[:LARGEST_FILE].decode("utf-8", "replace"))


def _is_blank(text: str, line: int) -> bool:
    """Whether a line of a YAML file, counted from 1, only has a tab, spaces and a comment."""
    lines = LINE_BREAK.split(text)
    return line <= len(lines) and _BLANK_WITH_TAB.match(lines[line - 1]) is not None


class _CollectionEvent(Protocol):
    start_mark: YamlMark
    tag: str | None
    anchor: str | None


class _ScalarEvent(_CollectionEvent, Protocol):
    value: str
    implicit: tuple[bool, bool]
    style: str | None
    end_mark: YamlMark


class _Reading:
    """The events of one file, built into data and nodes."""

    def __init__(self, text: str, file: str, problems: list[Problem]) -> None:
        self.root: Node | None = None
        self._data: Any = None
        self._text = text
        self._file = file
        self._problems = problems
        self._open: list[Collection] = []
        self._anchors: dict[str, tuple[Node, Any] | None] = {}  # None: the value is still being read
        self._through_aliases = 0
        self._documents = 0
        self._last: YamlMark | None = None
        self._last_scalar: _ScalarEvent | None = None

    def build(self) -> Any:
        """The data; adds the problems that leave the rest readable. Raises UnreadableError."""
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin_mapping,
            yaml.SequenceStartEvent: self._begin_list,
            yaml.MappingEndEvent: self._end_collection,
            yaml.SequenceEndEvent: self._end_collection,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._begin_document,
        }
        try:
            parser = CParser(self._text)
            while self._documents < 2:
                event = parser.get_event()
                if event is None or isinstance(event, yaml.StreamEndEvent):
                    break
                self._last = event.end_mark
                if handler := handlers.get(type(event)):
                    handler(event)
        except yaml.MarkedYAMLError as error:
            opened = self._open[-1].node.mark if self._open else None
            place, words = error_in_words(error, self._text, self._last_scalar, opened)
            raise UnreadableError(place or (1, 1), words, self._path()) from None
        except (yaml.YAMLError, UnicodeError):
            raise self._unreadable(self._last, "the file cannot be read from here on: is it text in UTF-8?") from None
        return self._data

    def _begin_document(self, event: _CollectionEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            sentence = ProblemText('a file holds only one document: remove the "---"', "document")
            self._report(event.start_mark, (), sentence)

    def _scalar(self, event: _ScalarEvent) -> None:
        self._last_scalar = event
        text = sys.intern(event.value)  # names and words are repeated, also in other portals
        plain = event.implicit[0]
        if plain and (_SUSPICIOUS.match(text) or text.endswith('"') or " // " in text):
            self._check_plain(event)
        if event.tag is not None:
            self._refuse_tag(event)
        elif event.style == '"' and "\0" in text:
            self._report(event.start_mark, self._path(), 'a text cannot hold the character U+0000 ("\\0")')
        node = Node(event.start_mark, text, plain)
        self._add(node, plain_value(text) if plain else text, event.anchor)

    def _check_plain(self, event: _ScalarEvent) -> None:
        """Reports what people take for quotes, spaces and comments, but YAML does not."""
        text = event.value
        if not self._path_is_at_value() and text[:1] and _ODD_START.match(text):
            wrong = f"this line begins with a special space (U+{ord(text[0]):04X}): indent with ordinary spaces"
            raise self._unreadable(event.start_mark, wrong)
        if len(text) > 1 and text[0] in TYPOGRAPHIC_QUOTES and text[-1] in TYPOGRAPHIC_QUOTES:
            self._misread(event, f'{text[0]} and {text[-1]} become part of the text: use " to quote it')
        elif text.endswith('"') and text.count('"') % 2:
            self._misread(event, 'the " becomes part of the text: quotes are needed at both of its ends')
        elif " // " in text:
            self._misread(event, '"//" becomes part of the text: a comment begins with "#"')

    def _path_is_at_value(self) -> bool:
        """Whether the next scalar is a value; else it is a key."""
        return not self._open or bool(self._open[-1].current())

    def _begin_mapping(self, event: _CollectionEvent) -> None:
        self._begin(event, OpenMapping(Node(event.start_mark), event.anchor, self._report_below))

    def _begin_list(self, event: _CollectionEvent) -> None:
        self._begin(event, OpenList(Node(event.start_mark), event.anchor))

    def _begin(self, event: _CollectionEvent, collection: Collection) -> None:
        if event.tag is not None:
            self._refuse_tag(event)
        if len(self._open) >= DEEPEST:
            raise self._unreadable(event.start_mark, f"lists and mappings are nested deeper than {DEEPEST} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(collection)

    def _end_collection(self, _event: Any) -> None:
        collection = self._open.pop()
        collection.close()
        self._add(collection.node, collection.value, collection.anchor)

    def _add(self, node: Node, value: Any, anchor: str | None) -> None:
        """Adds a complete value to the innermost open collection."""
        if anchor is not None:
            self._anchors[anchor] = (node, value)
        if self._open:
            self._open[-1].take(node, value)
        else:
            self.root, self._data = node, value

    def _alias(self, event: _CollectionEvent) -> None:
        anchor = event.anchor or ""
        target = self._anchors.get(anchor)
        if target is None:
            self._report(event.start_mark, self._path(), self._why_no_anchor(anchor))
            target = (Node(event.start_mark, "", plain=True), None)
        node, value = target
        if node.source_text is not None:
            node = Node(event.start_mark, node.source_text, node.plain)
        self._through_aliases += node.size
        if self._through_aliases > MOST_THROUGH_ALIASES:
            wrong = f"aliases repeat more than {MOST_THROUGH_ALIASES:,} values: use fewer"
            raise self._unreadable(event.start_mark, wrong)
        if len(self._open) + node.height > DEEPEST:
            wrong = f"this alias makes lists and mappings nested deeper than {DEEPEST} levels"
            raise self._unreadable(event.start_mark, wrong)
        self._add(node, copy_data(value), None)

    def _why_no_anchor(self, anchor: str) -> str:
        if anchor in self._anchors:
            return f"{quoted_name('*' + anchor)} is inside the value that it repeats, which would never end"
        guess = suggest(anchor, self._anchors)
        return f'there is no {quoted_name("&" + anchor)} above{guess}; a text that begins with "*" needs quotes'

    def _refuse_tag(self, event: _CollectionEvent) -> None:
        tag = (event.tag or "").replace("tag:yaml.org,2002:", "!!")
        wrong = f"tags are not used here: remove {quoted_name(tag)}, or put the text in quotes"
        self._report(event.start_mark, self._path(), wrong)

    def _path(self) -> KeyPath:
        return tuple(part for collection in self._open for part in collection.current())

    def _report_below(self, mark: YamlMark, path: KeyPath, message: str, first: YamlMark | None = None) -> None:
        """Reports a problem in the innermost open mapping; `path` is relative to it."""
        above = tuple(part for collection in self._open[:-1] for part in collection.current())
        self._report(mark, above + path, message, first)

    def _report(self, mark: YamlMark, path: KeyPath, message: str, first: YamlMark | None = None) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            raise self._unreadable(mark, f"only the first {MOST_PROBLEMS:,} problems of this file are listed")
        related = (RelatedPlace(self._file, *place_of(first), "first defined here"),) if first is not None else ()
        self._problems.append(Problem(self._file, *place_of(mark), path, message, related=related))

    def _misread(self, event: _ScalarEvent, message: str) -> None:
        sentence = ProblemText(message, "misread")
        self._problems.append(Problem(self._file, *place_of(event.start_mark), self._path(), sentence, warning=True))

    def _unreadable(self, mark: YamlMark | None, message: str) -> UnreadableError:
        return UnreadableError(place_of(mark) if mark is not None else (1, 1), message, self._path())

"""Why a search finds a record: which pieces of a text match the typed words, and in which field the others are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.database.search.words import SearchWords
from portal.fields.base import Field
from portal.texts import UNSPACED, words

# A piece of text that may be a word: letters and digits, soft hyphens between them. Scripts without spaces fall into
# single characters.
PIECE = re.compile(UNSPACED.pattern + r"|[^\W_]+(?:\xad[^\W_]+)*")
LONGEST = 5_000  # characters of one text that are compared
BEFORE, AFTER = 30, 50  # characters of an excerpt around what matches

Matches = tuple[tuple[str, bool], ...]


def matches(text: str, searched: SearchWords) -> Matches:
    """`text` in pieces, each with whether it matches; empty where none does."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    if text.isascii() and not _may_match(text.lower(), searched):
        return ()
    for piece in PIECE.finditer(text[:LONGEST]):
        if _piece_matches(piece[0], searched):
            pieces += [(text[end : piece.start()], False), (piece[0], True)]
            end = piece.end()
    return tuple(part for part in (*pieces, (text[end:], False)) if part[0]) if pieces else ()


def excerpt(text: str, searched: SearchWords) -> str:
    """The words around the first match in `text`, on one line: “… the toner is empty …”; "" where none matches."""
    text = " ".join(text[:LONGEST].split())
    piece = next((piece for piece in PIECE.finditer(text) if _piece_matches(piece[0], searched)), None)
    if piece is None:
        return ""
    start = text.find(" ", max(0, piece.start() - BEFORE)) + 1 if piece.start() > BEFORE else 0
    end = text.rfind(" ", piece.end(), piece.end() + AFTER) if len(text) > piece.end() + AFTER else len(text)
    start, end = min(start, piece.start()), max(end, piece.end())
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def field_that_matches(fields: Iterable[Field], values: Mapping[str, Any], searched: SearchWords) -> Field | None:
    """The first of `fields` with a word that matches."""
    return next((field for field in fields if _any_matches(field.texts(values.get(field.name)), searched)), None)


def _may_match(text: str, searched: SearchWords) -> bool:
    """Whether it is worth comparing word by word."""
    return any(term.word in text for term in searched.terms)


def _any_matches(texts: Iterable[str], searched: SearchWords) -> bool:
    return any(_word_matches(word, searched) for text in texts for word in words(text[:LONGEST]))


def _piece_matches(piece: str, searched: SearchWords) -> bool:
    return any(_word_matches(word, searched) for word in _folded(piece))


def _folded(piece: str) -> Sequence[str]:
    return (piece.lower(),) if piece.isascii() else words(piece)


def _word_matches(word: str, searched: SearchWords) -> bool:
    # A number is found without its leading zeros too.
    bare = word.lstrip("0") if word.isdigit() else word
    return any(
        term.word in (word, bare) if term.whole else word.startswith(term.word) or bare.startswith(term.word)
        for term in searched.terms
    )

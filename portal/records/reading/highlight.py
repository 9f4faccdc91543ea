"""Why a record was found: which pieces of what is shown are what somebody typed, and in which field the rest stands."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.database.search.index import Words, parse_words
from portal.fields.base import Field
from portal.texts import fold, words

# A piece of text that may be a word: letters and digits. What is written without spaces falls into its characters.
PIECE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_]+")
LONGEST = 5_000  # characters of one text that are looked through

Matches = tuple[tuple[str, bool], ...]


def read(text: str) -> Words:
    """What somebody typed, as the search understands it."""
    return parse_words(text)


def matches(text: str, typed: Words) -> Matches:
    """`text` in pieces, and whether each is what was typed; empty where nothing of it is."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    if text.isascii() and not _may_stand_in(text.lower(), typed):
        return ()
    for piece in PIECE.finditer(text[:LONGEST]):
        if _is_meant(piece[0], typed):
            pieces += [(text[end : piece.start()], False), (piece[0], True)]
            end = piece.end()
    return tuple(part for part in (*pieces, (text[end:], False)) if part[0]) if pieces else ()


def elsewhere(fields: Iterable[Field], values: Mapping[str, Any], typed: Words) -> Field | None:
    """The first of `fields` in which something of what was typed stands."""
    return next((each for each in fields if _stands_in(each.texts(values.get(each.name)), typed)), None)


def _may_stand_in(text: str, typed: Words) -> bool:
    """Whether it is worth looking word by word."""
    return any(each.word in text for each in typed.terms)


def _stands_in(texts: Iterable[str], typed: Words) -> bool:
    return any(_found(word, typed) for text in texts for word in words(text[:LONGEST]))


def _is_meant(piece: str, typed: Words) -> bool:
    return any(_found(word, typed) for word in _folded(piece))


def _folded(piece: str) -> Iterator[str]:
    yield from (piece.lower(),) if piece.isascii() else words(fold(piece))


def _found(word: str, typed: Words) -> bool:
    # A number is found without its leading zeros too.
    bare = word.lstrip("0") if word.isdigit() else word
    return any(
        each.word in (word, bare) if each.whole else word.startswith(each.word) or bare.startswith(each.word)
        for each in typed.terms
    )

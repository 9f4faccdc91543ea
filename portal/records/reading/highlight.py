"""Why a search finds a record: which pieces of a text match the typed words, and which other field matches."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from portal.database.search.words import LEADING_ZEROS, SearchWords
from portal.fields.base import Field
from portal.texts import COMPOUND, JOINTS, UNSPACED, fold, indexed_words

# A piece of text that may be a word: letters and digits, with soft hyphens between them. Scripts without spaces are
# split into single characters.
WORD = re.compile(UNSPACED.pattern + r"|[^\W_]+(?:\xad[^\W_]+)*")
PIECE = re.compile(f"{COMPOUND.pattern}|{WORD.pattern}")
MARK = re.compile(r"[^\w\s\x00-\x7f]|[\u02bb\u02bc]")  # may be a hyphen or an apostrophe, even one that is a letter
# A text with these may be found by something that it does not contain: TT-0030 by tt30.
NOT_AS_WRITTEN = re.compile(f"{JOINTS.pattern}|0")
LONGEST = 5_000  # characters of one text that are compared
BEFORE, AFTER = 30, 50  # characters of an excerpt around what matches

Matches = tuple[tuple[str, bool], ...]


def matches(text: str, searched: SearchWords) -> Matches:
    """A `text` in pieces, each with whether it matches the search; empty if none matches."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    if text.isascii() and not _may_match(text.lower(), searched):
        return ()
    for piece in _matching_pieces(text[:LONGEST], searched):
        pieces += [(text[end : piece.start()], False), (text[piece.start() : piece.end()], True)]
        end = piece.end()
    return tuple(part for part in (*pieces, (text[end:], False)) if part[0]) if pieces else ()


def excerpt(text: str, searched: SearchWords) -> str:
    """The words around the first match in `text`, on one line: “… the toner is empty …”; "" if none matches."""
    text = " ".join(text[:LONGEST].split())
    piece = next(_matching_pieces(text, searched), None)
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
    """Whether comparing a text with the search word by word is worthwhile."""
    if any(term.word in text for term in searched.terms):
        return True
    if not NOT_AS_WRITTEN.search(text):
        return False
    forms = JOINTS.sub("", text), JOINTS.sub("", LEADING_ZEROS.sub("", text))
    return any(term.word in form for form in forms for term in searched.terms)


def _matching_pieces(text: str, searched: SearchWords) -> Iterator[re.Match[str]]:
    """The words that match, and compounds (Wi-Fi, TT-0030) that match as a whole though none of their words does."""
    if not text.isascii():  # as it is compared, with the same length: “O’Neill” as O'Neill
        text = MARK.sub(_as_plain_joint, text)
    for piece in PIECE.finditer(text):
        if not JOINTS.search(piece[0]):
            if _any_matches([piece[0]], searched):
                yield piece
            continue
        words = [word for word in WORD.finditer(text, *piece.span()) if _any_matches([word[0]], searched)]
        yield from words or ([piece] if any(_word_matches(word, searched) for word in _in_one_piece(piece[0])) else [])


def _as_plain_joint(mark: re.Match[str]) -> str:
    plain = fold(mark[0])
    return plain if JOINTS.fullmatch(plain) else mark[0]


def _in_one_piece(compound: str) -> Sequence[str]:
    return [joined for form in (compound, LEADING_ZEROS.sub("", compound)) for joined in indexed_words(form)[1]]


def _any_matches(texts: Iterable[str], searched: SearchWords) -> bool:
    return any(_word_matches(word, searched) for text in texts for word in _words(text[:LONGEST]))


def _words(text: str) -> Sequence[str]:
    """The words of a shown text as the search index has them, to find those that match."""
    if text.isascii() and text.isalnum():
        return (text.lower(),)
    of_text, compounds = indexed_words(text)
    return [*of_text, *compounds]


def _word_matches(word: str, searched: SearchWords) -> bool:
    # A number is also found without its leading zeros.
    bare = LEADING_ZEROS.sub("", word)
    return any(
        term.word in (word, bare) if term.whole else word.startswith(term.word) or bare.startswith(term.word)
        for term in searched.terms
    )

"""Words: those of a record's text in the index, and those that a reader searches for.

Texts are folded here, in Python, so that both databases find the same. Nothing here touches a database.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from portal.texts import UNSPACED_SCRIPTS, indexed_words, typed_words, words

MAX_TEXT_LENGTH = 200_000  # characters of one record; PostgreSQL's tsvector holds a megabyte
MAX_WORD_LENGTH = 128
MAX_WORDS = 20  # of one search
MAX_INPUT_LENGTH = 1000  # characters of one search
# Between two texts of a record, so that a phrase does not match across them. Folding removes it from input.
BORDER = "_"
QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»')
DIGITS = re.compile(r"\d+")
# Adjacent characters in scripts without spaces.
UNSPACED_RUN = re.compile("|".join(f"[{script}]{{2,}}" for script in UNSPACED_SCRIPTS))
LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def indexed_text(texts: Iterable[str], reference: str = "") -> str:
    """` w1 w2 _ w3 `: a space before and after every word, so that its start and end can be searched.

    Numbers are also found without leading zeros, in the reference even after letters (TT0030 by 30 and TT30); compounds
    are also found as one word (Wi-Fi by wifi).
    """
    tokens: list[str] = []
    compounds: list[str] = []
    references = dict.fromkeys((reference, LEADING_ZEROS.sub("", reference)))
    for text in (*references, *texts):
        text_words, joined = indexed_words(text[:MAX_TEXT_LENGTH])
        if text_words:
            tokens += [*_shortened(text_words), BORDER]
            compounds += _shortened(joined)
    tokens += dict.fromkeys(compounds)
    numbers = [*DIGITS.findall(reference), *(token for token in tokens if token[0] == "0" and token.isdigit())]
    seen = {*tokens, ""}
    tokens += dict.fromkeys(number.lstrip("0") for number in numbers if number.lstrip("0") not in seen)
    text = f" {' '.join(tokens)} " if tokens else " "
    return text if len(text) <= MAX_TEXT_LENGTH else text[: text.rindex(" ", 0, MAX_TEXT_LENGTH) + 1]


def _shortened(words: Iterable[str]) -> list[str]:
    return [word[:MAX_WORD_LENGTH] for word in words]


@dataclass(frozen=True)
class Term:
    """One word of a search; unless `whole`, it also matches longer words that begin with it."""

    word: str
    whole: bool

    @property
    def needle(self) -> str:
        """The text that a matching text contains."""
        return f" {self.word} " if self.whole else f" {self.word}"


@dataclass(frozen=True)
class SearchWords:
    """The words of a search: a hit has every term and every phrase. Without terms, every record is a hit.

    `cut`: whether the input was too long and the rest was left out.
    """

    terms: tuple[Term, ...] = ()
    phrases: tuple[str, ...] = ()
    cut: bool = False

    def __bool__(self) -> bool:
        return bool(self.terms)

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """All texts that a matching text contains, without terms that a phrase implies."""
        terms = (term.needle for term in self.terms)
        return (*(needle for needle in terms if not any(needle in phrase for phrase in self.phrases)), *self.phrases)

    def match(self, texts: Iterable[str]) -> bool:
        """Whether a record with these texts of `indexed_text` matches: to check a hit against fewer fields. Consumes
        only as many texts as necessary."""
        missing = self.needles
        for text in texts:
            missing = tuple(needle for needle in missing if needle not in text)
            if not missing:
                return True
        return not missing


NOTHING = SearchWords()


def parse_words(text: str) -> SearchWords:
    """The words and phrases of a search as typed. Operators have no meaning: they are punctuation."""
    if not text:
        return NOTHING
    terms: list[Term] = []
    phrases: list[str] = []
    position = 0
    shortened = text[:MAX_INPUT_LENGTH]
    for quoted in QUOTED.finditer(shortened):
        unquoted = shortened[position : quoted.start()]
        phrase = _shortened(words(quoted[quoted.lastindex or 0]))
        terms += [*_unquoted_terms(unquoted), *(Term(word, whole=True) for word in phrase)]
        phrases += [*_unspaced_phrases(unquoted), *_phrase(phrase)]
        position = quoted.end()
    terms += _unquoted_terms(shortened[position:])
    phrases += _unspaced_phrases(shortened[position:])
    unique = tuple(dict.fromkeys(terms))
    cut = len(text) > MAX_INPUT_LENGTH or len(unique) > MAX_WORDS
    return SearchWords(unique[:MAX_WORDS], tuple(dict.fromkeys(phrases)), cut)


def _unquoted_terms(text: str) -> list[Term]:
    # A large share of all words begin with any given letter: a single letter only matches as a whole word.
    return [Term(word, whole=len(word) == 1) for word in _shortened(typed_words(text))]


def _phrase(phrase: list[str]) -> list[str]:
    """The needle for a text in which these words of a search are adjacent; none for one word."""
    return [f" {' '.join(phrase)} "] if len(phrase) > 1 else []


def _unspaced_phrases(text: str) -> list[str]:
    """The phrases for words of scripts without spaces, whose characters count as words: 東京 is not 京東."""
    if text.isascii():
        return []
    runs = UNSPACED_RUN.findall(unicodedata.normalize("NFKC", text))
    return [phrase for run in runs for phrase in _phrase(words(run))]

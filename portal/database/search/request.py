"""What is searched for: a record's text as the index keeps it, what somebody typed as words, and one search whole.

The text is folded here, in Python, so that both databases find the same. Nothing here touches a database.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from portal.texts import words

MOST_LETTERS = 200_000  # of one record's text; PostgreSQL's tsvector holds a megabyte
MOST_LETTERS_OF_A_WORD = 128
MOST_TYPED_WORDS = 20
MOST_TYPED_LETTERS = 1000
# Between two texts of a record, so that quoted words do not stand together across them. Nobody can type it.
BORDER = "_"
QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»')
DIGITS = re.compile(r"\d+")


def indexed_text(texts: Iterable[str], reference: str = "") -> str:
    """` w1 w2 _ w3 `: every word with a space before and after it, so that a search may ask for its start or its end.

    Numbers are found without their leading zeros too, in the reference also behind letters (TT0030 by 30).
    """
    found: list[str] = []
    for text in (reference, *texts):
        more = _short_words(text)
        if more:
            found += [*more, BORDER]
    numbers = [*DIGITS.findall(reference), *(word for word in found if word[0] == "0" and word.isdigit())]
    known = set(found)
    found += dict.fromkeys(number.lstrip("0") for number in numbers if number.lstrip("0") not in {*known, ""})
    text = f" {' '.join(found)} " if found else " "
    return text if len(text) <= MOST_LETTERS else text[: text.rindex(" ", 0, MOST_LETTERS) + 1]


def _short_words(text: str) -> list[str]:
    return [word[:MOST_LETTERS_OF_A_WORD] for word in words(text[:MOST_LETTERS])]


@dataclass(frozen=True)
class Term:
    """One word; `whole` when a longer word that begins with it is not meant."""

    word: str
    whole: bool

    @property
    def needle(self) -> str:
        """What must stand in the indexed text."""
        return f" {self.word} " if self.whole else f" {self.word}"


@dataclass(frozen=True)
class Words:
    """What somebody typed: every term must be found, every phrase must stand in the text as it is.

    `cut`: there was more than a search takes, and the rest was left out. Without terms nothing is asked.
    """

    terms: tuple[Term, ...] = ()
    phrases: tuple[str, ...] = ()
    cut: bool = False

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def needles(self) -> tuple[str, ...]:
        """All that must stand in the indexed text; what the phrases say is not said twice."""
        alone = (term.needle for term in self.terms)
        return (*(needle for needle in alone if not any(needle in phrase for phrase in self.phrases)), *self.phrases)

    def found_in(self, text: str) -> bool:
        """Whether a text of `indexed_text` has it all: for checking hits again on fewer fields."""
        return all(needle in text for needle in self.needles)


def parse_words(text: str) -> Words:
    """What was typed, as words. Operators and quotes of query languages mean nothing: they are punctuation."""
    terms: list[Term] = []
    phrases: list[str] = []
    position = 0
    short = text[:MOST_TYPED_LETTERS]
    for quoted in QUOTED.finditer(short):
        terms += _loose_terms(short[position : quoted.start()])
        together = _short_words(quoted[quoted.lastindex or 0])
        terms += [Term(word, whole=True) for word in together]
        if len(together) > 1:
            phrases.append(f" {' '.join(together)} ")
        position = quoted.end()
    terms += _loose_terms(short[position:])
    kept = tuple(dict.fromkeys(terms))[:MOST_TYPED_WORDS]
    cut = len(text) > MOST_TYPED_LETTERS or len(set(terms)) > MOST_TYPED_WORDS
    return Words(kept, tuple(dict.fromkeys(phrases)), cut)


def _loose_terms(text: str) -> list[Term]:
    # The words that begin with one letter are a good part of all words: alone it is a word.
    return [Term(word, whole=len(word) == 1) for word in _short_words(text)]


class Place(FunctionElement[int]):
    """Where a text holds another, 0 for nowhere: no pattern, so that no letter has a meaning of its own."""

    type = sa.Integer()
    inherit_cache = True


@compiles(Place)
def _instr(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(Place, "postgresql")
def _strpos(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    text, needle = (compiler.process(clause, **options) for clause in element.clauses)
    return f'strpos(({text}) COLLATE "C", {needle})'  # bytes are looked for: a quarter faster


@dataclass(frozen=True)
class Search:
    """One search in one module.

    `scopes`: tokens of which a record must bear one, None for any. `part`: 1 searches internal fields too.
    `condition` on the module's table must hold besides: what tokens cannot say, tabs, filters.
    """

    table: sa.Table
    module: sa.Table
    words: Words
    scopes: tuple[str, ...] | None = None
    part: int = 0
    condition: sa.ColumnElement[bool] | None = None

    @property
    def token(self) -> str:
        """What every row of this module and part bears."""
        return module_token(self.module.name, self.part)

    @cached_property
    def values(self) -> dict[str, Any]:
        """What was asked for, by the names of the parameters that stand for it in a statement."""
        tokens = {f"token_{place}": f" {token} " for place, token in enumerate(self.tokens)}
        return tokens | {f"needle_{place}": needle for place, needle in enumerate(self.needles)}

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        return (self.token, *(self.scopes or ()))

    @cached_property
    def needles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*(term.needle for term in self.words.terms), *self.words.phrases]))

    def has(self, needle: str) -> sa.ColumnElement[bool]:
        """Whether a row's text has this, which is one of `needles`."""
        place = Place(self.table.c["text"], sa.bindparam(f"needle_{self.needles.index(needle)}", type_=sa.Text()))
        return place > sa.literal_column("0")

    def bears(self, *tokens: str) -> sa.ColumnElement[bool]:
        """Whether a row bears one of these, which are some of `tokens`."""
        scope = self.table.c["scope"] + sa.literal_column("' '")
        names = [f"token_{self.tokens.index(token)}" for token in tokens]
        places = [Place(scope, sa.bindparam(name, type_=sa.Text())) for name in names]
        return sa.or_(sa.false(), *(place > sa.literal_column("0") for place in places))

    def holds(self, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """The condition as a test of one row of `rows`, which have a column `record`; at most one test."""
        if self.condition is None:
            return []
        # Not EXISTS: for that PostgreSQL may read the whole module's table first.
        asked = sa.select(sa.literal_column("1")).select_from(self.module)
        asked = asked.where(self.module.c["id"] == rows.c["record"], self.condition).correlate(rows)
        return [asked.scalar_subquery() == 1]

    def tests(self) -> list[sa.ColumnElement[bool]]:
        """All that was asked but the condition, as tests of one row of the table."""
        scope = [] if self.scopes is None else [self.bears(*self.scopes)]
        return [*scope, *map(self.has, self.words.needles)]

    def rows(self) -> sa.Select[tuple[int, int]]:
        """All rows of the module and part: seq and record."""
        columns = self.table.c
        here = (columns["module"] == self.module.name, columns["part"] == self.part)
        return sa.select(columns["seq"], columns["record"]).where(*here)


def module_token(module: str, part: int) -> str:
    """`_mtickets`; `_stickets` for the part that staff searches. The folding takes `_` away: nobody can type it."""
    return f"_{'s' if part else 'm'}{module}"


@dataclass(frozen=True)
class Direction:
    """From where and in which direction rows are read: newest change first, or upwards from `after`."""

    before: int | None = None
    after: int | None = None

    @property
    def upwards(self) -> bool:
        """Whether the oldest comes first."""
        return self.after is not None and self.before is None

    @property
    def values(self) -> dict[str, int | None]:
        """By the names of the parameters that `along` puts into a statement."""
        return {"before": self.before, "after": self.after}

    def along(self, rows: sa.Select[Any], seq: sa.ColumnElement[int]) -> sa.Select[Any]:
        """What is left of `rows` on this way, in its order."""
        if self.before is not None:
            rows = rows.where(seq < sa.bindparam("before", type_=sa.BigInteger()))
        if self.after is not None:
            rows = rows.where(seq > sa.bindparam("after", type_=sa.BigInteger()))
        return self.in_order(rows, seq)

    def in_order(self, rows: sa.Select[Any], seq: sa.ColumnElement[int]) -> sa.Select[Any]:
        """`rows` in the order of this way."""
        return rows.order_by(seq.asc() if self.upwards else seq.desc())

    def from_here(self, seq: int) -> "Direction":
        """The way that is left after `seq`."""
        return replace(self, after=seq) if self.upwards else replace(self, before=seq)


BATCH_SIZE = sa.bindparam("size", type_=sa.Integer())  # how many rows are looked at


class Candidates(NamedTuple):
    """A statement that looks for hits: its rows are seq, record, and whether it holds.

    `shape`: what it is made of but for the values; None where it is like no other. To `build` one takes as long as to
    execute it, so those of one shape are one.
    """

    build: Callable[[], sa.Select[Any]]
    values: dict[str, Any]
    shape: tuple[Any, ...] | None

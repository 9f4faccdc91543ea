"""Parses the expressions of formulas: `quantity * price - discount`, `first_name + ' ' + last_name`, `min(a, b)`,
`slug(title)`.

arithmetic.py evaluates them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

TOKEN = re.compile(r"\s*([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?|\d+(?:\.\d+)?|[-+*/(),]|'[^']*'|\"[^\"]*\")")
QUOTES = ("'", '"')
EXTREMES = ("min", "max")
DEEPEST = 50
LONGEST = 2000  # characters
MOST = 400  # parts: numbers, names and signs


@dataclass(frozen=True)
class Constant:
    """A literal number or text in a formula."""

    value: Decimal | str


@dataclass(frozen=True)
class Name:
    """The value of a field in a formula; `lines.price` is the sum of a column."""

    name: str


@dataclass(frozen=True)
class Negative:
    of: "Expression"


@dataclass(frozen=True)
class Bracketed:
    """A part in brackets: if it joins texts, it is left out as a whole if a value in it is empty."""

    of: "Expression"


@dataclass(frozen=True)
class Extreme:
    """The least or the largest of several: `min(answer_by, solve_by)`."""

    largest: bool
    of: tuple["Expression", ...]


@dataclass(frozen=True)
class Slug:
    """A text as a part of a web address: `slug(title)` is `out-of-paper` for “Out of paper!”."""

    of: "Expression"


@dataclass(frozen=True)
class Operation:
    sign: str
    left: "Expression"
    right: "Expression"


Expression = Constant | Name | Negative | Bracketed | Extreme | Slug | Operation


def read_expression(text: str) -> Expression:
    """The expression that `text` means. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"a formula has at most {LONGEST:,} characters")
    expression, rest = _sum(_tokens(text), 0)
    if rest:
        raise ValueError(f'"{rest[0]}" is not expected in this formula')
    return expression


def names_in_expression(expression: Expression) -> Iterator[str]:
    """The names of an expression, as often as they are written."""
    match expression:
        case Name(name):
            yield name
        case Negative(of) | Bracketed(of) | Slug(of):
            yield from names_in_expression(of)
        case Extreme(_, several):
            for part in several:
                yield from names_in_expression(part)
        case Operation(_, left, right):
            yield from names_in_expression(left)
            yield from names_in_expression(right)


def _tokens(text: str) -> list[str]:
    tokens, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if not match:
            raise ValueError("must be made of fields, numbers, texts in quotes, + - * /, min, max, slug and brackets")
        tokens.append(match[1])
        place = match.end()
    if len(tokens) > MOST:
        raise ValueError(f"a formula has at most {MOST} parts")
    return tokens


def _sum(tokens: list[str], depth: int) -> tuple[Expression, list[str]]:
    """One whole expression, and the tokens after it."""
    return _chain(tokens, depth, "+-", _product)


def _product(tokens: list[str], depth: int) -> tuple[Expression, list[str]]:
    return _chain(tokens, depth, "*/", _term)


Reading = Callable[[list[str], int], tuple[Expression, list[str]]]


def _chain(tokens: list[str], depth: int, signs: str, part: Reading) -> tuple[Expression, list[str]]:
    expression, rest = part(tokens, depth)
    while rest and rest[0] in signs:
        right, behind = part(rest[1:], depth)
        expression, rest = Operation(rest[0], expression, right), behind
    return expression, rest


def _term(tokens: list[str], depth: int) -> tuple[Expression, list[str]]:
    if not tokens or depth > DEEPEST:
        raise ValueError("the formula ends too early" if not tokens else "the formula has too many brackets")
    first, rest = tokens[0], tokens[1:]
    if first == "-":
        of, rest = _term(rest, depth + 1)
        return Negative(of), rest
    if first == "(" or (first == "slug" and rest[:1] == ["("]):
        expression, rest = _sum(rest[first == "slug" :], depth + 1)
        if not rest or rest[0] != ")":
            raise ValueError("a bracket is not closed")
        return (Slug if first == "slug" else Bracketed)(expression), rest[1:]
    if first in EXTREMES and rest[:1] == ["("]:
        several, rest = _several(rest[1:], depth + 1)
        return Extreme(first == "max", several), rest
    if first[0] in QUOTES:
        return Constant(first[1:-1]), rest
    if not first[0].isalnum():
        raise ValueError(f'"{first}" is not expected in this formula')
    return (Name(first) if first[0].isalpha() else Constant(Decimal(first))), rest


def _several(tokens: list[str], depth: int) -> tuple[tuple[Expression, ...], list[str]]:
    """Expressions separated by commas up to the closing bracket, and the tokens after it."""
    expression, rest = _sum(tokens, depth)
    several = [expression]
    while rest and rest[0] == ",":
        expression, rest = _sum(rest[1:], depth)
        several.append(expression)
    if not rest or rest[0] != ")":
        raise ValueError("a bracket is not closed")
    return tuple(several), rest[1:]

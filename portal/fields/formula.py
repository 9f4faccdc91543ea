"""`formula`: computed from the record's own numbers, `quantity * price`. Read and checked, not computed yet."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from portal.fields.base import Field
from portal.fields.protocols import Declared

TOKEN = re.compile(r"\s*([a-z][a-z0-9_]*|\d+(?:\.\d+)?|[-+*/()])")
DEEPEST = 50


class Formula(Field):
    type: Literal["formula"]
    computed: ClassVar[bool] = True
    stored: ClassVar[bool] = False
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"of": "quantity * (price - 0.5)"}

    of: str

    @field_validator("of")
    @classmethod
    def _reads(cls, of: str) -> str:
        tokens = _tokens(of)
        rest = _sum(tokens, 0)
        if rest:
            raise ValueError(f'"{rest[0]}" is not expected in this formula')
        return of

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(token for token in _tokens(self.of) if token[0].isalpha()))

    def bind(self, declaration: Declared, module: Any) -> None:
        for name in self.sources:
            if name not in module.everything:
                raise ValueError(f'no field "{name}"')


def _tokens(of: str) -> list[str]:
    tokens, place, of = [], 0, of.rstrip()
    while place < len(of):
        match = TOKEN.match(of, place)
        if not match:
            raise ValueError("must be made of fields, numbers, + - * / and brackets")
        tokens.append(match[1])
        place = match.end()
    return tokens


def _sum(tokens: list[str], depth: int) -> list[str]:
    """What is left of the tokens behind one whole expression."""
    rest = _term(tokens, depth)
    while rest and rest[0] in "+-*/":
        rest = _term(rest[1:], depth)
    return rest


def _term(tokens: list[str], depth: int) -> list[str]:
    if not tokens or depth > DEEPEST:
        raise ValueError("the formula ends too early" if not tokens else "the formula has too many brackets")
    first, rest = tokens[0], tokens[1:]
    if first == "-":
        return _term(rest, depth + 1)
    if first == "(":
        rest = _sum(rest, depth + 1)
        if not rest or rest[0] != ")":
            raise ValueError("a bracket is not closed")
        return rest[1:]
    if not first[0].isalnum():
        raise ValueError(f'"{first}" is not expected in this formula')
    return rest

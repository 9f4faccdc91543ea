"""`phone`: a number as people write it, with spaces, brackets and a plus."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base import Refused
from portal.fields.text import TextLike
from portal.texts import _

LONGEST = 40
SIGNS = " ()./-+"  # between the digits
SHORTEST_PIECE = 5  # digits by which the search finds a part of a number
WRITTEN = re.compile(r"\+?[0-9 ()./-]+")


class Phone(TextLike):
    type: Literal["phone"]
    input_type: ClassVar[str] = "tel"
    inputmode: ClassVar[str] = "tel"
    display: ClassVar[str] = "phone"
    indexed_as: ClassVar[tuple[str, ...]] = ("pieces",)
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (" +39 (0)2 123-45.67 ", "+39 (0)2 123-45.67", "+39 (0)2 123-45.67"),
        ("112", "112", "112"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("12", "call me", "+39+2 1234", "123;ext=4", "1\x0023", "1" * 100_000)

    def check(self, text: str) -> str:
        """The number as it was typed. Raises Refused for letters, and for fewer than three digits."""
        number = " ".join(text[: LONGEST + 1].split())
        if len(text) > LONGEST or not WRITTEN.fullmatch(number) or sum(map(str.isdigit, number)) < 3:
            raise Refused(_("Enter a phone number such as +39 02 1234567."))
        return number

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """Contained are digits, whatever stands between them, with or without the prefix of a country."""
        if operator == "contains" and (digits := digits_of(value)):
            column: sa.ColumnElement[str] = table.c[self.name]
            for sign in SIGNS:
                column = sa.func.replace(column, sign, "")
            return sa.or_(*[column.contains(part) for part in spellings(digits)])
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """Contained are digits, whatever stands between them, with or without the prefix of a country."""
        if operator == "contains" and (digits := digits_of(constant)):
            return value is not None and any(part in digits_of(value) for part in spellings(digits))
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        """As it is written, and in one piece from each group on: “+39 02 1234567” by 39021234567 and by 021234567."""
        if value is None:
            return ()
        groups = re.findall(r"\d+", value)
        pieces = ["".join(groups[start:]) for start in range(len(groups))]
        return (value, *(piece for piece in pieces if len(piece) >= SHORTEST_PIECE or piece == pieces[0]))


def digits_of(text: str) -> str:
    """The digits of a number alone; "" where `text` is no number but words."""
    return "" if re.search(r"[^\W\d_]", text) else re.sub(r"\D", "", text)


def spellings(digits: str) -> tuple[str, ...]:
    """How a number may be spelled: 0039… as +39…, and with the 0 that is left out behind a country's code."""
    bare = digits.lstrip("0")
    return (digits, bare) if bare and bare != digits else (digits,)

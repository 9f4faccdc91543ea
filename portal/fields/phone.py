"""`phone`: a number as people write it, with spaces, brackets, a plus and an extension."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base_parts import Measure
from portal.fields.numbers import simple_sign
from portal.fields.refused import Refused
from portal.fields.text import TextLike
from portal.texts import _

LONGEST = 40
SIGNS = " ()./-+"  # between the digits
SHORTEST_PIECE = 5  # digits with which the search finds a part of a number
# Extensions in the languages of the portal: “ext. 12”, “x12”, “int. 12”, “wew. 12”.
PATTERN = re.compile(r"(\(?\+?[0-9 ()./-]+)(?:(?:ext|x|int|wew)\.? ?([0-9]{1,6}))?", re.IGNORECASE)
WITHOUT_SIGNS = str.maketrans("", "", SIGNS)
LEFT_OUT = "(0)"  # in “+44 (0)20 …”: only dialed within the country


class Phone(TextLike):
    """A telephone number."""

    type: Literal["phone"]
    measure: ClassVar[Measure | None] = Measure("text")
    input_type: ClassVar[str] = "tel"
    inputmode: ClassVar[str] = "tel"
    display: ClassVar[str] = "phone"
    indexed_as: ClassVar[tuple[str, ...]] = ("pieces",)
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("(+39) 02 1234567", "(+39) 02 1234567", "(+39) 02 1234567"),
        ("+1 608 271 9000 ext. 12", "+1 608 271 9000 ext. 12", "+1 608 271 9000 ext. 12"),
        (" +39 (0)2 123-45.67 ", "+39 (0)2 123-45.67", "+39 (0)2 123-45.67"),
        ("02 1234567x5", "02 1234567x5", "02 1234567x5"),
        ("０３‑１２３４–٥٦٧٨", "03-1234-5678", "03-1234-5678"),
        ("112", "112", "112"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "12",
        "call me",
        "+39+2 1234",
        "123;ext=4",
        "ext 12",
        "1\x0023",
        "1" * 100_000,
    )

    def check(self, text: str) -> str:
        """The number as it was typed, in ASCII. Raises Refused for letters, and for fewer than three digits."""
        number = " ".join("".join(map(simple_sign, unicodedata.normalize("NFKC", text[: LONGEST + 1]))).split())
        if len(text) > LONGEST or not PATTERN.fullmatch(number) or sum(map(str.isdigit, number)) < 3:
            raise Refused(_("Enter a phone number such as +39 02 1234567."))
        return number

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`contains` compares digits, whatever is between them, with or without a country code."""
        if operator == "contains" and (digits := _digits_of(value)):
            column: sa.ColumnElement[str] = table.c[self.name]
            numbers: tuple[sa.ColumnElement[str], ...] = (column, sa.func.replace(column, LEFT_OUT, ""))
            for sign in SIGNS:
                numbers = tuple(sa.func.replace(number, sign, "") for number in numbers)
            return sa.or_(*[number.contains(part) for number in numbers for part in _spellings(digits)])
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "contains" and (digits := _digits_of(constant)):
            numbers = [number.translate(WITHOUT_SIGNS) for number in (value or "", (value or "").replace(LEFT_OUT, ""))]
            return any(part in number for number in numbers for part in _spellings(digits))
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        """As it is written, and joined from each group on: “+39 02 1234567” as 39021234567 and as 021234567."""
        if value is None:
            return ()
        groups = re.findall(r"\d+", value)
        pieces = ["".join(groups[start:]) for start in range(len(groups))]
        pieces[1:1] = ["".join(re.findall(r"\d+", value.replace(LEFT_OUT, "")))] if LEFT_OUT in value else []
        return (value, *(piece for piece in pieces if len(piece) >= SHORTEST_PIECE or piece == pieces[0]))


def _digits_of(text: str) -> str:
    """Only the digits of a telephone number; "" if `text` is words instead of a number."""
    return "" if re.search(r"[^\W\d_]", text) else re.sub(r"\D", "", text.replace(LEFT_OUT, ""))


def to_dial(text: str) -> str:
    """A telephone number for `tel:`; "" if the text has no digit."""
    match = PATTERN.fullmatch(text)
    number, extension = match.groups() if match else (text, None)
    digits = re.sub(r"[^+0-9]", "", number.replace(LEFT_OUT, "") if number.startswith(("+", "(+")) else number)
    return f"{digits};ext={extension}" if extension else digits


def _spellings(digits: str) -> tuple[str, ...]:
    """The ways to spell a telephone number: 0039… as +39…, and with the 0 that is omitted after a country code."""
    bare = digits.lstrip("0")
    return (digits, bare) if bare and bare != digits else (digits,)

"""`email`: one address. Checked for what would break a letter, not against all of RFC 5322.

An address identifies its owner in any case: a companion column holds it in lower case, for `unique` and equality.
"""

import re
import unicodedata
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.column_types import NORMALIZE
from portal.fields.reader import PLAIN
from portal.fields.refused import Refused
from portal.fields.text import TextLike, at_most
from portal.texts import _, trimmed

LONGEST = 254
LOCAL = r"""[^\s@,;:<>()\[\]"\\\x00-\x20\x7f.]+(?:\.[^\s@,;:<>()\[\]"\\\x00-\x20\x7f.]+)*"""
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ADDRESS = re.compile(rf"{LOCAL}@{LABEL}(?:\.{LABEL})+")


def normalize_email(address: str) -> str:
    """The normal form of an email address, in which differences of case disappear."""
    return unicodedata.normalize("NFC", trimmed(address)).lower()


class Email(TextLike):
    """An email address."""

    type: Literal["email"]
    measure: ClassVar[Measure | None] = Measure("text")
    holds_email: ClassVar[bool] = True
    input_type: ClassVar[str] = "email"
    inputmode: ClassVar[str] = "email"
    display: ClassVar[str] = "email"
    taken: ClassVar[str] = Field.taken  # accents do make a difference
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (" anna.o'neill+x@acme.example ", "anna.o'neill+x@acme.example", "anna.o'neill+x@acme.example"),
        ("ola@łódź.example", "ola@łódź.example", "ola@łódź.example"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "anna", "anna@acme", "@acme.example", "a@b@c.example", "a b@acme.example", "a,b@acme.example",
        "a@acme..example", "a@-acme.example", "Anna <a@acme.example>", "a@acme.example\nBcc: b@c.example",
        "a@acme.example\x00", "x" * 250 + "@a.example", "a" * 100_000,
    )  # fmt: skip

    max_length: int | None = Key(None, ge=1, le=LONGEST)

    @property
    def length_limit(self) -> int | None:
        return self.max_length

    @property
    def key_column(self) -> str:
        return f"_{self.name}_key"

    def columns(self) -> list[sa.Column[Any]]:
        """The address as it was typed, and in lower case to compare it."""
        return [*super().columns(), sa.Column(self.key_column, sa.Text(), info={NORMALIZE: normalize_email})]

    def store(self, value: Any) -> dict[str, Any]:
        """The address as it was typed, and in lower case."""
        return {**super().store(value), self.key_column: None if value is None else normalize_email(value)}

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` ignores case, but not accents."""
        if operator == "equal":
            return table.c[self.key_column] == normalize_email(value)
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "equal":
            return value is not None and normalize_email(value) == normalize_email(constant)
        return super().matches(value, operator, constant)

    def check(self, text: str) -> str:
        """The address itself. Raises Refused for names, lists and anything else that cannot be a recipient."""
        if len(text) > LONGEST or not ADDRESS.fullmatch(text):
            raise Refused(_("Enter an email address such as name@company.com."))
        return at_most(text, self.max_length or LONGEST)


def is_mail_address(email: str) -> bool:
    """Whether text is an email address to which the portal can send letters."""
    try:
        parsed = Field.types["email"](name="email", type="email").parse(email, PLAIN)
    except Refused:
        return False
    # Few mail servers accept non-ASCII letters; "=?" begins an encoded word, which may contain another header.
    return bool(parsed) and email.isascii() and "=?" not in email

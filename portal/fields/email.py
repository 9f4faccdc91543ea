"""`email`: one address. Checked for what would break a letter, not against the whole of RFC 5322."""

import re
from typing import Any, ClassVar, Literal

from portal.fields.base import Refused
from portal.fields.text import TextLike
from portal.texts import _

LONGEST = 254
LOCAL = r"""[^\s@,;:<>()\[\]"\\\x00-\x20\x7f.]+(?:\.[^\s@,;:<>()\[\]"\\\x00-\x20\x7f.]+)*"""
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ADDRESS = re.compile(rf"{LOCAL}@{LABEL}(?:\.{LABEL})+")


class Email(TextLike):
    type: Literal["email"]
    input_type: ClassVar[str] = "email"
    inputmode: ClassVar[str] = "email"
    display: ClassVar[str] = "email"
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

    def check(self, text: str) -> str:
        if len(text) > LONGEST or not ADDRESS.fullmatch(text):
            raise Refused(_("Enter an email address such as name@company.com."))
        return text

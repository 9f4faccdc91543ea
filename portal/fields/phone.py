"""`phone`: a number as people write it, with spaces, brackets and a plus."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from portal.fields.base import Refused
from portal.fields.text import TextLike
from portal.texts import _

LONGEST = 40
WRITTEN = re.compile(r"\+?[0-9 ()./-]+")


class Phone(TextLike):
    type: Literal["phone"]
    input_type: ClassVar[str] = "tel"
    inputmode: ClassVar[str] = "tel"
    display: ClassVar[str] = "phone"
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (" +39 (0)2 123-45.67 ", "+39 (0)2 123-45.67", "+39 (0)2 123-45.67"),
        ("112", "112", "112"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("12", "call me", "+39+2 1234", "123;ext=4", "1\x0023", "1" * 100_000)

    def check(self, text: str) -> str:
        number = " ".join(text[: LONGEST + 1].split())
        if len(text) > LONGEST or not WRITTEN.fullmatch(number) or sum(map(str.isdigit, number)) < 3:
            raise Refused(_("Enter a phone number such as +39 02 1234567."))
        return number

    def texts(self, value: Any) -> Iterable[str]:
        """Found as it is written and as one number."""
        return () if value is None else (value, re.sub(r"\D", "", value))

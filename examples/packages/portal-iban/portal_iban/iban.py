"""`iban`: an international bank account number, as ISO 13616 has it: country, two check digits, account."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.fields.text import TextLike
from portal.texts import _

WRITTEN = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
# The length of a country's numbers; those of other countries are checked by their digits only.
LENGTHS = {
    "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SA": 24,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip


class Iban(TextLike):
    """A bank account number (IBAN), such as DE89 3704 0044 0532 0130 00."""

    type: Literal["iban"]
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("AT611904300234573201", "AT611904300234573201", "AT61 1904 3002 3457 3201"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "DE89 3704 0044 0532 0130 00"),
        (" gb82 west 1234 5698 7654 32", "GB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "DE", "89370400440532013000", "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130", "DE89-3704-0044",
        "1" * 1000,
    )  # fmt: skip

    def check(self, text: str) -> str:
        """The number in capitals without spaces. Raises Refused if a character is wrong, missing or one too many."""
        iban, example = _compact(text), "DE89 3704 0044 0532 0130 00"
        if not WRITTEN.fullmatch(iban):
            raise Refused(_("Enter an IBAN such as ${example}.", mapping={"example": example}))
        length = LENGTHS.get(iban[:2], len(iban))
        if len(iban) != length:
            facts = {"country": iban[:2], "number": length}
            raise Refused(_("An IBAN that begins with ${country} has ${number} characters.", mapping=facts))
        if int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 != 1:
            raise Refused(_("This IBAN is not correct: compare each character."))
        return iban

    def constant(self, raw: Any, reader: Reader) -> str:
        """In conditions and filters, with or without spaces."""
        return _compact(super().constant(raw, reader))

    def show(self, value: Any, reader: Reader) -> str:
        """In groups of four, as banks print it."""
        return " ".join(re.findall(".{1,4}", value or ""))

    def texts(self, value: Any) -> Iterable[str]:
        """The search finds it in groups and in one piece."""
        return () if value is None else (self.show(value, Reader()), value)


def _compact(text: str) -> str:
    return "".join(text.split()).upper()

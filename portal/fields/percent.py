"""`percent`: an exact percentage; 15 means 15 %."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from babel.numbers import format_percent
from pydantic import Field as Key

from portal.fields.base_parts import Measure
from portal.fields.numbers import Amount, Number, check_digits, check_places, places_of, without_zeros
from portal.fields.reader import Reader
from portal.fields.sheet_cell import SheetCell, number_cell
from portal.texts import trimmed

SIGNS = "%\u066a\uff05 \u00a0\u202f"  # and the spaces before them


class Percent(Number):
    """A percentage: 15 means 15 %."""

    type: Literal["percent"]
    suffix: ClassVar[str] = "%"
    sample: ClassVar[Mapping[str, Any]] = {"min": -100}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("-3", Decimal(-3), "-3%"),
        ("15", Decimal(15), "15%"),
        ("15.25 %", Decimal("15.25"), "15.25%"),
        ("1,234%", Decimal(1234), "1,234%"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("15.255", "%", "-100.5", "half", "9" * 100_000)

    places: int = Key(2, ge=0, le=8)
    min: Amount | None = None
    max: Amount | None = None

    @property
    def measure(self) -> Measure:  # type: ignore[override] # of these its places are part
        return Measure("percent", self.places)

    def number_in(self, text: str) -> str:
        """The number without its percent sign."""
        return trimmed(text).strip(SIGNS) or text

    @property
    def most_places(self) -> int:
        return self.places

    def check(self, value: Decimal) -> Decimal:
        """As many `places` as declared. Raises Refused for more."""
        return check_digits(check_places(value, self.places), 18)

    def show(self, value: Any, reader: Reader) -> str:
        """“15%” in the reader's format; 15 is stored, not 0.15."""
        if value is None:
            return ""
        return format_percent(
            Decimal(without_zeros(value)).scaleb(-2), locale=reader.locale, decimal_quantization=False
        )

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """The fraction, with a format that shows it as a percentage."""
        places = places_of(value)
        return number_cell(Decimal(value).scaleb(-2), f"0.{'0' * places}%" if places else "0%")

"""`decimal`: an exact number. More places than declared are refused, never rounded."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field as Key
from pydantic import model_validator

from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.numbers import Amount, Number, check_digits, check_places


class DecimalNumber(Number):
    """An exact number with decimal places."""

    type: Literal["decimal"]
    sample: ClassVar[Mapping[str, Any]] = {"min": -1000, "max": "123456789012345.67"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("-12.51", Decimal("-12.51"), "-12.51"),
        ("-12.5", Decimal("-12.5"), "-12.5"),
        ("0", Decimal(0), "0"),
        ("0.1", Decimal("0.1"), "0.1"),
        ("1,234.50", Decimal("1234.5"), "1,234.5"),
        ("123456789012345.67", Decimal("123456789012345.67"), "123,456,789,012,345.67"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "1.234", "1,23", "1.234,50", "ten", "1e3", "Infinity", "-1000.01", "9" * 100_000, "1\x002",
    )  # fmt: skip

    digits: int = Key(18, ge=1, le=28)  # Babel writes at most the 28 of Python's decimals
    places: int = Key(2, ge=0, le=28)
    min: Amount | None = None
    max: Amount | None = None

    @model_validator(mode="after")
    def _places_are_digits(self) -> "DecimalNumber":
        if self.places > self.digits:
            raise ValueError("more places than digits")
        return self

    @property
    def measure(self) -> Measure:  # type: ignore[override] # of these its places are part
        return Measure("number", self.places)

    def takes(self, other: Field) -> bool:
        """Whole numbers become decimals; the reverse would lose digits."""
        return other.value_type in ("decimal", "integer")

    @property
    def most_places(self) -> int:
        return self.places

    def check(self, value: Decimal) -> Decimal:
        """As many `digits` and `places` as declared. Raises Refused for more."""
        return check_digits(check_places(value, self.places), self.digits - self.places)

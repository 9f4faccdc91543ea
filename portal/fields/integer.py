"""`integer`: a whole number with 64 bits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base_parts import Measure
from portal.fields.numbers import Number
from portal.fields.refused import Refused
from portal.texts import _

LARGEST = 2**63 - 1


class Integer(Number):
    """A whole number."""

    type: Literal["integer"]
    column_type: ClassVar[Any] = sa.BigInteger
    measure: ClassVar[Measure | None] = Measure("number")
    inputmode: ClassVar[str] = "numeric"
    json_type: ClassVar[str] = "integer"
    sample: ClassVar[Mapping[str, Any]] = {"min": -5000, "max": 10_000_000}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("-5", -5, "-5"),
        ("0", 0, "0"),
        (" 1,234 ", 1234, "1,234"),
        ("1234567", 1234567, "1,234,567"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "1.5", "1,23", "ten", "1e3", "NaN", "--5", "-5001", "10000001", "9" * 100_000, "1\x002", "1\ud800",
    )  # fmt: skip

    min: int | None = None
    max: int | None = None

    def to_json(self, value: Any) -> int | None:
        return None if value is None else int(value)

    def for_column(self, value: Decimal) -> int:
        """A whole number that fits 64 bits. Raises Refused for others."""
        if value != value.to_integral_value():
            raise Refused(_("Enter a whole number."))
        if abs(value) > LARGEST:
            raise Refused(_("This number is too large."))
        return int(value)

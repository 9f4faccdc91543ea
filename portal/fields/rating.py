"""`rating`: 1 to `max` stars; with `halves`, half a star is the least."""

from decimal import Decimal
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import StrictBool

from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.base_shape import Option
from portal.fields.column_types import ExactDecimal
from portal.fields.numbers import without_zeros
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.sheet_cell import SheetCell
from portal.texts import Text, _, trimmed

HALF = Decimal("0.5")


def _by_halves(with_halves: Any, without: Any) -> Any:
    """A class attribute that differs if half stars are possible."""
    return property(lambda field: with_halves if field.halves else without)


class Rating(Field):
    """Stars, from 1 to 5."""

    type: Literal["rating"]
    searched_in_lists: ClassVar[bool] = True
    column_type: ClassVar[Any] = _by_halves(ExactDecimal, sa.Integer)
    measure: ClassVar[Measure | None] = _by_halves(Measure("number", 1), Measure("number"))
    widget: ClassVar[str] = _by_halves("select", "rating")
    display: ClassVar[str] = "rating"
    filter: ClassVar[str] = "options"
    can_be_unique: ClassVar[bool] = False
    json_type: ClassVar[str] = _by_halves("number", "integer")
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (("1", 1, "1"), (" 5", 5, "5"), ("", None, ""))
    rejects: ClassVar[tuple[str, ...]] = ("0", "6", "-1", "3.5", "many", "9" * 100_000)

    max: int = Key(5, ge=2, le=10)
    halves: StrictBool = False

    def to_json(self, value: Any) -> int | float | None:
        """The number itself: programs read halves exactly."""
        if value is None:
            return None
        return float(value) if self.halves else int(value)

    @property
    def ranged(self) -> bool:
        return True

    @property
    def offered(self) -> dict[str, Option]:
        numbers = [Decimal(stars) for stars in range(1, self.max + 1)]
        if self.halves:
            numbers = sorted([*numbers, *(stars - HALF for stars in numbers)])
        return {without_zeros(stars): Option(label=Text(_with_half(stars))) for stars in numbers}

    def bounds(self, reader: Reader) -> tuple[Any, int]:
        """From one star, or half of one, to `max`."""
        return HALF if self.halves else 1, self.max

    def parse(self, text: str, reader: Reader) -> Any:
        """A number of stars, at most `max`, whole if there are no halves."""
        text = trimmed(text)
        if not text:
            return None
        if text not in self.offered:
            half = _("Choose a number from ½ to ${max}.", mapping={"max": self.max})
            raise Refused(half if self.halves else _("Choose a number from 1 to ${max}.", mapping={"max": self.max}))
        return Decimal(text) if self.halves else int(text)

    def read(self, text: str, reader: Reader = PLAIN) -> Any:
        """From CSV also “3.0”: some programs write whole numbers this way if some cells are empty."""
        return super().read(text.strip().removesuffix(".0"), reader)

    def show(self, value: Any, reader: Reader) -> str:
        """“3” or “3½”, in every language."""
        return "" if value is None else _with_half(Decimal(value))

    def write(self, value: Any) -> str:
        """With a point, and without trailing zeros."""
        return "" if value is None else without_zeros(Decimal(value))

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell:
        return SheetCell(value)


def _with_half(stars: Decimal) -> str:
    whole, half = divmod(stars, 1)
    return (f"{whole}" if whole else "") + ("½" if half else "")

"""`rating`: 1 to `max` stars."""

from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from portal.fields.base import Field, Refused
from portal.fields.base_parts import Measure
from portal.fields.base_shape import Option
from portal.fields.reader import PLAIN, Reader
from portal.fields.sheet_cell import SheetCell
from portal.texts import Text, _, trimmed


class Rating(Field):
    type: Literal["rating"]
    searched_in_lists: ClassVar[bool] = True
    column_type: ClassVar[Any] = sa.Integer
    measure: ClassVar[Measure | None] = Measure("number")
    widget: ClassVar[str] = "rating"
    display: ClassVar[str] = "rating"
    filter: ClassVar[str] = "options"
    can_be_unique: ClassVar[bool] = False
    json_type: ClassVar[str] = "integer"
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (("1", 1, "1"), (" 5", 5, "5"), ("", None, ""))
    rejects: ClassVar[tuple[str, ...]] = ("0", "6", "-1", "3.5", "many", "9" * 100_000)

    max: int = Key(5, ge=2, le=10)

    def to_json(self, value: Any) -> int | None:
        """The number itself."""
        return None if value is None else int(value)

    @property
    def ranged(self) -> bool:
        return True

    @property
    def offered(self) -> dict[str, Option]:
        return {str(stars): Option(label=Text(str(stars))) for stars in range(1, self.max + 1)}

    def bounds(self, reader: Reader) -> tuple[int, int]:
        """From one star to `max`."""
        return 1, self.max

    def parse(self, text: str, reader: Reader) -> int | None:
        """A whole number of stars, at most `max`."""
        text = trimmed(text)
        if not text:
            return None
        if text not in self.offered:
            raise Refused(_("Choose a number from 1 to ${max}.", mapping={"max": self.max}))
        return int(text)

    def read(self, text: str, reader: Reader = PLAIN) -> int | None:
        """From CSV also “3.0”: programs that know only decimals write whole numbers so where some cells are empty."""
        return super().read(text.strip().removesuffix(".0"), reader)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell:
        """The number of stars."""
        return SheetCell(value)

"""InLines, the part of every field that has to do with lines: as one of their columns, or holding them itself."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import StrictBool

from portal.fields.measure import Measure
from portal.fields.shape import Shape


class InLines(Shape):
    """The base of Field."""

    can_be_column: ClassVar[bool] = True  # of the rows of a `lines` field
    measure: ClassVar[Measure | None] = None  # what formulas and totals compute with; None where they cannot

    internal: StrictBool = False

    @property
    def has_sum(self) -> bool:
        """Whether several of its values can be added up."""
        return self.measure is not None and self.measure.kind not in ("date", "datetime")

    @property
    def row_fields(self) -> Mapping[str, Any]:
        """The columns of a field that holds rows; they stand in a table of their own, none in the record's own row."""
        return {}

    @property
    def columns_read(self) -> tuple[tuple[str, str], ...]:
        """The columns of rows that a computed field of their record reads: (field, column)."""
        return ()

    def is_internal_change(self, before: Any, after: Any) -> bool:
        """Whether only staff may see the difference between two values."""
        return self.internal

    def internal_texts(self, value: Any) -> Iterable[str]:
        """The texts that only staff may find, of a field that is not internal as a whole."""
        return ()

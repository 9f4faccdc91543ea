"""FromColumn, the part of every field that has to do with tables of others: which column holds its values."""

from collections.abc import Mapping
from typing import ClassVar

from portal.fields.shape import Shape


class FromColumn(Shape):
    """A base of Field."""

    from_column: ClassVar[bool] = True  # whether one column of a table of others can hold its values

    column: str | None = None  # its name there, where it is not that of the field

    def constants(self, currency: str) -> Mapping[str, str]:
        """What the companion columns hold that no column of others says; `currency`: the portal's."""
        return {}

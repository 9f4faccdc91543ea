"""One row of a `lines` field, and the inputs of one row of a form. Plain values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.fields.protocols import Form

ROW_ID = "_row"  # the hidden input that says which row of the record this one was
UNTOUCHED = "untouched"  # its text in a row that a new form shows before somebody adds one


@dataclass(frozen=True)
class Row:
    """The values of its columns by name. Two rows are equal if their values are, wherever they are stored."""

    values: Mapping[str, Any]
    id: int | None = field(default=None, compare=False)  # None: it is not stored yet

    def get(self, name: str) -> Any:
        """The value of a column; None for one that the reader may not read."""
        return self.values.get(name)


class RowForm:
    """The inputs of one row, `lines.0.price`, as a form with inputs of their own: `price`."""

    def __init__(self, form: Form, prefix: str) -> None:
        self._form, self._prefix = form, prefix

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._prefix) for name in self._form if name.startswith(self._prefix))

    def __contains__(self, name: object) -> bool:
        return f"{self._prefix}{name}" in self._form

    def get(self, name: str, default: str = "") -> str:
        """The value of an input of this row."""
        return self._form.get(f"{self._prefix}{name}", default)

    def getall(self, name: str) -> list[str]:
        """All values of an input of this row."""
        return self._form.getall(f"{self._prefix}{name}")

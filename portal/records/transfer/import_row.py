"""A row of a file while it is imported, and what may be wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.fields.file import FileValue
from portal.fields.linked_value import Linked
from portal.records.reading.records import Record
from portal.records.writing.form_conditions import EMPTY


@dataclass(frozen=True)
class BadCell:
    """What is wrong with a row: its line, the column's header if one cell is at fault, and the reason."""

    line: int
    column: str
    reason: str


@dataclass(eq=False, slots=True)
class ImportRow:
    """A row that becomes a record, or changes `record`, which `--key` found."""

    line: int
    # The cells by field and by input: {"price": {"price": "12", "price.currency": "EUR"}}.
    cells: dict[str, dict[str, str]]
    record: Record | None = None
    values: dict[str, Any] = field(default_factory=dict)
    # By link, the names of records that are still rows of this file.
    unresolved: dict[str, list[str]] = field(default_factory=dict)
    id: int = 0
    attachments: list[FileValue] = field(default_factory=list)  # by their paths in the bundle

    def all_values(self) -> dict[str, Any]:
        """The values that the record will have."""
        return {**(self.record.values if self.record else {}), **self.values}


def changed_values(row: ImportRow) -> dict[str, Any]:
    """The values of an imported row that differ from its record; links to other rows of the file always do."""
    record = row.record
    if record is None:
        return row.values
    row.id = record.id
    differing = {
        name: value
        for name, value in row.values.items()
        if _comparable_value(record.values.get(name)) != _comparable_value(value)
    }
    return {**differing, **{name: row.values[name] for name in row.unresolved}}


def _comparable_value(value: Any) -> Any:
    """A value of an imported row for comparison: links by their targets, since a file does not know their titles."""
    if value in EMPTY:
        return None
    if isinstance(value, tuple):
        return tuple(map(_comparable_value, value))
    return (value.module, value.id) if isinstance(value, Linked) else value


class CellForm:
    """The cells of an imported row in the shape of a posted form."""

    def __init__(self, cells: Mapping[str, Any]) -> None:
        self._cells = cells

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __contains__(self, name: object) -> bool:
        return name in self._cells

    def items(self) -> Iterable[tuple[str, Any]]:
        """Each cell with its name."""
        return self._cells.items()

    def get(self, name: str, default: str = "") -> str:
        """The cell under this name."""
        return str(self._cells.get(name, default))

    def getall(self, name: str) -> list[str]:
        """Never more than one: every column exists once."""
        return [self.get(name)] if name in self else []

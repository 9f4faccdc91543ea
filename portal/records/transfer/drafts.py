"""What a row of a file is on its way to become a record, and what may be wrong with it."""

from dataclasses import dataclass, field
from typing import Any

from portal.records.reading.records import Record

EMPTY: tuple[Any, ...] = (None, (), "")


@dataclass(frozen=True)
class Bad:
    """What is wrong with a row: its line, the column's header where it is one cell's fault, and the reason."""

    line: int
    column: str
    reason: str


@dataclass(eq=False)
class Draft:
    """A row that is to become a record, or to change `record`, which `--key` found."""

    line: int
    # What stands in the file, by field and by input: {"price": {"price": "12", "price.currency": "EUR"}}.
    cells: dict[str, dict[str, str]]
    record: Record | None = None
    values: dict[str, Any] = field(default_factory=dict)
    # Names of records that only this file brings, by link; and the drafts that they turned out to be.
    called: dict[str, list[str]] = field(default_factory=dict)
    later: dict[str, list["Draft"]] = field(default_factory=dict)
    id: int = 0

    def whole(self) -> dict[str, Any]:
        """All that is known of the record as it will be."""
        return {**(self.record.values if self.record else {}), **self.values}


class Form(dict[str, str]):
    """Cells as a form that was posted."""

    def getall(self, name: str) -> list[str]:
        """Never more than one: every column is there once."""
        return [self[name]] if name in self else []

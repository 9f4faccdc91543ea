"""The parts of forms for lines and for files. Plain values, as those of parts.py."""

from dataclasses import dataclass
from typing import Any

from portal.web.frame import Words


@dataclass(frozen=True)
class HeldFile:
    """A file that a form has already: one of the record, or one that was sent before."""

    token: str  # what the input holds
    name: str
    size: str
    url: str = ""  # of a file of the record
    preview_url: str = ""


@dataclass(frozen=True)
class UploadInput:
    """Where files are chosen, dropped or pasted."""

    limits: Words  # “Up to 25 MB each”
    max_size: int  # bytes
    max_count: int
    too_large: Words  # for the script: “…: it has SIZE, the limit is …”
    accept: str = ""  # as the attribute of an input
    name: str = "files"
    kept: str = "files.kept"  # the input with the tokens of what the form has already
    held: tuple[HeldFile, ...] = ()  # what the form has already; each can be taken off
    refused: tuple[str, ...] = ()  # one sentence for each file that was not taken


@dataclass(frozen=True)
class LineHead:
    """The head of a column of lines."""

    label: Words
    help: Words = ""
    number: bool = False
    required: bool = False


@dataclass(frozen=True)
class LineCell:
    """One value of a row in a form: its widget, or the text of what nobody types."""

    label: Words  # of the column
    widget: Any  # views.parts.Widget, which may hold lines; or None
    text: str = ""
    number: bool = False
    name: str = ""  # by which a script knows the text: “lines.0.amount”


@dataclass(frozen=True)
class LineTotal:
    """What stands below a column: its total, or nothing."""

    label: Words  # of the column
    name: str  # “lines.amount”
    text: str


@dataclass(frozen=True)
class RowInputs:
    """The inputs of one row; `name` is what their names begin with: “lines.0”."""

    name: str
    number: int  # counted from 1
    cells: tuple[LineCell, ...]
    row_id: str = ""  # of a row that is stored


@dataclass(frozen=True)
class LineInputs:
    """The rows of a `lines` field in a form."""

    heads: tuple[LineHead, ...]
    rows: tuple[RowInputs, ...]
    template: RowInputs  # for the script: a new row
    full: bool = False  # there can be no more rows
    most: int | None = None
    totals: tuple[LineTotal, ...] = ()  # of all columns, or none

    @property
    def wrong(self) -> tuple[Any, ...]:
        """The inputs in which something is wrong."""
        cells = (cell for row in self.rows for cell in row.cells)
        return tuple(cell.widget for cell in cells if cell.widget and cell.widget.error)

"""`signature`: a typed name and, if there is a pen, a finger or a mouse, a drawing.

The portal adds the moment and the account when the signature is saved (records/writing/signatures.py), and never
changes it afterwards. A drawing is an SVG path of straight lines in a box of WIDTH × HEIGHT and nothing else, so that
it can be put on a page unchanged.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as data_field
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.column_types import UTCDateTime
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled
from portal.fields.text import TextLike, at_most
from portal.texts import _, fold

WIDTH, HEIGHT = 600, 200
LONGEST_NAME, LONGEST_DRAWING = 120, 40_000  # characters
POINT = r"[0-9]{1,3} [0-9]{1,3}"
DRAWING = re.compile(rf"(?:M{POINT}(?:L{POINT})+)+")


@dataclass(frozen=True, order=True)
class Signature:
    """A signature. Two are equal if their names are: only the name can be typed again."""

    name: str
    drawing: str = data_field(default="", compare=False)
    at: datetime.datetime | None = data_field(default=None, compare=False)
    account: int | None = data_field(default=None, compare=False)
    author: str = data_field(default="", compare=False)  # the name of the account's person at the time

    def __str__(self) -> str:
        return self.name

    def signed(self, at: datetime.datetime, account: int | None, author: str) -> "Signature":
        """The signature as it is saved: the moment and the author never come from the form."""
        return replace(self, at=at, account=account, author=author)


class SignatureField(TextLike):
    """A name that is typed and drawn, with the moment; never changed."""

    type: Literal["signature"]
    from_column: ClassVar[bool] = False
    signs: ClassVar[bool] = True
    widget: ClassVar[str] = "signature"
    display: ClassVar[str] = "signature"
    textual: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    can_be_column: ClassVar[bool] = False
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (" Anna  Moretti ", Signature("Anna Moretti"), "Anna Moretti"),
        ("Żuk", Signature("Żuk"), "Żuk"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 121, "a\x00b", "a\ud800b")

    def takes(self, other: Field) -> bool:
        """Nothing: no other value was signed."""
        return False

    # -- the database ---------------------------------------------------------------------------------------------

    def columns(self) -> list[sa.Column[Any]]:
        """The name, the drawing, and when and by whom it was signed."""
        return [
            *super().columns(),
            sa.Column(f"_{self.name}_drawing", sa.Text()),
            sa.Column(f"_{self.name}_signed", UTCDateTime()),
            sa.Column(f"_{self.name}_account", sa.BigInteger()),
            sa.Column(f"_{self.name}_author", sa.Text()),
        ]

    def store(self, value: Any) -> dict[str, Any]:
        return {
            self.name: value and value.name,
            self.folded: value and fold(value.name),
            f"_{self.name}_drawing": (value and value.drawing) or None,
            f"_{self.name}_signed": value and value.at,
            f"_{self.name}_account": value and value.account,
            f"_{self.name}_author": (value and value.author) or None,
        }

    def load(self, row: Mapping[str, Any]) -> Signature | None:
        if not row[self.name]:
            return None
        drawing, at, account, author = (
            row[f"_{self.name}_{part}"] for part in ("drawing", "signed", "account", "author")
        )
        return Signature(row[self.name], drawing or "", at, account, author or "")

    # -- input and output -----------------------------------------------------------------------------------------

    def parse(self, text: str, reader: Reader) -> Any:
        """The typed name; the moment and the account are added when it is saved."""
        name = " ".join(filled(text).split())
        return Signature(at_most(name, LONGEST_NAME)) if name else None

    def parse_form(self, form: Form, reader: Reader) -> Signature | None:
        """The typed name, with the drawing in NAME.drawing. Raises Refused for a drawing without a name."""
        signature, drawing = self.parse(self.input_text(form), reader), self.input_text(form, "drawing")
        if not drawing:
            return signature
        if signature is None:
            raise Refused(_("Enter your name as well."))
        return replace(signature, drawing=_check_drawing(drawing))

    def has_input(self, form: Form) -> bool:
        return self.name in form or f"{self.name}.drawing" in form

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The name, and the drawing under NAME.drawing."""
        return {self.name: value.name if value else "", f"{self.name}.drawing": value.drawing if value else ""}

    def show(self, value: Any, reader: Reader) -> str:
        return value.name if value else ""

    def default_value(self, raw: Any, reader: Reader) -> None:
        """Raises Refused for anything declared."""
        if not is_nothing(raw):
            raise Refused(_("This cannot be signed in advance."))

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        return super().matches(value and value.name, operator, constant)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """None: a name alone is not a signature."""
        return ()

    def texts(self, value: Any) -> Iterable[str]:
        return (value.name,) if value else ()


def _check_drawing(drawing: str) -> str:
    numbers = re.findall("[0-9]+ [0-9]+", drawing) if len(drawing) <= LONGEST_DRAWING else []
    points = [tuple(map(int, pair.split())) for pair in numbers] if DRAWING.fullmatch(drawing[:LONGEST_DRAWING]) else []
    if not points or any(x > WIDTH or y > HEIGHT for x, y in points):
        raise Refused(_("This drawing cannot be read. Clear it and sign again."))
    return drawing

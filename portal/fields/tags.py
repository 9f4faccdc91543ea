"""`tags`: free words, typed with commas between them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.column_types import folded_text
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled, json_texts, storable
from portal.fields.several_values import holds_value, pack_values, unpack_values
from portal.texts import fold, ngettext

COMMAS = re.compile("[,，、،]")  # also those of Chinese, Japanese and Arabic
LONGEST, MOST = 80, 50
LONGEST_LIST = MOST * (LONGEST + 2)


class Tags(Field):
    """Free words."""

    type: Literal["tags"]
    takes_list: ClassVar[bool] = True
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "tags"
    display: ClassVar[str] = "tags"
    filter: ClassVar[str] = "text"
    textual: ClassVar[bool] = True
    several_in_input: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("10%", ("10%",), "10%"),
        (' a "b" , Ärger,, ärger ,new  york', ('a "b"', "Ärger", "new york"), 'a "b", Ärger, new york'),
        ("a_c", ("a_c",), "a_c"),
        ("東京、大阪，京都", ("東京", "大阪", "京都"), "東京, 大阪, 京都"),
        ("", (), ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 81, "a\x00b", ",".join(map(str, range(51))), "x" * 100_000)

    @property
    def folded(self) -> str:
        return f"_{self.name}_folded"

    def columns(self) -> list[sa.Column[Any]]:
        """All tags in one text, once as they were typed and once folded."""
        return [sa.Column(self.name, sa.Text()), sa.Column(self.folded, folded_text())]

    def store(self, value: Any) -> dict[str, Any]:
        """All tags packed into one text, once as they were typed and once folded; None for none."""
        return {self.name: pack_values(value or ()), self.folded: pack_values(map(fold, value or ()))}

    def load(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return unpack_values(row[self.name])

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By all folded tags, in the order they were typed."""
        return table.c[self.folded]

    def parse(self, text: str, reader: Reader) -> tuple[str, ...]:
        """Words separated by commas; the first spelling of each is kept."""
        if len(text) > LONGEST_LIST:
            raise Refused(ngettext("Use at most ${number} tag.", "Use at most ${number} tags.", MOST))
        words: dict[str, str] = {}
        for part in COMMAS.split(storable(text)):
            if word := " ".join(filled(part).split()):
                words.setdefault(fold(word), word)
        if len(words) > MOST:
            raise Refused(ngettext("Use at most ${number} tag.", "Use at most ${number} tags.", MOST))
        if any(len(word) > LONGEST for word in words.values()):
            raise Refused(
                ngettext(
                    "A tag can have at most ${number} character.",
                    "A tag can have at most ${number} characters.",
                    LONGEST,
                )
            )
        return tuple(words.values())

    def to_json(self, value: Any) -> list[str]:
        return list(value or ())

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From a list of words."""
        return self.inputs(self.parse(", ".join(json_texts(given)), reader), reader)

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def show(self, value: Any, reader: Reader) -> str:
        return reader.listed(value or ())

    def write(self, value: Any) -> str:
        return ", ".join(value or ())

    def constant(self, raw: Any, reader: Reader) -> str:
        """One tag, or a part of one."""
        return storable(str(raw)).strip()

    def default_value(self, raw: Any, reader: Reader) -> tuple[str, ...]:
        """From one text with commas, or a list."""
        if is_nothing(raw):
            return ()
        return self.parse(", ".join(map(str, raw)) if isinstance(raw, list | tuple) else str(raw), reader)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` means having this exact tag, except for accents and case; `contains` matches a part of a tag."""
        folded = table.c[self.folded]
        if operator == "contains":
            # In JSON notation, so that quotes in a tag are found.
            return folded.contains((pack_values([fold(value)]) or "")[2:-2], autoescape=True)
        if operator == "equal":
            return holds_value(folded, fold(value))
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "equal":
            return fold(constant) in map(fold, value or ())
        if operator == "contains":
            return any(fold(constant) in fold(tag) for tag in value or ())
        return super().matches(value or (), operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return value or ()

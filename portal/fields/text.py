"""`text`: one line. Also the base of the other text-like types: email, phone, url, longtext, markdown, html."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import regex
import sqlalchemy as sa
from pydantic import BeforeValidator, field_validator
from pydantic import Field as Key

from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.base_shape import OneOrSeveral, as_list
from portal.fields.column_types import NORMALIZE, folded_text
from portal.fields.reader import Reader
from portal.fields.refused import Refused, declared_text, filled, storable
from portal.texts import _, fold, ngettext

LONGEST_SORTED = 640  # characters; as many as an index takes
RANDOM = "random"  # as the default of a field that nobody types
CODE, SIGNS = 12, "23456789abcdefghjkmnpqrstuvwxyz"  # how long a random default is, of signs that look different
TIMEOUT = 0.5  # seconds for a pattern


class TextLike(Field):
    """Text with a folded companion column, which is used to sort and filter without accents and case."""

    filter: ClassVar[str] = "text"
    textual: ClassVar[bool] = True
    taken: ClassVar[str] = _("This value is already in use. Capitals and accents make no difference.")
    type: str

    @property
    def folded(self) -> str:
        return f"_{self.name}_folded"

    @property
    def key_column(self) -> str:
        """If values must be unique, two are the same if they fold to the same text."""
        return self.folded if self.unique else self.name

    def columns(self) -> list[sa.Column[Any]]:
        return [sa.Column(self.name, sa.Text()), sa.Column(self.folded, folded_text(), info={NORMALIZE: fold})]

    def store(self, value: Any) -> dict[str, Any]:
        return {self.name: value, self.folded: None if value is None else fold(self.without_markup(value))}

    def without_markup(self, value: str) -> str:
        """Only the words, if the value has markup."""
        return value

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By the folded text, or its beginning if it is long."""
        column = table.c[self.folded]
        # The place in a list is part of the address of its next page.
        long = (self.length_limit or 0) > LONGEST_SORTED
        return sa.func.substr(column, 1, LONGEST_SORTED, type_=column.type) if long else column

    def parse(self, text: str, reader: Reader) -> str | None:
        """The text without surrounding spaces, after `check`."""
        stripped = filled(text)
        return self.check(stripped) if stripped else None

    def check(self, text: str) -> str | None:
        """A non-empty text → the value to store. Raises Refused."""
        return text

    def constant(self, raw: Any, reader: Reader) -> str:
        """Any text, even one that `check` would refuse; YAML's true and false as texts."""
        return storable(declared_text(raw))

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`contains` finds a part of the folded text; `equal` is exact."""
        if operator == "contains":
            return table.c[self.folded].contains(fold(value), autoescape=True)
        return super().compare(table, operator, value)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The text itself: no other one is equal to it."""
        return (constant,)

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else self.without_markup(value)

    def texts(self, value: Any) -> Iterable[str]:
        return () if value is None else (self.without_markup(value),)


def at_most(text: str, most: int) -> str:
    """A typed `text`, unchanged. Raises Refused if it is longer than `most` characters."""
    if len(text) > most:
        raise Refused(ngettext("Use at most ${number} character.", "Use at most ${number} characters.", most))
    return text


class LineOfText(TextLike):
    """One line of text."""

    verbatim: ClassVar[bool] = True
    comparable: ClassVar[bool] = True
    measure: ClassVar[Measure | None] = Measure("text")
    type: Literal["text"]
    sample: ClassVar[Mapping[str, Any]] = {"max_length": 20, "pattern": "[^<>]*"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("42, rue d'Ys", "42, rue d'Ys", "42, rue d'Ys"),
        ("  Größe 42 ", "Größe 42", "Größe 42"),
        ("two\r\nlines", "two lines", "two lines"),
        ("Żuk", "Żuk", "Żuk"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 21, "a<b", "a\x00b", "a\ud800b")

    max_length: int = Key(255, ge=1, le=100_000)
    min_length: int = Key(0, ge=0)
    pattern: str | None = None
    suggestions: Annotated[tuple[str, ...], BeforeValidator(as_list), OneOrSeveral()] = ()

    @property
    def suggested(self) -> tuple[str, ...]:
        return self.suggestions

    @property
    def length_limit(self) -> int:
        return self.max_length

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            regex.compile(pattern or "")
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @property
    def differs_by_default(self) -> bool:
        return self.default == RANDOM

    def default_value(self, raw: Any, reader: Reader) -> Any:
        """The text; `random` is a code that is made anew each time."""
        if raw != RANDOM or not self.differs_by_default:
            return super().default_value(raw, reader)
        return "".join(secrets.choice(SIGNS) for _place in range(CODE))

    def takes(self, other: Field) -> bool:
        """Any text; line breaks become spaces."""
        return other.filter == "text" and not other.by_upload

    def check(self, text: str) -> str:
        """One line that is neither too short nor too long, and matches `pattern`. Raises Refused for others."""
        line = at_most(" ".join(text.splitlines()), self.max_length)
        if len(line) < self.min_length:
            raise Refused(
                ngettext("Use at least ${number} character.", "Use at least ${number} characters.", self.min_length)
            )
        if self.pattern and not matches_pattern(self.pattern, line):
            raise Refused(_("This is not in the expected format."))
        return line


def matches_pattern(pattern: str, line: str) -> bool:
    """Whether the whole line matches an administrator's pattern; False if that takes too long to find out.

    Python's own `re` would try “(a+)+” on forty letters for hours, without a way to stop it.
    """
    try:
        return regex.fullmatch(pattern, line, timeout=TIMEOUT, concurrent=True) is not None
    except TimeoutError:
        return False

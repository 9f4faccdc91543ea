"""`choice`: one of the declared options."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import field_validator

from portal.fields import Field, Reader, Refused, Shape
from portal.texts import Text, _, fold, readable

TONES = ("info", "good", "warn", "bad", "calm")


class Option(Shape):
    """What one option looks like."""

    label: Text
    tone: Literal["info", "good", "warn", "bad", "calm", "primary"] | None = None
    help: Text | None = None
    icon: str | None = None
    formerly: str | None = None


def options(entry: Any) -> Any:
    """The `options` key as written (names; name: label; name: {label, …}) → name: mapping for Option."""
    if isinstance(entry, list):
        if len(set(map(str, entry))) < len(entry):
            raise ValueError("an option stands here twice")
        return {item: {"label": readable(item)} if isinstance(item, str) else item for item in entry}
    if not isinstance(entry, Mapping):
        return entry
    return {name: _option(name, value) for name, value in entry.items()}


def _option(name: str, value: Any) -> Any:
    if isinstance(value, Option):
        return value
    if value is None:
        return {"label": readable(name)}
    if isinstance(value, Mapping) and (not value or set(value) & {"label", "tone", "help", "icon", "formerly"}):
        return {"label": readable(name), **value}
    return {"label": value}


class Choice(Field):
    type: Literal["choice"]
    widget: ClassVar[str] = "select"
    display: ClassVar[str] = "pill"
    filter: ClassVar[str] = "options"
    textual: ClassVar[bool] = True
    sample: ClassVar[Mapping[str, Any]] = {"options": {"low": "Low", "high": {"label": "High", "tone": "bad"}}}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (("low", "low", "Low"), ("", None, ""))
    rejects: ClassVar[tuple[str, ...]] = ("lowest", "LOW ")

    options: dict[str, Option] = Key(min_length=1)

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, entry: Any) -> Any:
        return options(entry)

    @property
    def offered(self) -> dict[str, Option]:
        """The options that can be chosen; `""` only labels the empty value."""
        return {name: option for name, option in self.options.items() if name}

    def parse(self, text: str, reader: Reader) -> str | None:
        if not text:
            return None
        if text not in self.offered:
            raise Refused(_("“${value}” is none of the options.", mapping={"value": text[:80]}))
        return text

    def read(self, text: str) -> str | None:
        """CSV may hold an option's name or one of its labels."""
        if text.strip() in self.offered or not text.strip():
            return text.strip() or None
        wanted = fold(text.strip())
        for name, option in self.offered.items():
            if any(fold(label) == wanted for label in option.label):
                return name
        raise Refused(_("“${value}” is none of the options.", mapping={"value": text[:80]}))

    def show(self, value: Any, reader: Reader) -> str:
        option = self.options.get("" if value is None else value)
        return reader.text(option.label) if option else (value or "")

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        ranks = {name: rank for rank, name in enumerate(self.offered)}
        column = table.c[self.name]
        # A value that is no option any more sorts behind the options, before the empty ones.
        return sa.case((column.is_(None), None), *[(column == name, rank) for name, rank in ranks.items()], else_=len(ranks))

    def texts(self, value: Any) -> Iterable[str]:
        option = self.options.get(value) if value is not None else None
        return option.label if option else ([value] if value else [])

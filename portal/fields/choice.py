"""`choice`: one of the declared options. Also the base of choices."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import field_validator

from portal.conditions import NEVER, Condition
from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.base_shape import Option
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, declared_text, storable
from portal.fields.several_values import join_values
from portal.texts import Text, _, fold, label_from_name

LANGUAGE = re.compile("[a-zA-Z]{2,3}([-_].*)?")  # any other key means that this is not a text in several languages


def read_options(entry: Any) -> Any:
    """The `options` key as written (names; name: label; name: {label, …}) → name: mapping for Option."""
    if isinstance(entry, list):
        if any(isinstance(item, Mapping | list) for item in entry):
            raise ValueError("options in brackets are single names: those with a label or tone need a mapping")
        if None in entry:
            raise ValueError('an option has no name: write one, or "" for the empty value')
        if len(set(map(str, entry))) < len(entry):
            raise ValueError("an option appears twice")
        return {item: {"label": label_from_name(item)} if isinstance(item, str) else item for item in entry}
    if not isinstance(entry, Mapping):
        return entry
    return {name: _option(name, value) for name, value in entry.items()}


def _option(name: str, value: Any) -> Any:
    if isinstance(value, Option):
        return value
    if value is None:
        return {"label": label_from_name(name)}
    if isinstance(value, Mapping) and not (value and all(LANGUAGE.fullmatch(str(key)) for key in value)):
        return {"label": label_from_name(name), **value}
    return {"label": value}


class HasOptions(Field):
    """The key `options`, and how options are named, labeled and filtered."""

    filter: ClassVar[str] = "options"
    textual: ClassVar[bool] = True
    type: str

    options: dict[str, Option] = Key(min_length=1)

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, entry: Any) -> Any:
        return read_options(entry)

    @property
    def offered(self) -> dict[str, Option]:
        return {name: option for name, option in self.options.items() if name}

    @property
    def declared_options(self) -> dict[str, Option]:
        return self.options

    @cached_property
    def option_conditions(self) -> Mapping[str, Condition]:
        """The `show_when` of the options."""
        return {name: option.show_when for name, option in self.options.items() if option.show_when is not None}

    @property
    def empty_label(self) -> Text | str:
        return self.options[""].label if "" in self.options else ""

    def with_labels(self, labels: Mapping[str, Text | bool]) -> Field:
        """A copy in which the options in `labels` have these labels; those with False are not offered, those with True
        stay as they are."""
        options = {
            name: option.model_copy(update={"show_when": NEVER} if labels[name] is False else {"label": labels[name]})
            if labels.get(name, True) is not True
            else option
            for name, option in self.options.items()
        }
        copy = self.model_copy(update={"options": options})
        copy.__dict__.pop("option_conditions", None)  # of the field itself
        return copy

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        """What is written must be one of the options; what is read may be a removed one."""
        offered = [name for name in self.offered if name not in self.withheld]
        options = {"enum": [*offered, *(() if self.multiple else (None,))]} if written else {}
        if self.multiple:
            return {"type": "array", "items": {"type": "string", **options}}
        return {**super().json_schema(written=written), **options}

    def checked_option(self, name: str) -> str:
        """`name` itself. Raises Refused if it is not an option."""
        if storable(name) not in self.offered:
            raise Refused(_("“${value}” is not one of the options.", mapping={"value": name[:80]}))
        return name

    def option_called(self, text: str) -> str:
        """The option with this name, or this label in any language, as CSV writes it. Raises Refused."""
        folded = fold(storable(text)[:1000])
        labeled = (name for name in self.offered if any(fold(label) == folded for label in self.labels_of(name)))
        return text if text in self.offered else next(labeled, None) or self.checked_option(text)

    def constant(self, raw: Any, reader: Reader) -> Any:
        """The name of an option; YAML's true and false may be names of options. Raises Refused for others."""
        return self.checked_option(declared_text(raw))

    def parse_filter(self, text: str, reader: Reader) -> tuple[str, Any]:
        """An option by its name, or its label in any language."""
        return "equal", self.option_called(text)

    def label_of(self, name: str, reader: Reader) -> str:
        """The label of an option for the reader; an option that was removed keeps its name."""
        return reader.text(self.options[name].label) if name in self.options else name

    def labels_of(self, name: str) -> Iterable[str]:
        """The labels of an option in all languages."""
        return self.options[name].label if name in self.options else (name,)


class Choice(HasOptions):
    """One of the options."""

    type: Literal["choice"]
    comparable: ClassVar[bool] = True
    measure: ClassVar[Measure | None] = Measure("text")  # its label, in the first language in which it is written
    widget: ClassVar[str] = "select"
    display: ClassVar[str] = "pill"
    sample: ClassVar[Mapping[str, Any]] = {"options": {"low": "Low", "high": {"label": "High", "tone": "bad"}}}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("low", "low", "Low"),
        ("high", "high", "High"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("lowest", "LOW", "lo\x00w", "lo\ud800w")

    def parse(self, text: str, reader: Reader) -> str | None:
        """The name of an option, as a form posts it. Raises Refused for others."""
        return self.checked_option(text) if text else None

    def read(self, text: str, reader: Reader = PLAIN) -> str | None:
        return self.option_called(text.strip()) if text.strip() else None

    def show(self, value: Any, reader: Reader) -> str:
        return self.label_of(value or "", reader)

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """An option by its name, by the name in quotes (for lists of names), and by its labels."""
        if value is None:
            return ("",)
        return (value, join_values((value,)), *(self.labels_of(value) if value in self.offered else ()))

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        # Options are declared, so they are literals in the statement: each parameter costs time on every page.
        option = sa.literal(value, literal_execute=True) if operator == "equal" else value
        return super().compare(table, operator, option)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By the position of the option in the declaration, not by its name."""
        ranks = [(table.c[self.name] == name, rank) for rank, name in enumerate(self.offered)]
        # A value that is no longer an option sorts after the options, before the empty ones.
        return sa.case((table.c[self.name].is_(None), sa.null()), *ranks, else_=len(ranks))

    @property
    def ranked(self) -> tuple[str, ...]:
        return tuple(self.offered)

    def index_column(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The column of names: lists read its index once per option, in the order of `ranked`."""
        return table.c[self.name]

    def texts(self, value: Any) -> Iterable[str]:
        """The labels in all languages."""
        return self.labels_of(value) if value else ()

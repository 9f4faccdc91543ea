"""`choices`: several of the declared options."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.conditions import is_nothing
from portal.fields.choice import HasOptions
from portal.fields.protocols import Form
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, json_texts, operator_refused, storable
from portal.fields.several_values import holds_value, join_values, pack_values, split_values, unpack_values


class Choices(HasOptions):
    """Several of the options."""

    type: Literal["choices"]
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "checkboxes"
    display: ClassVar[str] = "pills"
    multiple: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {
        "options": {"low": "Low", "Low": "Other low", 'a", "b': "Quoted, parted", "high": {"label": "High"}}
    }
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("low", ("low",), "Low"),
        ("high,low", ("low", "high"), "Low, High"),
        ("Low", ("Low",), "Other low"),
        ('"a"", ""b"', ('a", "b',), "Quoted, parted"),
        ("high", ("high",), "High"),
        ("", (), ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("lowest", "low,lowest", "a", "lo\x00w")

    def store(self, value: Any) -> dict[str, Any]:
        """The names packed into one text; None for none."""
        return {self.name: pack_values(value or ())}

    def load(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The names unpacked, in the order of the declaration."""
        return unpack_values(row[self.name])

    def parse(self, text: str, reader: Reader) -> tuple[str, ...]:
        """Names separated by commas, as `write` joins them. Raises Refused for anything but options."""
        return self._chosen(split_values(storable(text)))

    def parse_form(self, form: Form, reader: Reader) -> tuple[str, ...]:
        return self._chosen([name for name in form.getall(self.name) if isinstance(name, str) and name])

    def parse_form_over(self, form: Form, reader: Reader, present: Any) -> tuple[str, ...]:
        """Options removed from the declaration stay as long as their checkbox stays ticked."""
        names = [name for name in form.getall(self.name) if isinstance(name, str) and name]
        removed = [name for name in present or () if name in names and name not in self.offered]
        return (*self._chosen(name for name in names if name not in removed), *removed)

    def _chosen(self, names: Iterable[str]) -> tuple[str, ...]:
        """The options in the order of the declaration, which is also the order of lists."""
        chosen = {self.checked_option(name) for name in names}
        return tuple(name for name in self.offered if name in chosen)

    def read(self, text: str, reader: Reader = PLAIN) -> tuple[str, ...]:
        """Names or labels separated by commas, as in our CSV, or by `;`, as in that of other systems."""
        try:
            return self._chosen([self.option_called(name) for name in split_values(storable(text))])
        except Refused:
            if ";" not in text:
                raise
            return self._chosen([self.option_called(name) for name in split_values(text, ";")])

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """All names under the shared name of the checkboxes."""
        return {self.name: list(value or ())}

    def to_json(self, value: Any) -> list[str]:
        return list(value or ())

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From a list of names or labels; removed options may stay."""
        names = json_texts(given)
        return self.inputs([name if name in (present or ()) else self.option_called(name) for name in names], reader)

    def show(self, value: Any, reader: Reader) -> str:
        return reader.listed(self.label_of(name, reader) for name in value or ())

    def write(self, value: Any) -> str:
        """The names separated by commas, quoted if necessary."""
        return join_values(value or ())

    def constant(self, raw: Any, reader: Reader) -> Any:
        """One option: conditions test whether it is among the chosen ones."""
        if isinstance(raw, list | tuple):
            return tuple(self.checked_option(str(name)) for name in raw)
        return super().constant(raw, reader)

    def default_value(self, raw: Any, reader: Reader) -> tuple[str, ...]:
        """From one name or a list of names."""
        if is_nothing(raw):
            return ()
        return self._chosen(map(str, raw) if isinstance(raw, list | tuple) else [str(raw)])

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By the first of the declaration's options that is among the chosen ones."""
        column = table.c[self.name]
        ranks = [(holds_value(column, name), rank) for rank, name in enumerate(self.offered)]
        return sa.case((column.is_(None), sa.null()), *ranks, else_=len(ranks))

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` to an option, or to a list of options, means having at least one of them."""
        if operator in ("equal", "contains"):
            names = (value,) if isinstance(value, str) else value
            return sa.or_(sa.false(), *[holds_value(table.c[self.name], name) for name in names])
        if operator in ("one_of", "empty"):
            return super().compare(table, operator, value)
        raise operator_refused(operator)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator in ("equal", "contains"):
            return not set(value or ()).isdisjoint((constant,) if isinstance(constant, str) else constant)
        return super().matches(value or (), operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return [label for name in value or () for label in self.labels_of(name)]

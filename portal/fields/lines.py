"""`lines`: rows that belong to the record, like those of an order. They are in a table of their own, in order.

The value is a tuple of Row. records/ reads and writes the table, as for `links`.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from portal.fields.arithmetic import EXACT
from portal.fields.base import Field
from portal.fields.base_shape import Names, OneOrSeveral
from portal.fields.money import Money
from portal.fields.own_table import OwnTable
from portal.fields.protocols import Declared, Form, VisibleIds
from portal.fields.reader import Reader
from portal.fields.refused import Refused, operator_refused, storable
from portal.fields.row_form import RowForm
from portal.fields.sheet_cell import SheetCell
from portal.fields.table_names import declared_name, join_name, table_of
from portal.texts import _, is_blank, ngettext

ROW_ID = "_row"  # the hidden input with the id of the record's row
UNTOUCHED = "untouched"  # its value in a row that a new form shows initially
INPUT = re.compile(r"(0|[1-9][0-9]{0,4})\.(.+)", re.DOTALL)  # after “FIELD.”
MANY = 1_000_000  # more rows than any field accepts
LONGEST_ROWS = 4_000  # characters of all rows in the history


@dataclass(frozen=True)
class Row:
    """The values of its columns by name. Two rows are equal if their values are, wherever they are stored."""

    values: Mapping[str, Any]
    id: int | None = field(default=None, compare=False)  # None: not stored yet

    def get(self, name: str) -> Any:
        """The value of a column; None for one that the reader may not read."""
        return self.values.get(name)


class ColumnError(ValueError):
    """A column of rows cannot be bound, so nothing that reads the rows can be either."""


class Rows(NamedTuple):
    """Replaces the module of the rows of a `lines` field when a computed column is bound."""

    name: str
    everything: Mapping[str, Field]


class Lines(OwnTable):
    """Rows that belong to the record, such as those of an order."""

    type: Literal["lines"]
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "lines"
    display: ClassVar[str] = "lines"
    filter: ClassVar[str] = "text"
    textual: ClassVar[bool] = True
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    can_be_column: ClassVar[bool] = False
    long: ClassVar[bool] = True
    sample: ClassVar[Mapping[str, Any]] = {"fields": {"what": "text", "price": {"type": "money"}}, "total": ["price"]}

    fields: dict[str, Field] = Key(min_length=1)
    total: Annotated[tuple[Annotated[str, Names("column")], ...], OneOrSeveral()] = ()
    min: int = Key(0, ge=0)
    max: int | None = Key(None, ge=1)

    @field_validator("fields", mode="before")
    @classmethod
    def _columns(cls, entries: Any) -> Any:
        if not isinstance(entries, Mapping):
            return entries
        return {name: _column(name, entry) for name, entry in entries.items()}

    @field_validator("total", mode="before")
    @classmethod
    def _one_or_several(cls, total: Any) -> Any:
        return (total,) if isinstance(total, str) else total

    @field_validator("default")
    @classmethod
    def _without_default(cls, default: Any) -> Any:
        if default is not None:
            raise ValueError("lines have no default: give their columns one")
        return default

    @model_validator(mode="after")
    def _totals_are_columns(self) -> "Lines":
        for name in self.total:
            if name not in self.fields:
                raise _problem(f'no column "{name}"', ("total",))
        return self

    @model_validator(mode="after")
    def _internal_formulas(self) -> "Lines":
        """Makes formulas internal if they read an internal column."""
        for _round in self.fields:
            for name, column in self.fields.items():
                read = [self.fields[source] for source in column.sources if source in self.fields]
                if column.computed and not column.internal and any(source.internal for source in read):
                    self.make_internal(name)
        return self

    @property
    def row_fields(self) -> Mapping[str, Field]:
        return self.fields

    @property
    def searched(self) -> bool:
        return super().searched and any(column.searched for column in self.fields.values())

    def bind(self, declaration: Declared, module: Any) -> None:
        """Binds formulas first, then lookups."""
        self.bind_formula(module.fields, ())
        rows = Rows(join_name(module.name, self.name), self.fields)
        for column in self.fields.values():
            if column.virtual:
                column.bind(declaration, rows)

    def make_internal(self, name: str) -> None:
        """Makes a column internal because it shows something internal elsewhere."""
        self.fields[name] = self.fields[name].model_copy(update={"internal": True})

    def bind_formula(self, fields: Mapping[str, Field], waiting: tuple[str, ...]) -> None:
        """Binds the formulas among the columns. Raises ColumnError."""
        try:
            for column in self.fields.values():
                column.bind_formula(self.fields, ())
        except ValueError as error:
            raise ColumnError(str(error)) from None

    # -- the database ---------------------------------------------------------------------------------------------

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """Like `compare_among`, with the titles of all linked records."""
        return self.compare_among(table, operator, value, lambda module: None)

    def compare_among(
        self, table: sa.FromClause, operator: str, value: Any, visible_ids: VisibleIds
    ) -> sa.ColumnElement[bool]:
        """Whether there are rows, or one with a given text in a text column or the title of a linked record.

        Internal columns are left out: what a list finds would reveal them.
        """
        base = table_of(table)
        rows = base.metadata.tables[join_name(declared_name(base), self.name)].alias()
        of_rows = sa.select(rows.c["_record"])
        if operator == "empty":
            return table.c["id"].not_in(of_rows) if value else table.c["id"].in_(of_rows)
        if operator != "contains":
            raise operator_refused(operator)
        columns = [column for column in self.fields.values() if not (column.virtual or column.internal)]
        containing = [
            column.compare_among(rows, "contains", value, visible_ids)
            for column in columns
            if column.filter in ("text", "link")
        ]
        return table.c["id"].in_(of_rows.where(sa.or_(sa.false(), *containing)))

    def constant(self, raw: Any, reader: Reader) -> str:
        """A text that occurs in the rows."""
        return storable(str(raw))

    def default_value(self, raw: Any, reader: Reader) -> tuple[Row, ...]:
        """No rows: the YAML can only say `nothing`."""
        return ()

    # -- input and output -----------------------------------------------------------------------------------------

    def parse(self, text: str, reader: Reader) -> tuple[Row, ...]:
        """The rows that `write` wrote. Raises Refused."""
        if is_blank(text):
            return ()
        try:
            entries = json.loads(text)
            return tuple(
                Row({name: column.read(entry.get(name, ""), reader) for name, column in self.fields.items()})
                for entry in entries
            )
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise error if isinstance(error, Refused) else Refused(_("This is not in the expected format.")) from None

    def parse_form(self, form: Form, reader: Reader) -> tuple[Row, ...]:
        """The rows of a form on its own; records/writing/validation.py reads those of a record."""
        return tuple(
            Row({name: column.parse_form(row, reader) for name, column in self.fields.items()})
            for row in self.rows_in(form).values()
        )

    def rows_in(self, form: Form) -> dict[int, RowForm]:
        rows: dict[int, dict[str, list[str]]] = {}
        for name, text in form.items():
            if match := self._match(name):
                rows.setdefault(int(match[1]), {}).setdefault(match[2], []).append(text)
        return {index: RowForm(rows[index]) for index in sorted(rows)}

    def to_history(self, value: Any) -> str | None:
        """The rows as customers see them; internal columns are not in the history."""
        columns = [(name, column) for name, column in self.fields.items() if not column.internal]
        rows = [{name: column.to_history(row.get(name)) for name, column in columns} for row in value or ()]
        text = json.dumps(rows, ensure_ascii=False) if rows else ""
        whole = all(item is not None for row in rows for item in row.values())
        return text if whole and len(text) <= LONGEST_ROWS else None

    def from_history(self, recorded: Any) -> tuple[Row, ...]:
        """The rows that `to_history` wrote, without columns that have been removed or made internal."""
        if not recorded:
            return ()
        try:
            return tuple(Row(self._from_history(row)) for row in json.loads(recorded))
        except (ValueError, TypeError, AttributeError):
            raise Refused(_("This is not in the expected format.")) from None

    def _from_history(self, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that are still declared and not internal."""
        columns = {name: column for name, column in self.fields.items() if not column.internal}
        return {name: columns[name].from_history(item) for name, item in recorded.items() if name in columns}

    def number_hint(self, reader: Reader) -> str:
        """The sentence about the allowed number of rows; "" if it is not limited."""
        if self.min and self.max is not None:
            return reader.text(_("From ${min} to ${max} lines.", mapping={"min": self.min, "max": self.max}))
        return reader.text(self.wrong_number(0)) if self.min else reader.text(self.wrong_number(MANY))

    def is_internal_change(self, before: Any, after: Any) -> bool:
        """Whether only internal columns differ."""
        return self.internal or self._without_internal(before) == self._without_internal(after)

    def _without_internal(self, value: Any) -> list[dict[str, Any]]:
        """The rows as customers see them."""
        return [
            {name: item for name, item in row.values.items() if not self.fields[name].internal} for row in value or ()
        ]

    def wrong_number(self, number: int) -> str:
        """Why a record cannot have so many rows; "" if it can. A required field has at least one."""
        if number < self.min:
            return ngettext("Enter at least ${number} line.", "Enter at least ${number} lines.", self.min)
        if self.max is not None and number > self.max:
            return ngettext("Enter at most ${number} line.", "Enter at most ${number} lines.", self.max)
        return ""

    def repeated_values(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, str]]:
        for name, column in self.fields.items():
            seen: list[Any] = []
            for number, values in rows if column.unique else ():
                value = values.get(name)
                if value in seen:
                    yield number, name
                elif not column.is_empty(value):
                    seen.append(value)

    def input_names(self, form: Iterable[str]) -> list[str]:
        """All inputs NAME.INDEX.COLUMN."""
        return [name for name in dict.fromkeys(form) if self._match(name)]

    def _match(self, name: str) -> re.Match[str] | None:
        start = f"{self.name}."
        return INPUT.fullmatch(name, len(start)) if name.startswith(start) else None

    def has_input(self, form: Form) -> bool:
        return any(map(self._match, form))

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """For each row NAME.INDEX.COLUMN, and NAME.INDEX.id if it is stored."""
        inputs: dict[str, str | list[str]] = {}
        for index, row in enumerate(value or ()):
            prefix = f"{self.name}.{index}."
            if row.id is not None:
                inputs[prefix + ROW_ID] = str(row.id)
            for name, column in self._shown_in(row):
                inputs |= {prefix + key: text for key, text in column.inputs(row.values[name], reader).items()}
        return inputs

    def _shown_in(self, row: Row) -> list[tuple[str, Field]]:
        """The columns that the reader of a row may read."""
        return [(name, column) for name, column in self.fields.items() if name in row.values]

    def show(self, value: Any, reader: Reader) -> str:
        """A line of text for each row: “Laptop · 6 · €1,149.00”."""
        rows = (
            (column.show_among(row.values[name], reader) for name, column in self._shown_in(row)) for row in value or ()
        )
        return "\n".join(" · ".join(filter(None, texts)) for texts in rows)

    def summary(self, value: Any, reader: Reader) -> str:
        """What a list shows: the totals, or the number of rows if no totals are declared."""
        if not value:
            return ""
        totals = [self.fields[name].show(total, reader) for name in self.total for total in self.totals_of(value, name)]
        return " · ".join(totals) or reader.text(ngettext("${number} line", "${number} lines", len(value)))

    def summary_cell(self, value: Any) -> str:
        """The same for programs."""
        totals = [self.fields[name].write(total) for name in self.total for total in self.totals_of(value, name)]
        return "; ".join(totals) if totals else str(len(value or ()))

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """The total, if there is exactly one; without totals, the number of rows."""
        if not self.total:
            return SheetCell(len(value))
        totals = [(self.fields[name], total) for name in self.total for total in self.totals_of(value, name)]
        return totals[0][0].sheet_cell(totals[0][1], reader) if len(totals) == 1 else None

    def has_total(self, column: str) -> bool:
        return column in self.total

    def totals_of(self, value: Any, column: str) -> tuple[Any, ...]:
        values = [item for row in value or () if (item := row.get(column)) is not None]
        if not values or not isinstance(values[0], Money):
            return (_exact_sum(values),) if values else ()
        amounts: dict[str, list[Decimal]] = {}
        for money in values:
            amounts.setdefault(money.currency, []).append(money.amount)
        return tuple(Money(_exact_sum(amounts[currency]), currency) for currency in sorted(amounts))

    def write(self, value: Any) -> str:
        rows = [{name: column.write(row.values[name]) for name, column in self._shown_in(row)} for row in value or ()]
        return json.dumps(rows, ensure_ascii=False) if rows else ""

    def to_json(self, value: Any) -> list[dict[str, Any]]:
        """A list of the rows, each with its number among all rows, which identifies it when it is written back."""
        return [
            {ROW_ID: row.id, **{name: column.to_json(row.values[name]) for name, column in self._shown_in(row)}}
            for row in value or ()
        ]

    def texts(self, value: Any) -> Iterable[str]:
        """The texts of the columns that are not internal."""
        return self._texts(value, internal=False)

    def internal_texts(self, value: Any) -> Iterable[str]:
        return self._texts(value, internal=True)

    def _texts(self, value: Any, internal: bool) -> list[str]:
        columns = [column for column in self.fields.values() if column.searched and column.internal is internal]
        return [text for row in value or () for column in columns for text in column.texts(row.get(column.name))]


def _exact_sum(values: Sequence[Any]) -> Any:
    """The sum of a column of rows: of whole numbers, or of decimals."""
    return functools.reduce(EXACT.add, values) if isinstance(values[0], Decimal) else sum(values)


def _column(name: str, entry: Any) -> Field:
    if isinstance(entry, Field):
        return entry
    keys = {"type": entry} if isinstance(entry, str) else entry
    kind = Field.types.get(str(keys.get("type"))) if isinstance(keys, Mapping) else None
    if kind is None or not kind.can_be_column:
        known = ", ".join(sorted(name for name, type_ in Field.types.items() if type_.can_be_column))
        raise _problem(f"must be the type of a column: {known}", (name,))
    try:
        return kind.model_validate({**keys, "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _problem(first["msg"].removeprefix("Value error, "), (name, *first["loc"])) from None


def _problem(sentence: str, path: tuple[Any, ...]) -> PydanticCustomError:
    return PydanticCustomError("value_error", "{error}", {"error": sentence, "path": path})

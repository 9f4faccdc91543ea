"""`formula`: computed from other fields of the same record and stored, so that lists sort, filter and search by it.

`of` is arithmetic (`quantity * price`, `first_name + ' ' + last_name`) or a table of options
(`{impact: {company: high, person: low}}`). The value is recomputed whenever a field that it reads changes
(records/indexing/formulas.py). A value that cannot be computed is empty.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field as Key
from pydantic import PrivateAttr, field_validator, model_validator

from portal.fields import arithmetic, decision_table
from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.base_shape import Option
from portal.fields.choice import read_options
from portal.fields.decision_table import DecisionTable
from portal.fields.expressions import Constant, Expression, Operation, names_in_expression, read_expression
from portal.fields.money import Currency, Money
from portal.fields.numbers import places_of
from portal.fields.protocols import Declared
from portal.fields.proxy_field import from_target
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.fields.rollup import Rollup
from portal.fields.stored_result import DIGITS, StoredResult
from portal.texts import label_from_name

IN_ADDRESSES = ":/?#[]@!$&'()*+,;=%~"  # in addition to letters, numbers and -._
BUILT_IN = ("number", "created")  # every record has them and they never change


class NoFieldError(ValueError):
    """A formula reads a field that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f'no field "{name}"')
        self.name = name


class Formula(StoredResult):
    """Computed from other fields of the record, such as quantity * price or first_name + ' ' + last_name."""

    type: Literal["formula"]
    follows_form: ClassVar[bool] = True
    sample: ClassVar[Mapping[str, Any]] = {"of": "quantity * (price - 0.5)"}

    textual: ClassVar[bool] = from_target("textual")
    searched_in_lists: ClassVar[bool] = from_target("searched_in_lists")

    of: Any
    places: int | None = Key(None, ge=0, le=8)
    options: dict[str, Option] | None = Key(None, min_length=1)
    empty: Literal[0] | None = None  # what empty numbers, amounts and durations count as
    currency: Currency | None = None  # of the result, which is then an amount

    _measures: Mapping[str, Measure] = PrivateAttr({})  # of the operands, by name
    _read: Mapping[str, Field] = PrivateAttr({})  # the fields that it reads, by name
    _bound: bool = PrivateAttr(False)

    @field_validator("of", mode="after")
    @classmethod
    def _understood(cls, of: Any) -> Any:
        if isinstance(of, Mapping):
            decision_table.read_table(of)
        elif isinstance(of, str | int | float | Decimal) and not isinstance(of, bool):
            if arithmetic.divides_by_zero(read_expression(str(of))):
                raise ValueError("this divides by zero: the field would always be empty")
        else:
            raise ValueError("must be a formula such as quantity * price, or a table of options")
        return of

    @field_validator("empty", mode="before")
    @classmethod
    def _zero(cls, empty: Any) -> Any:
        if empty is not None and (isinstance(empty, bool) or empty != 0):
            raise ValueError("must be 0: an empty field cannot count as anything else")
        return empty

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, entry: Any) -> Any:
        return read_options(entry)

    @model_validator(mode="after")
    def _keys_fit(self) -> "Formula":
        if self._table is not None and self.empty is not None:
            raise ValueError('empty belongs to arithmetic: in a table, "" stands for the empty field')
        if self._table is not None and self.currency is not None:
            raise ValueError("currency belongs to arithmetic: a table gives options or numbers")
        if self._table is None and self.options is not None:
            raise ValueError("options belong to a table: write of: {impact: {high: …, low: …}}")
        if self._table is not None and self.options is not None:
            for result in decision_table.results_in(self._table):
                if str(result) not in self.options:
                    raise ValueError(f'"{result}" is not one of the options')
        return self

    @property
    def never_given(self) -> tuple[str, ...]:
        results = (
            {str(result) for result in decision_table.results_in(self._table)} if self._table is not None else set()
        )
        return tuple(name for name in self.options or () if name and name not in results)

    @cached_property
    def _table(self) -> DecisionTable | None:
        return decision_table.read_table(self.of) if isinstance(self.of, Mapping) else None

    @cached_property
    def _expression(self) -> Expression:
        return read_expression(str(self.of))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """The names it reads, each once: fields, and columns of lines as `lines.price`."""
        if self._table is not None:
            return tuple(dict.fromkeys(name for name, _options in decision_table.fields_in(self._table)))
        return tuple(dict.fromkeys(names_in_expression(self._expression)))

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self._names))

    @property
    def columns_read(self) -> tuple[tuple[str, str], ...]:
        parts = (name.partition(".") for name in self._names)
        return tuple((field, column) for field, dot, column in parts if dot)

    # -- the type of its result -----------------------------------------------------------------------------------

    def bind(self, declaration: Declared, module: Any) -> None:
        """Finds what it reads, and the type of its result. Raises ValueError if it cannot be computed."""
        built_in = {name: field for name, field in module.builtin.items() if name in BUILT_IN}
        for name in self.sources:
            if name in module.builtin and name not in BUILT_IN:
                raise ValueError(f'"{name}" is kept by the portal: a formula reads declared fields, number and created')
        self._bound = False
        self.bind_among({**built_in, **module.fields})
        self._target.bind(declaration, module)

    def bind_among(self, fields: Mapping[str, Field], waiting: tuple[str, ...] = ()) -> None:
        """Finds what it reads among the fields of a record, or the columns of a row. Raises ValueError.

        `waiting`: the formulas that read this one.
        """
        if self._bound:
            return
        if self.name in waiting:
            raise ValueError(_circle_sentence(fields, waiting, self.name))
        read: dict[str, Field] = {}
        for name in self._names:
            first, _dot, column = name.partition(".")
            field = fields.get(first)
            if field is None:
                raise NoFieldError(first)
            if field.virtual:
                raise ValueError(_changes_by_itself(first, field))
            field.bind_formula(fields, (*waiting, self.name))
            read[name] = _column(field, column) if column else field
        self._read = read
        self._answer_like(self._result_of_table(self._table) if self._table else self._result_of_arithmetic())
        self._bound = True

    def bind_formula(self, fields: Mapping[str, Field], waiting: tuple[str, ...]) -> None:
        """Like `bind_among`: formulas that it reads are bound first."""
        self.bind_among(fields, waiting)

    def _result_of_arithmetic(self) -> Field:
        measures: dict[str, Measure] = {}
        for name, field in self._read.items():
            if field.measure is None:
                raise ValueError(f'"{name}" is of type {field.type}, which a formula cannot compute with')
            measures[name] = field.measure
        self._measures = measures
        kind, places = arithmetic.measure_of(self._expression, measures)
        if self.currency is not None:
            if kind not in ("money", "number"):
                raise ValueError(f"currency belongs to an amount, and this formula gives {arithmetic.CALLED[kind]}")
            return self._field("money", currency=self.currency)
        if kind == "text" and _first_text(self._expression).startswith(("https://", "http://")):
            return self._field("url")
        if self.places is not None and kind not in ("number", "percent"):
            raise ValueError(f"places belong to a number, and this formula gives {arithmetic.CALLED[kind]}")
        return self._result_field(Measure(kind, min(places, 8) if self.places is None else self.places))

    def _result_of_table(self, table: DecisionTable) -> Field:
        for name, options in decision_table.fields_in(table):
            field = self._read[name]
            if not field.branches:
                raise ValueError(f'"{name}" is of type {field.type}: a table asks fields with options, and amounts')
            unknown = next((option for option in options if option and option not in field.branches), None)
            if unknown is not None:
                raise ValueError(f'"{unknown}" is not {"an option" if field.offered else "a currency"} of {name}')
        results = decision_table.results_in(table)
        if self.options is None and decision_table.are_numbers(results):
            places = max(places_of(Decimal(str(result))) for result in results)
            return self._field("decimal" if places else "integer", digits=DIGITS, places=places)
        if self.places is not None:
            raise ValueError("places belong to a number, and this table gives options")
        listed = self.options or {str(result): Option(label=label_from_name(str(result))) for result in results}
        return self._field("choice", options=listed)

    @property
    def recipe(self) -> dict[str, Any]:
        keys = {"of", "places"} | {key for key in ("empty", "currency") if getattr(self, key) is not None}
        return self.model_dump(mode="json", include=keys)

    @property
    def rollups(self) -> tuple[Rollup, ...]:
        return tuple(rollup for field in self._read.values() for rollup in field.rollups)

    @property
    def gives_title(self) -> bool:
        return self.value_type == "text" and not self.rollups

    @property
    def gaps(self) -> tuple[str, ...]:
        offered = {name: field.offered.keys() for name, field in self._read.items()}
        return tuple(decision_table.gaps_in(self._table, offered)) if self._table else ()

    # -- its value --------------------------------------------------------------------------------------------------

    def compute(self, values: Mapping[str, Any], currency: str) -> Any:
        """The value for a record or a row with `values`; None if it cannot be computed.

        `currency`: the portal's, in which a total over no rows is zero.
        """
        if self._table is not None:
            names = {name: field.option_of(values.get(name)) for name, field in self._read.items()}
            result = decision_table.look_up(self._table, names)
            return None if result is None else self._target.default_value(result, PLAIN)
        operands = {name: self._operand(name, values, currency) for name in self._names}
        if self.empty is not None:
            present = (value.currency for value in operands.values() if isinstance(value, Money))
            used = next(present, currency)
            for name, value in operands.items():
                operands[name] = arithmetic.zero(self._measures[name].kind, used) if value is None else value
        if self.value_type in ("text", "url") and all(value in arithmetic.EMPTY for value in operands.values()):
            return None
        result = arithmetic.evaluate(self._expression, operands.__getitem__)
        if self.currency is not None and isinstance(result, Money | Decimal):
            result = Money(result.amount if isinstance(result, Money) else result, self.currency)
        return self._address(str(result)) if self.value_type == "url" else self._round(result)

    def _address(self, text: str) -> str | None:
        """The web address made of the parts, with invalid characters encoded; None if it is not an address."""
        try:
            return self._target.parse(quote(" ".join(text.split()), safe=IN_ADDRESSES), PLAIN)
        except Refused:
            return None

    def _operand(self, name: str, values: Mapping[str, Any], currency: str) -> arithmetic.Value:
        first, _dot, column = name.partition(".")
        kind, field = self._measures[name].kind, self._read[name]
        if not column:
            value = values.get(first)
            return arithmetic.operand(kind, next(iter(field.texts(value)), None) if kind == "text" else value)
        nothing = field.constant(0, Reader(plain=True, currency=currency))
        rows = values.get(first) or ()
        return arithmetic.column_total(
            [(arithmetic.operand(kind, row.get(column)), 1) for row in rows], arithmetic.operand(kind, nothing)
        )


def _first_text(expression: Expression) -> str:
    """The quoted text with which a text joined by a formula begins."""
    while isinstance(expression, Operation):
        expression = expression.left
    return expression.value if isinstance(expression, Constant) and isinstance(expression.value, str) else ""


def _changes_by_itself(name: str, field: Field) -> str:
    """The sentence for a formula that reads a value not stored in the record; for a lookup, how to get one."""
    if not field.link_path:
        return f'"{name}" changes by itself, and a formula is computed when its record changes'
    path = ".".join(field.link_path)
    return f'"{name}" is a value of another record: copy it into a field with default: ${path} to compute with it'


def _circle_sentence(fields: Mapping[str, Field], waiting: tuple[str, ...], name: str) -> str:
    """The sentence for formulas that read each other, for the first of them in the file; "" for the others."""
    around = waiting[waiting.index(name) :]
    first = next(field for field in fields if field in around)
    return f'"{first}" is computed from itself' if waiting[0] == first else ""


def _column(lines: Field, name: str) -> Field:
    column = lines.row_fields.get(name)
    if column is None:
        raise ValueError(f'no column "{name}" in {lines.name}')
    if column.measure and not column.has_sum:
        kind = "texts" if column.measure.kind == "text" else "dates"
        raise ValueError(f"{kind} have no sum: {lines.name}.{name} cannot be computed with")
    return column

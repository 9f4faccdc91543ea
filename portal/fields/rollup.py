"""`rollup`: how many records of another module link to this one, or the sum, least or greatest of their values.

Stored with the record, so that lists sort and filter by it; records/indexing/rollups.py updates it with every write to
those records. It is over all of them, for every reader: readers who do not see them all do not get the number
(declaration/layouts.py), unless `includes_unseen` says that it is not secret.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PrivateAttr, StrictBool, field_validator

from portal.condition_texts import condition_key
from portal.conditions import compared_fields
from portal.fields import arithmetic
from portal.fields.base import Field
from portal.fields.base_parts import FieldPlace, Measure
from portal.fields.base_shape import Names, Where
from portal.fields.protocols import Declared
from portal.fields.reader import Reader
from portal.fields.stored_result import StoredResult

PATTERN = re.compile(r"\s*(?:(count)\(\s*(\w+)\s*\)|(sum|min|max)\(\s*(\w+)\.(\w+)\s*\))\s*")
CREATED = "created"  # the only built-in field that never changes


class Rollup(StoredResult):
    """Computed from the records that link to this one: their number, or a sum, such as sum(tasks.hours)."""

    type: Literal["rollup"]
    can_be_column: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"of": "count(tasks)"}

    of: str
    through: Annotated[str, Names("name")] | None = None
    where: Where | None = None
    includes_unseen: StrictBool = False

    _place: FieldPlace = PrivateAttr(("", ""))
    _link: str = PrivateAttr("")
    _types: Mapping[str, str] = PrivateAttr({})  # of the fields that it reads
    _bound: bool = PrivateAttr(False)
    _column: Field | None = PrivateAttr(None)  # the field that is summed or compared; None if records are counted

    @field_validator("of")
    @classmethod
    def _understood(cls, of: str) -> str:
        if not PATTERN.fullmatch(of):
            raise ValueError("must be count(MODULE), or sum, min or max of a field, such as sum(tasks.hours)")
        return of

    @property
    def _parts(self) -> tuple[str, str, str]:
        """The function, the module, and the name of its field ("" if records are counted)."""
        match = PATTERN.fullmatch(self.of)
        if match is None:
            raise ValueError(self.of)
        return (match[1], match[2], "") if match[1] else (match[3], match[4], match[5])

    @property
    def rollup(self) -> "Rollup":
        return self

    @property
    def place(self) -> FieldPlace:
        """The module that has the roll-up, and its name there."""
        return self._place

    @property
    def counted(self) -> str:
        """The module whose records it is over."""
        return self._parts[1]

    @property
    def counted_link(self) -> str:
        """The link by which those records belong to this one."""
        return self._link

    @property
    def counted_column_name(self) -> str:
        """The name of the field of those records that is summed or compared; "" if records are counted."""
        return self._parts[2]

    @property
    def counted_column(self) -> Field | None:
        """That field, once the roll-up is bound."""
        return self._column

    @property
    def counted_fields(self) -> tuple[str, ...]:
        """The fields of those records that it reads: what it sums or compares, and what its `where` tests."""
        conditions = (path[0] for path in compared_fields(self.where))
        return tuple(dict.fromkeys(filter(None, (self._parts[2], *conditions))))

    @property
    def recipe(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "link": self._link,
            "where": self.where and condition_key(self.where),
            "types": dict(self._types),
        }

    # -- the type of its result -----------------------------------------------------------------------------------

    def bind(self, declaration: Declared, module: Any) -> None:
        """Finds the link by which records belong to one of `module`, and the fields it reads. Raises ValueError."""
        self._bind(declaration, module, ())

    def _bind(self, declaration: Declared, module: Any, waiting: tuple[FieldPlace, ...]) -> None:
        """`waiting`: the roll-ups and formulas that read this one."""
        place = self._place = (module.name, self.name)
        if place in waiting:
            around = waiting[waiting.index(place) :]
            raise ValueError(f'"{self.name}" is computed from itself' if waiting[0] == min(around) else "")
        self._bound = False
        function, name, column = self._parts
        others = declaration.modules[name]
        if others.table is not None:
            raise ValueError(f'"{name}" is an existing table, which others change too: a roll-up would not notice')
        self._link = self._find_link(module, others)
        self._column = None
        if column in others.builtin and column != CREATED:
            raise ValueError(f'"{column}" is kept by the portal: a roll-up reads declared fields and created')
        for read in self.counted_fields:
            _bind_computed(declaration, others, read, (*waiting, place))
        if column:
            self._column = others.field(column)
        fields = (others.fields[read] for read in self.counted_fields if read in others.fields)
        self._types = {field.name: field.value_type for field in fields}
        self._answer_like(self._result_field(self._measure_of(function)))
        self._bound = True

    def bind_formula(self, fields: Mapping[str, Field], waiting: tuple[str, ...]) -> None:
        """Raises ValueError without a sentence if it could not be bound: that is reported for the field itself."""
        if not self._bound:
            raise ValueError("")

    def _find_link(self, module: Any, others: Any) -> str:
        links = [
            field.name
            for field in others.fields.values()
            if not field.computed and not field.multiple and field.targets == (module.name,)
        ]
        if self.through is not None:
            if self.through not in links:
                raise ValueError(f'"{self.through}" is not a link of {others.name} to {module.name} alone')
            return self.through
        if not links:
            raise ValueError(
                f"no link of {others.name} leads to {module.name}: add one, {{type: link, to: {module.name}}}"
            )
        if len(links) > 1:
            raise ValueError(f"{' and '.join(links)} lead from {others.name} to {module.name}: say which with through:")
        return links[0]

    def _measure_of(self, function: str) -> Measure:
        if self._column is None:
            return Measure("number")
        measure, name = self._column.measure, self._column.name
        if measure is None or measure.kind == "text":
            raise ValueError(f'"{name}" is of type {self._column.type}, which has no {function}')
        if function == "sum" and not self._column.has_sum:
            raise ValueError(f'"{name}" is of type {self._column.type}, which has no sum: use min or max')
        return measure

    # -- its value --------------------------------------------------------------------------------------------------

    def compute(self, values: Mapping[str, Any], currency: str) -> Any:
        """The stored value; for a new record the value over no records, an amount in the portal's `currency`."""
        return values[self.name] if self.name in values else self.rolled_up((), currency)

    def rolled_up(self, counted: Iterable[tuple[Any, int]], currency: str) -> Any:
        """The number of the records, or the sum, least or greatest of their values, rounded as it is stored."""
        function = self._parts[0]
        if self._column is None or self._column.measure is None:
            return sum(times for _value, times in counted)
        kind = self._column.measure.kind
        values = [(arithmetic.operand(kind, value), times) for value, times in counted if value is not None]
        if function == "sum":
            nothing = arithmetic.operand(kind, self._column.constant(0, Reader(plain=True, currency=currency)))
            return self._round(arithmetic.column_total(values, nothing))
        return self._round(arithmetic.extreme([value for value, _times in values], largest=function == "max"))

    def changed_by(self, present: Any, counted: Mapping[Any, int]) -> Any:
        """`present` after so many more, or fewer, records have these values; None if all records are needed for it."""
        function = self._parts[0]
        if present is None:
            return None
        if self._column is None or self._column.measure is None:
            return present + sum(counted.values())
        kind = self._column.measure.kind
        now = arithmetic.operand(kind, present)
        changes = {arithmetic.operand(kind, value): times for value, times in counted.items() if value is not None}
        if function != "sum":
            lost_extreme = any(times < 0 and self._round(value) == present for value, times in changes.items())
            known = [now, *(value for value, times in changes.items() if times > 0)]
            return None if lost_extreme else self._round(arithmetic.extreme(known, largest=function == "max"))
        total = arithmetic.column_total([(now, 1), *changes.items()], now)
        result = self._round(total)
        # A sum of 0 has no known currency, and a rounded sum may differ from that over all records.
        exact = total is not None and not arithmetic.is_zero(total) and arithmetic.operand(kind, result) == total
        return result if exact else None


def _bind_computed(declaration: Declared, module: Any, name: str, waiting: tuple[FieldPlace, ...]) -> None:
    """Binds a computed field of other records, and what it reads, before the roll-up over them. Raises ValueError,
    without a sentence if that field itself is reported."""
    field = module.fields.get(name)
    if field is None or not field.computed or field.virtual:
        return
    for source in field.sources:
        _bind_computed(declaration, module, source, waiting)
    if isinstance(field, Rollup):
        field._bind(declaration, module, waiting)
        return
    try:
        field.bind(declaration, module)
    except ValueError:
        raise ValueError("") from None

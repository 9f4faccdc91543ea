"""StoredResult, the base of fields that the portal computes and stores: formulas, and roll-ups of other records.

Its target is a field with the type of the result, which defines how results are stored, sorted and shown.
"""

import datetime
import decimal
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import get_currency_precision

from portal.fields import arithmetic
from portal.fields.base import Field
from portal.fields.base_parts import Measure, MeasureKind
from portal.fields.duration import MOST as LONGEST_DURATION
from portal.fields.integer import LARGEST
from portal.fields.money import WHOLE_DIGITS, Money
from portal.fields.proxy_field import ProxyField, from_target
from portal.fields.text import LONGEST_SORTED

DIGITS = 28  # of a number; amounts have their type's own limit
# The types of the results of arithmetic.
TYPES: Mapping[MeasureKind, str] = {
    "number": "decimal", "percent": "percent", "money": "money", "duration": "duration", "date": "date",
    "datetime": "datetime", "text": "text",
}  # fmt: skip


class StoredResult(ProxyField):
    """Never typed; its column has its target's type."""

    type: str
    from_column: ClassVar[bool] = False
    computed: ClassVar[bool] = True
    widget: ClassVar[str] = "computed"
    can_be_unique: ClassVar[bool] = False

    column_type: ClassVar[Any] = from_target("column_type")
    measure: ClassVar[Measure | None] = from_target("measure")
    folded: ClassVar[Any] = from_target("folded")
    length_limit: ClassVar[Any] = from_target("length_limit")
    columns: ClassVar[Any] = from_target("columns")
    store: ClassVar[Any] = from_target("store")
    selected: ClassVar[Any] = from_target("selected")
    load: ClassVar[Any] = from_target("load")
    order: ClassVar[Any] = from_target("order")
    index_column: ClassVar[Any] = from_target("index_column")
    ranked: ClassVar[Any] = from_target("ranked")
    compare: ClassVar[Any] = from_target("compare")

    def _result_field(self, measure: Measure) -> Field:
        """The field with this name that holds results of a measure."""
        if measure.kind == "number":
            return self._field("decimal" if measure.places else "integer", digits=DIGITS, places=measure.places)
        return self._field(TYPES[measure.kind], places=measure.places, max_length=LONGEST_SORTED)

    def _field(self, type_: str, **keys: Any) -> Field:
        """A field with this name and the `keys` that its type supports."""
        kind = Field.types[type_]
        known = {name: value for name, value in keys.items() if name in kind.model_fields}
        return kind.model_validate({"name": self.name, "type": type_, **known})

    @property
    def as_stored(self) -> Field:
        return self._target

    def _round(self, value: arithmetic.Value) -> Any:
        """A result as it is stored, rounded half up; None if the column cannot hold it."""
        match value:
            case None:
                return None
            case str():
                return " ".join(value.split())[:LONGEST_SORTED].rstrip() or None
            case Money(amount, currency):
                rounded = _to_places(amount, get_currency_precision(currency), WHOLE_DIGITS)
                return None if rounded is None else Money(rounded, currency)
            case datetime.timedelta():
                seconds = _to_places(Decimal(value.total_seconds()), 0, DIGITS)
                return int(seconds) if seconds is not None and abs(seconds) <= LONGEST_DURATION else None
            case Decimal():
                return self._number(value)
            case datetime.datetime():
                return value.replace(microsecond=0)
        return value

    def _number(self, value: Decimal) -> Decimal | int | None:
        places = self.measure.places if self.measure else 0
        number = value.scaleb(2, arithmetic.EXACT) if self.value_type == "percent" else value
        rounded = _to_places(number, places, DIGITS - places)
        if rounded is None or self.value_type != "integer":
            return rounded
        return int(rounded) if abs(rounded) <= LARGEST else None


def _to_places(value: Decimal, places: int, whole: int) -> Decimal | None:
    """A computed `value` rounded half up, never -0; None if it has more than `whole` digits before the point."""
    if value and value.adjusted() >= whole:
        return None
    rounded = value.quantize(Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP, arithmetic.EXACT)
    return (rounded or rounded.copy_abs()) if rounded.adjusted() < whole else None

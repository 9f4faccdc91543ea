"""The arithmetic of formulas: their expressions, computed for each record or row.

The kinds of values are known in advance (`measure_of`), so that the sum of an amount and a date is an error in the
declaration. Numbers are exact; only the result is rounded, by the caller. Anything that cannot be computed is None: an
empty value, a division by zero, two currencies, a date beyond the calendar. Empty parts are left out of texts.
"""

import datetime
import decimal
import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from portal.fields.base_parts import WITHOUT_SUM, Measure, MeasureKind
from portal.fields.expressions import (
    Bracketed,
    Constant,
    Expression,
    Extreme,
    Name,
    Negative,
    Operation,
    Slug,
    names_in_expression,
)
from portal.fields.money import Money
from portal.fields.numbers import places_of, without_zeros
from portal.fields.whole_day import moment_of
from portal.texts import fold

EXACT = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_UP)
HOUR, DAY = Decimal(3600), Decimal(86400)
MOST_PLACES = 8  # of a number in a text
EMPTY = (None, "")


# -- the kind of the result -------------------------------------------------------------------------------------------

NUMBER: Final = "number"
PERCENT: Final = "percent"
MONEY: Final = "money"
DURATION: Final = "duration"
DATE: Final = "date"
DATETIME: Final = "datetime"
TEXT: Final = "text"
CALLED: dict[MeasureKind, str] = {
    NUMBER: "a number", PERCENT: "a percentage", MONEY: "an amount of money", DURATION: "a duration", DATE: "a date",
    DATETIME: "a date with a time", TEXT: "a text",
}  # fmt: skip
# The kind that an operator makes of the kinds on its left and right. A number added to an amount is an amount in its
# currency, added to a date it is days; an amount times a duration is paid by the hour.
_SUMS: dict[tuple[MeasureKind, MeasureKind], MeasureKind] = {
    (NUMBER, NUMBER): NUMBER, (NUMBER, PERCENT): NUMBER, (PERCENT, NUMBER): NUMBER, (PERCENT, PERCENT): PERCENT,
    (MONEY, MONEY): MONEY, (MONEY, NUMBER): MONEY, (NUMBER, MONEY): MONEY, (DURATION, DURATION): DURATION,
    (DATE, NUMBER): DATE, (DATETIME, NUMBER): DATETIME, (DATETIME, DURATION): DATETIME,
}  # fmt: skip
_PRODUCTS: dict[tuple[MeasureKind, MeasureKind], MeasureKind] = {
    (NUMBER, NUMBER): NUMBER, (NUMBER, PERCENT): NUMBER, (PERCENT, PERCENT): PERCENT, (MONEY, NUMBER): MONEY,
    (MONEY, PERCENT): MONEY, (DURATION, NUMBER): DURATION, (DURATION, PERCENT): DURATION, (MONEY, DURATION): MONEY,
}  # fmt: skip
_KINDS: dict[str, dict[tuple[MeasureKind, MeasureKind], MeasureKind]] = {
    "+": {
        **_SUMS, (NUMBER, DATE): DATE, (NUMBER, DATETIME): DATETIME, (DURATION, DATETIME): DATETIME,
        (TEXT, TEXT): TEXT, (TEXT, NUMBER): TEXT, (NUMBER, TEXT): TEXT,
    },
    "-": {**_SUMS, (DATE, DATE): NUMBER, (DATETIME, DATETIME): DURATION},
    "*": {**_PRODUCTS, **{(right, left): kind for (left, right), kind in _PRODUCTS.items()}},
    "/": {
        (NUMBER, NUMBER): NUMBER, (NUMBER, PERCENT): NUMBER, (PERCENT, NUMBER): PERCENT, (PERCENT, PERCENT): NUMBER,
        (MONEY, NUMBER): MONEY, (MONEY, PERCENT): MONEY, (MONEY, MONEY): NUMBER, (DURATION, NUMBER): DURATION,
        (DURATION, PERCENT): DURATION, (DURATION, DURATION): NUMBER, (MONEY, DURATION): MONEY,
    },
}  # fmt: skip
_WORDS = {"+": "added to", "-": "subtracted from", "*": "multiplied by", "/": "divided by"}


def measure_of(expression: Expression, measures: Mapping[str, Measure]) -> Measure:
    """The measure of the result of an expression whose names have these `measures`. Raises ValueError."""
    match expression:
        case Constant(value):
            return Measure(TEXT) if isinstance(value, str) else Measure(NUMBER, places_of(value))
        case Name(name):
            return measures[name]
        case Negative(of):
            measure = measure_of(of, measures)
            if measure.kind in WITHOUT_SUM:
                raise ValueError(f"{CALLED[measure.kind]} cannot be negative")
            return measure
        case Bracketed(of):
            return measure_of(of, measures)
        case Slug(of):
            if (kind := measure_of(of, measures).kind) != TEXT:
                raise ValueError(f"slug makes a part of an address of a text, not of {CALLED[kind]}")
            return Measure(TEXT)
        case Extreme(_, several):
            return _common_measure([measure_of(part, measures) for part in several])
        case Operation(sign, left, right):
            return _measure(sign, measure_of(left, measures), measure_of(right, measures))


def _measure(sign: str, left: Measure, right: Measure) -> Measure:
    kind = _KINDS[sign].get((left.kind, right.kind))
    if kind is None:
        first, second = (right, left) if sign in "+-" else (left, right)
        raise ValueError(f"{CALLED[first.kind]} cannot be {_WORDS[sign]} {CALLED[second.kind]}")
    # A percentage is computed as a fraction: 15 % has two more places than 15.
    mixed = left.kind != right.kind
    places = [side.places + 2 * (side.kind == PERCENT and (mixed or sign == "*")) for side in (left, right)]
    if sign == "/":
        return Measure(kind, max(2, *places))
    return Measure(kind, sum(places) if sign == "*" else max(places))


def _common_measure(measures: Sequence[Measure]) -> Measure:
    kind = measures[0].kind
    if kind == TEXT:
        raise ValueError("texts have no least or largest")
    other = next((measure.kind for measure in measures if measure.kind != kind), kind)
    if other != kind:
        raise ValueError(f"{CALLED[kind]} cannot be compared with {CALLED[other]}")
    return Measure(kind, max(measure.places for measure in measures))


# -- computing --------------------------------------------------------------------------------------------------------

Value = Decimal | Money | datetime.date | datetime.datetime | datetime.timedelta | str | None


def divides_by_zero(expression: Expression) -> bool:
    """Whether a divisor in a formula is always zero, so that there is never a result."""
    match expression:
        case Negative(of) | Bracketed(of) | Slug(of):
            return divides_by_zero(of)
        case Extreme(_, several):
            return all(map(divides_by_zero, several))
        case Operation(sign, left, right):
            constant = sign == "/" and not any(names_in_expression(right))
            is_zero = constant and evaluate(right, lambda _name: None) == 0
            return is_zero or divides_by_zero(left) or divides_by_zero(right)
    return False


def evaluate(expression: Expression, value_of: Callable[[str], Value]) -> Value:
    """The value of an expression, not rounded; None if it cannot be computed.

    Durations are timedeltas, percentages fractions, empty texts ""; `value_of` returns the values of its names in this
    form.
    """
    with decimal.localcontext(EXACT):
        try:
            return _compute(expression, value_of)
        except (decimal.DecimalException, OverflowError, _MixedCurrenciesError):
            return None


class _MixedCurrenciesError(Exception):
    """Amounts of two currencies have no sum."""


def _compute(expression: Expression, value_of: Callable[[str], Value]) -> Value:
    match expression:
        case Constant(value):
            return value
        case Name(name):
            return value_of(name)
        case Negative(of):
            return _product_of(_compute(of, value_of), Decimal(-1))
        case Bracketed(of):
            inner = _compute(of, value_of)
            has_gap = isinstance(inner, str) and any(value_of(name) in EMPTY for name in names_in_expression(of))
            return "" if has_gap else inner
        case Slug(of):
            return "-".join(re.findall(r"[^\W_]+", fold(_as_text(_compute(of, value_of)))))
        case Extreme(largest, several):
            return extreme([_compute(part, value_of) for part in several], largest)
        case Operation(sign, left, right):
            return _apply(sign, _compute(left, value_of), _compute(right, value_of))


def _apply(sign: str, left: Any, right: Any) -> Value:
    if isinstance(left, str) or isinstance(right, str):
        return _as_text(left) + _as_text(right)
    if left is None or right is None:
        return None
    match sign:
        case "+":
            return _sum_of(left, right)
        case "-":
            return _difference_of(left, right)
        case "*":
            return _product_of(left, right)
    return _quotient_of(left, right)


def _as_text(value: Any) -> str:
    """One side of a text that a formula joins."""
    if isinstance(value, Decimal):
        return without_zeros(round(value, MOST_PLACES))
    return value or ""


def _sum_of(left: Any, right: Any) -> Value:
    if isinstance(left, Money) or isinstance(right, Money):
        return _of_amounts(operator.add, left, right)
    dated = next((side for side in (left, right) if isinstance(side, datetime.date)), None)
    if dated is None:
        total: Value = left + right
        return total
    return _later(dated, right if dated is left else left)


def _difference_of(left: Any, right: Any) -> Value:
    if isinstance(left, Money) or isinstance(right, Money):
        return _of_amounts(operator.sub, left, right)
    if isinstance(left, datetime.date) and not isinstance(right, datetime.date):
        return _later(left, -right)
    difference: Value = left - right
    days = isinstance(left, datetime.date) and not isinstance(left, datetime.datetime)
    return Decimal(difference.days) if days and isinstance(difference, datetime.timedelta) else difference


def _later(day: datetime.date, by: Any) -> datetime.date:
    """A date or moment in a formula later `by` days, or a duration. Only whole days count for a date."""
    if isinstance(by, datetime.timedelta):
        return day + by
    if isinstance(day, datetime.datetime):
        return day + _seconds(by * DAY)
    return day + datetime.timedelta(days=int(by.to_integral_value(decimal.ROUND_FLOOR)))


def _product_of(left: Any, right: Any) -> Value:
    if left is None:
        return None
    if isinstance(right, Money) or (isinstance(right, datetime.timedelta) and not isinstance(left, Money)):
        left, right = right, left
    if isinstance(left, Money):
        factor = _in_seconds(right) / HOUR if isinstance(right, datetime.timedelta) else right
        return Money(left.amount * factor, left.currency)
    if isinstance(left, datetime.timedelta):
        return _seconds(_in_seconds(left) * right)
    product: Value = left * right
    return product


def _quotient_of(left: Any, right: Any) -> Value:
    if isinstance(right, Money):
        return Decimal(left.amount / right.amount) if _currency(left, right) else None
    if isinstance(left, Money):
        divisor = _in_seconds(right) / HOUR if isinstance(right, datetime.timedelta) else right
        return Money(left.amount / divisor, left.currency)
    if isinstance(right, datetime.timedelta):
        return _in_seconds(left) / _in_seconds(right)
    if isinstance(left, datetime.timedelta):
        return _seconds(_in_seconds(left) / right)
    quotient: Value = left / right
    return quotient


def _of_amounts(operation: Callable[[Decimal, Decimal], Decimal], left: Any, right: Any) -> Money:
    """An operation of a formula on two amounts: a plain number has the currency of the other side."""
    currency = _currency(left, right)
    amounts = [side.amount if isinstance(side, Money) else side for side in (left, right)]
    return Money(operation(*amounts), currency)


def _currency(left: Any, right: Any) -> str:
    currencies = {side.currency for side in (left, right) if isinstance(side, Money)}
    if len(currencies) > 1:
        raise _MixedCurrenciesError
    return str(currencies.pop())


def _in_seconds(duration: datetime.timedelta) -> Decimal:
    return Decimal(duration.days) * DAY + duration.seconds + Decimal(duration.microseconds) / 1_000_000


def _seconds(number: Decimal) -> datetime.timedelta:
    """The seconds of a computed duration: microseconds are exact enough, whole seconds are stored."""
    return datetime.timedelta(microseconds=int((number * 1_000_000).to_integral_value()))


def operand(kind: MeasureKind, value: Any) -> Value:
    """The value of a field in the form that the arithmetic uses."""
    if value is None:
        return "" if kind == TEXT else None
    match kind:
        case "number":
            return Decimal(value)
        case "percent":
            return EXACT.scaleb(value, -2)
        case "duration":
            return datetime.timedelta(seconds=value)
        case "datetime":  # a day without a time counts as the moment at which it begins
            value = moment_of(value)
    operand: Value = value
    return operand


def zero(kind: MeasureKind, currency: str) -> Value:
    """What an empty value counts as in a formula with `empty: 0`; None if the kind has no zero."""
    match kind:
        case "number" | "percent":
            return Decimal(0)
        case "money":
            return Money(Decimal(0), currency)
        case "duration":
            return datetime.timedelta()
    return None


def is_zero(value: Value) -> bool:
    """Whether a number, an amount or a length of time is 0."""
    return not (value.amount if isinstance(value, Money) else value)


def column_total(values: Iterable[tuple[Value, int]], nothing: Value) -> Value:
    """The total of a column, for lines and roll-ups: the sum of its values, each with its number of occurrences.

    Empty values are ignored; `nothing` if there are no others.

    None if there are two currencies.
    """
    with decimal.localcontext(EXACT):
        try:
            present: list[Any] = [_product_of(value, Decimal(times)) for value, times in values if value is not None]
            return functools.reduce(_sum_of, present) if present else nothing
        except (OverflowError, _MixedCurrenciesError):
            return None


def extreme(values: Iterable[Value], largest: bool) -> Value:
    """The least or the largest of values of one kind; None if there are none, or two currencies."""
    present: list[Any] = [value for value in values if value is not None]
    if len({value.currency for value in present if isinstance(value, Money)}) > 1:
        return None
    return (max if largest else min)(present, default=None)

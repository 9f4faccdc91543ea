"""The condition language: one small grammar for where, tabs, buttons and show_when.

A condition is parsed once, when the declaration is read, into the frozen shapes below. The fields decide what its
values mean: `database/sql.py` turns a condition into SQL, `holds` evaluates it for one form.
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

SAME = {"over": "after", "under": "before"}  # of numbers
OPERATORS = ("min", "max", "before", "after", *SAME, "contains", "below", "empty", "within", "not")
# Names in other systems.
OTHER_OPERATORS = {
    "min": ("gte", "ge", ">=", "from", "at_least"),
    "max": ("lte", "le", "<=", "until", "at_most"),
    "before": ("lt", "<", "less", "less_than"),
    "after": ("gt", ">", "greater", "more", "greater_than"),
    "contains": ("like", "ilike", "icontains", "includes", "matches", "starts_with", "startswith"),
    "empty": ("null", "is_null", "isnull", "blank", "exists"),
    "within": ("last", "next", "since"),
    "not": ("ne", "neq", "!=", "nin", "not_in", "is_not", "except"),
}
# How to write other systems' operators that are not needed here.
WITHOUT_OPERATOR = {
    **dict.fromkeys(("eq", "equal", "equals", "is", "=", "=="), "write the value itself, such as {status: open}"),
    **dict.fromkeys(("in", "any_of", "one_of"), "write a list, such as {status: [new, open]}"),
    "between": "write {min: x, max: y}",
}
SPECIAL = ("me", "my organization", "today", "now", "nothing")
WITHIN = re.compile(r"(\d{1,5})\s*(m|min|minute|h|hour|d|day|w|week|month|y|year)s?")
# A day or a moment relative to now: `today + 30 days`, `now - 4 h`.
RELATIVE = re.compile(rf"(?P<word>today|now)(?:\s*(?P<sign>[+-])\s*{WITHIN.pattern})?")
LONGEST_PERIOD = datetime.timedelta(days=365_250)  # Python supports the years from 1 to 9999
UNITS = {"mo": 2629746, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31556952}  # seconds, by prefix of the unit


def special_word(value: Any) -> str | None:
    """The word of SPECIAL that `value` is or is relative to: `today` for `today + 30 days`."""
    if not isinstance(value, str):
        return None
    if match := RELATIVE.fullmatch(value):
        return match["word"]
    return value if value in SPECIAL else None


class ConditionError(ValueError):
    """What is wrong with a parsed condition, and the path of keys to it."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.path = message, path


@dataclass(frozen=True)
class FieldValue:
    """`$field`: the value of another field: of the same form in the `where` of a link, else of the same record."""

    field: str


@dataclass(frozen=True)
class ParsedValue:
    """A value that a reader typed, already parsed by the field: compared unchanged."""

    value: Any


@dataclass(frozen=True)
class ValueAtExecution:
    """A value in a condition that is bound at each execution of its statement. `sql` is the comparison with it, and
    `form` describes everything but the value."""

    form: str
    sql: Any = field(compare=False)


# Values that can be in the declaration itself; a bool is an int, a datetime a date.
DECLARED_VALUE = (str, int, float, datetime.date, datetime.timedelta, type(None), FieldValue)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison in a condition: equal, one_of, min, max, before, after …; `negated` inverts it.

    Two comparisons are equal only if the types of their values are: `1`, `1.0` and `true` are three conditions.
    """

    path: tuple[str, ...]
    operator: str
    value: Any
    negated: bool = False

    @cached_property
    def needs_clock(self) -> bool:
        """Whether its SQL changes from moment to moment, not just from day to day (`today`)."""
        return self.operator == "within" or any(special_word(value) == "now" for value in self.values)

    @cached_property
    def needs_reader(self) -> bool:
        """Whether it has a value that is not in the declaration: typed by a reader, or about one record."""
        return not all(isinstance(value, (*DECLARED_VALUE, ValueAtExecution)) for value in self.values)

    @property
    def needs_value(self) -> bool:
        """Whether its value is bound at each execution."""
        return isinstance(self.value, ValueAtExecution)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values that it compares with."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    @property
    def other_fields(self) -> tuple[str, ...]:
        """The fields whose values it compares with, written `$field`."""
        return tuple(value.field for value in self.values if isinstance(value, FieldValue))

    @cached_property
    def _identity(self) -> tuple[Any, ...]:
        return self.path, self.operator, _with_types(self.value), self.negated

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)


def _with_types(value: Any) -> Any:
    """A value of a condition, unequal to all values of other types. Lists, such as the ids of links, become tuples."""
    if isinstance(value, ParsedValue):
        return ParsedValue, _with_types(value.value)
    if isinstance(value, tuple | list):
        return type(value), tuple(map(_with_types, value))
    return type(value), value


class _Group:
    """Joined conditions, which need whatever one of them needs."""

    parts: tuple["Condition", ...]

    @cached_property
    def needs_clock(self) -> bool:
        return any(part.needs_clock for part in self.parts)

    @cached_property
    def needs_reader(self) -> bool:
        return any(part.needs_reader for part in self.parts)

    @property
    def needs_value(self) -> bool:
        return any(part.needs_value for part in self.parts)


@dataclass(frozen=True)
class AllOf(_Group):
    """A condition of which every part must hold; without parts, it always holds."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True)
class AnyOf(_Group):
    """A condition of which one part must hold."""

    parts: tuple["Condition", ...]


Condition = Comparison | AllOf | AnyOf
ALWAYS, NEVER = AllOf(), AnyOf(())


def parse(data: Any) -> Condition:
    """A mapping from the YAML, such as a `where` → a condition. Raises ConditionError."""
    if isinstance(data, Comparison | AllOf | AnyOf):
        return data
    if not isinstance(data, Mapping):
        raise ConditionError("a condition is a mapping of fields to values, such as {status: open}")
    return AllOf(tuple(part for key, value in data.items() for part in _line(key, value)))


def is_group(key: Any, value: Any) -> bool:
    """Whether a line of a condition is `any:` with conditions; a field of that name is compared with values."""
    if key != "any":
        return False
    if isinstance(value, list):
        return not value or any(isinstance(part, Mapping) for part in value)
    return isinstance(value, Mapping) and not set(value) <= set(OPERATORS)


def _holds_conditions(value: Any) -> bool:
    """Whether a value contains conditions, where a field would have values to compare with."""
    if isinstance(value, Mapping):
        return bool(value) and set(value).isdisjoint(OPERATORS)
    return isinstance(value, list) and any(isinstance(part, Mapping) for part in value)


def _line(key: Any, value: Any) -> Iterator[Condition]:
    if is_group(key, value):
        if not isinstance(value, list) or not value:
            raise ConditionError("any: needs a list of conditions", ("any",))
        yield AnyOf(tuple(_within_list(part, index) for index, part in enumerate(value)))
        return
    if key in ("and", "all", "or") and _holds_conditions(value):
        cure = 'write "any" instead' if key == "or" else "write its conditions below each other, without it"
        raise ConditionError(f'"{key}" is not used here: {cure}', (key,))
    if key == "not" and isinstance(value, Mapping) and not set(value) <= set(OPERATORS):
        raise ConditionError(
            '"not" is not used here: write it after the field, such as {status: {not: closed}}', (key,)
        )
    if not isinstance(key, str) or not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", key):
        raise ConditionError(f'"{key}" is not the name of a field', (key,))
    path = tuple(key.split("."))
    if isinstance(value, Mapping):
        if not value:
            raise ConditionError("an empty comparison", (key,))
        for operator, operand in value.items():
            yield _comparison(path, key, operator, operand)
    else:
        yield _equal(path, value, (key,))


def _within_list(part: Any, index: int) -> Condition:
    try:
        return parse(part)
    except ConditionError as error:
        raise ConditionError(error.message, ("any", index, *error.path)) from None


def _comparison(path: tuple[str, ...], key: str, operator: Any, operand: Any) -> Condition:
    place = (key, str(operator))
    if operator not in OPERATORS:
        raise ConditionError(f'unknown comparison "{operator}"{_cure(str(operator).strip("$_"))}', place)
    if operator == "not":
        if isinstance(operand, Mapping):
            raise ConditionError("not: needs a value or a list of values", place)
        return _equal(path, operand, place, negated=True)
    if isinstance(operand, Mapping | list) or operand in (None, "") or (operator, operand) == ("below", "nothing"):
        raise ConditionError(f"{operator}: needs one value", place)
    if operator == "empty" and not isinstance(operand, bool):
        raise ConditionError("empty: needs true or false", place)
    if operator == "within":
        return Comparison(path, operator, _period(operand, place))
    return Comparison(path, SAME.get(operator, operator), _operand(operand))


def _cure(operator: str) -> str:
    """What to write instead of an unknown operator of a condition."""
    if operator in WITHOUT_OPERATOR:
        return f": {WITHOUT_OPERATOR[operator]}"
    meant = next((ours for ours, theirs in OTHER_OPERATORS.items() if operator in theirs), None)
    return f' (did you mean "{meant}"?)' if meant else f"; known are {', '.join(OPERATORS)}"


def _equal(path: tuple[str, ...], value: Any, place: tuple[str | int, ...], negated: bool = False) -> Condition:
    empty = Comparison(path, "empty", True, negated)
    if isinstance(value, list):
        if not value:
            raise ConditionError("an empty list: name at least one value", place)
        if any(isinstance(item, Mapping | list) for item in value):
            raise ConditionError("must be a list of single values", place)
        others = tuple(_operand(item) for item in value if not is_nothing(item))
        among = Comparison(path, "one_of", others, negated)
        if len(others) == len(value):
            return among
        if not others:
            return empty
        return AllOf((among, empty)) if negated else AnyOf((among, empty))
    return empty if is_nothing(value) else Comparison(path, "equal", _operand(value), negated)


def is_nothing(value: Any) -> bool:
    """Whether a value of a condition or a `default`, as written, is “nothing”: no value."""
    return value is None or value == "nothing"


def _operand(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\$[a-z][a-z0-9_]*", value):
        return FieldValue(value[1:])
    return value


def _period(operand: Any, place: tuple[str | int, ...]) -> datetime.timedelta:
    match = WITHIN.fullmatch(str(operand).strip())
    if not match:
        raise ConditionError(f'"{operand}" is not a period like "30 days"', place)
    seconds = next(seconds for beginning, seconds in UNITS.items() if match[2].startswith(beginning))
    period = datetime.timedelta(seconds=int(match[1]) * seconds)
    if not period:
        raise ConditionError(f'"{operand}" is no time at all: nothing lies within it', place)
    if period > LONGEST_PERIOD:
        raise ConditionError(f'"{operand}" is longer than 1,000 years', place)
    return period


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Every comparison in `condition`."""
    if isinstance(condition, Comparison):
        yield condition
    else:
        for part in condition.parts:
            yield from comparisons(part)


def compared_fields(condition: Condition | None) -> Iterator[tuple[str, ...]]:
    """The path of every field whose value affects `condition`, including those of `$field`."""
    for comparison in comparisons(condition or ALWAYS):
        yield comparison.path
        yield from ((name,) for name in comparison.other_fields)


def always(condition: Condition) -> bool:
    """Whether `condition` excludes nothing: it has no parts."""
    return isinstance(condition, AllOf) and not condition.parts


def negation(condition: Condition) -> Condition:
    """The condition that holds exactly when `condition` does not."""
    if isinstance(condition, Comparison):
        return replace(condition, negated=not condition.negated)
    parts = tuple(map(negation, condition.parts))
    return AnyOf(parts) if isinstance(condition, AllOf) else AllOf(parts)


def all_of(first: Condition | None, second: Condition | None) -> Condition | None:
    """Conditions joined with AND; None means no condition."""
    if first is None or second is None:
        return first or second
    return AllOf((first, second))


def replace_form_values(condition: Condition, value_of: Callable[[str], Any]) -> Condition:
    """`condition` with every `$field` replaced with the result of `value_of(field)`."""
    if isinstance(condition, Comparison):
        if isinstance(condition.value, FieldValue):
            return Comparison(condition.path, condition.operator, value_of(condition.value.field), condition.negated)
        if isinstance(condition.value, tuple):
            values = tuple(value_of(item.field) if isinstance(item, FieldValue) else item for item in condition.value)
            return Comparison(condition.path, condition.operator, values, condition.negated)
        return condition
    return type(condition)(tuple(replace_form_values(part, value_of) for part in condition.parts))


def holds(condition: Condition | None, compare: Callable[[Comparison], bool]) -> bool:
    """Whether `condition` holds, with `compare` evaluating each comparison (negation is applied here)."""
    if condition is None:
        return True
    if isinstance(condition, Comparison):
        return compare(condition) is not condition.negated
    return (all if isinstance(condition, AllOf) else any)(holds(part, compare) for part in condition.parts)


def joined_conditions(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from joined_conditions(part)
    elif isinstance(condition, AnyOf) and len(condition.parts) == 1:
        yield from joined_conditions(condition.parts[0])
    elif condition != ALWAYS:
        yield condition


def without_records(ids: list[int]) -> Condition:
    """The condition that excludes the records with these ids, such as those that an account has hidden."""
    return Comparison(("id",), "one_of", ParsedValue(ids), negated=True) if ids else ALWAYS


def only_these_records(ids: list[int]) -> Condition:
    """The condition that only the records with these ids fulfill."""
    return Comparison(("id",), "one_of", ParsedValue(ids))

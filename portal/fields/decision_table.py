"""The table of a formula: the values for the options of other fields.

    impact:
      company: {urgency: {high: critical, normal: high}}
      person: low

Each level tests one field; an option leads to the next level or to the value. The option "" is the empty field.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.fields.refused import declared_text

DEEPEST = 6


@dataclass(frozen=True)
class DecisionTable:
    """The table of a formula: the field that is tested, and by option the next table or the value."""

    field: str
    values: Mapping[str, Any]


def read_table(entry: Mapping[Any, Any], depth: int = 1) -> DecisionTable:
    """The decision table of a formula that a mapping of the YAML means. Raises ValueError."""
    if len(entry) != 1 or depth > DEEPEST:
        levels = f"at most {DEEPEST} fields" if depth > DEEPEST else "one field, such as {impact: {high: …, low: …}}"
        raise ValueError(f"a table asks {levels}")
    ((field, options),) = entry.items()
    if not isinstance(options, Mapping) or not options:
        raise ValueError(f'"{field}" needs its options, each with a value: {{{field}: {{high: …, low: …}}}}')
    return DecisionTable(str(field), {_name(option): _part(value, depth) for option, value in options.items()})


def _part(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return read_table(value, depth + 1)
    if isinstance(value, list | tuple) or value is None or value == "":
        raise ValueError("each option of a table leads to one value")
    return _name(value) if isinstance(value, bool) else value


def _name(option: Any) -> str:
    """The name of an option in a table; booleans as the YAML writes them."""
    return "" if option is None else declared_text(option)


def fields_in(table: DecisionTable) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field that is tested, with the options written for it, as often as it occurs in the table."""
    yield table.field, table.values
    for part in table.values.values():
        if isinstance(part, DecisionTable):
            yield from fields_in(part)


def results_in(table: DecisionTable) -> list[Any]:
    """The distinct values of the table, in the order of the file."""
    results: dict[Any, None] = {}
    for part in table.values.values():
        results.update(dict.fromkeys(results_in(part) if isinstance(part, DecisionTable) else [part]))
    return list(results)


def gaps_in(table: DecisionTable, offered: Mapping[str, Collection[str]], path: str = "") -> Iterator[str]:
    """The gaps of a formula's table, such as `impact: company, urgency: low`; `offered`: the options by field."""
    for option in offered[table.field]:
        part, here = table.values.get(option), f"{path}{table.field}: {option}"
        if part is None:
            yield here
        elif isinstance(part, DecisionTable):
            yield from gaps_in(part, offered, f"{here}, ")


def look_up(table: DecisionTable, options: Mapping[str, str]) -> Any:
    """The value for the `options` of the fields; None if the table has none."""
    part: Any = table
    while isinstance(part, DecisionTable):
        part = part.values.get(options[part.field])
    return part


def are_numbers(results: list[Any]) -> bool:
    """Whether the results of a decision table are numbers to compute with, not options to show."""
    return all(isinstance(result, int | float | Decimal) and not isinstance(result, bool) for result in results)

"""Conditions as text: for people, and as a key for addresses and for what is stored."""

import json
from typing import Any

from portal.conditions import AnyOf, Comparison, Condition, FieldValue, always


def condition_text(condition: Condition) -> str:
    """A condition on one line, in YAML notation: `status: [open, waiting], company.segment: Retail`."""
    if always(condition):
        return ""
    if isinstance(condition, AnyOf):
        return "any: [" + ", ".join(f"{{{condition_text(part)}}}" for part in condition.parts) + "]"
    if not isinstance(condition, Comparison):
        return ", ".join(filter(None, map(condition_text, condition.parts)))
    path, value = ".".join(condition.path), condition.value
    if condition.operator in ("equal", "one_of"):
        shown = f"[{', '.join(map(_value_text, value))}]" if isinstance(value, tuple) else _value_text(value)
    elif condition.operator == "empty":
        return f"{path}: {'{empty: false}' if value is condition.negated else 'nothing'}"
    else:
        shown = f"{{{condition.operator}: {_value_text(value)}}}"
    return f"{path}: {{not: {shown}}}" if condition.negated else f"{path}: {shown}"


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"${value.field}" if isinstance(value, FieldValue) else str(value)


def condition_key(condition: Condition) -> str:
    """A text that differs for different conditions. It names nothing of this code, so that renaming changes none."""
    return json.dumps(_as_lists(condition), default=_key_of_value)


def _as_lists(condition: Condition) -> list[Any]:
    if isinstance(condition, Comparison):
        return [condition.path, condition.operator, condition.value, condition.negated]
    return ["any" if isinstance(condition, AnyOf) else "all", *map(_as_lists, condition.parts)]


def _key_of_value(value: Any) -> Any:
    return {"field": value.field} if isinstance(value, FieldValue) else str(value)

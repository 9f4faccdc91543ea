"""Conditions on a form for its script, which decides while people type what it can; the server decides the rest."""

import json
from typing import Any

from portal.conditions import AnyOf, Comparison, Condition, FieldValue
from portal.fields.refused import declared_text
from portal.records.reading.records import Records
from portal.records.writing.form_conditions import is_decided_by_server, linked_records
from portal.views.forms.form_content import FormContent


def script_condition(content: FormContent, condition: Condition | None) -> str:
    """A condition as JSON: {"all": […]}, {"any": […]}, [field, operator, [values], negated] or "".

    A value is a text, or {"field": name} for the value of another input."""
    return "" if condition is None else json.dumps(_as_json(content, condition))


def _as_json(content: FormContent, condition: Condition) -> Any:
    if not isinstance(condition, Comparison):
        return {"any" if isinstance(condition, AnyOf) else "all": [_as_json(content, part) for part in condition.parts]}
    records = content.records
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    other = records.module.field(condition.path[0])
    texts: list[Any] = [{"field": content.prefix + name} for name in condition.other_fields]
    known = (value for value in values if not isinstance(value, FieldValue))
    texts += [text for value in known for text in _input_texts(records, other, condition.operator, value)]
    operator = "" if is_decided_by_server(other, condition) else condition.operator
    return [content.prefix + other.name, operator, texts, condition.negated]


def _input_texts(records: Records, other: Any, operator: str, value: Any) -> list[str]:
    """The texts of a form's inputs that mean `value`."""
    if other.targets and operator in ("equal", "one_of") and value not in (None, ""):
        links = linked_records(records, other, value)
        return [other.link_value(link) for link in links]
    return ["" if value is None else declared_text(value)]

"""Checks conditions: the fields that they name, and the comparisons that these know. Their values: values.py."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from portal.conditions import Comparison, ConditionError, FormValue, comparisons, is_group, is_nothing, parse
from portal.declaration.checks.values import is_more, value_complaint, word_warning
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.source.cursor import Cursor
from portal.fields.base import Field

RANGES = ("min", "max", "before", "after")


def check_condition(draft: DeclarationDraft, module: str, at: Cursor, form: str | None = None) -> None:
    """The condition at `at`, on records of `module`; `form` is the module whose fields `$name` stands for."""
    condition = at.value
    if not isinstance(condition, Mapping) or module not in draft.modules:
        return
    for name, value in condition.items():
        if is_group(name, value):
            for index in range(len(value)):
                check_condition(draft, module, at["any"][index], form)
        else:
            _check_line(draft, module, str(name), value, at[name], form)


def _check_line(draft: DeclarationDraft, module: str, name: str, value: Any, at: Cursor, form: str | None) -> None:
    try:
        parsed = list(comparisons(parse({name: value})))
    except ConditionError as error:
        # Reading has reported the first such line of a condition already; the same problem twice is listed once.
        at.down(error.path[1:]).nearest.wrong(error.message)
        return
    if name == "any" and draft.field(module, "any") is None and not draft.is_broken(module, "any"):
        at.key.wrong("any: needs a list of conditions")
        return
    followed = draft.follow(module, name.split("."))
    if followed.complaint:
        at.key.wrong(followed.complaint)
    field = followed.last
    if field is None:
        return
    _check_range(at)
    for comparison in parsed:
        for place, operand in _operands(comparison, at):
            if isinstance(operand, FormValue):
                _check_form_value(draft, operand, place, form)
            elif complaint := _complaint(draft, field, comparison.operator, operand):
                place.wrong(complaint)
            elif field.targets and (warning := word_warning(draft, field, operand)):
                place.warn(warning)


def _check_range(at: Cursor) -> None:
    """Warns of comparisons of one field that nothing meets together."""
    for least, most in itertools.product(("min", "after"), ("max", "before")):
        if isinstance(at.value, Mapping) and is_more(at.value.get(least), at.value.get(most)):
            at[least].warn(f"{least} {at.value[least]} is more than {most} {at.value[most]}: this finds nothing")


def _operands(comparison: Comparison, at: Cursor) -> Iterator[tuple[Cursor, Any]]:
    """The values of one comparison, each with its place."""
    if isinstance(at.value, Mapping):
        at = at["not" if comparison.negated else comparison.operator]
    if isinstance(comparison.value, tuple):
        written = [index for index, item in enumerate(at.value) if not is_nothing(item)]
        yield from ((at[index], value) for index, value in zip(written, comparison.value, strict=True))
    else:
        yield at, comparison.value


def _check_form_value(draft: DeclarationDraft, value: FormValue, at: Cursor, form: str | None) -> None:
    if form is None:
        at.wrong(f'"${value.field}" stands for a field of a form: it can only be used in the where of a link')
    elif draft.is_broken(form, value.field):
        return
    elif (field := draft.field(form, value.field)) is None:
        at.wrong(f"{draft.no_field(form, value.field)} on this form")
    elif field.computed and not field.link_path:
        at.wrong(f'"{value.field}" is worked out when the record is read: a form does not know it')


def _complaint(draft: DeclarationDraft, field: Field, operator: str, value: Any) -> str | None:
    """Why `value` cannot be compared with `field`, or None."""
    dated = bool({"today", "now"} & set(field.specials))
    searchable = field.textual or field.filter in ("text", "link")
    if operator == "empty" or value is None or value == "":
        return None
    if operator == "within":
        return None if dated else f"within: needs a date or datetime, and {field.name} is neither"
    if operator == "contains":
        return None if searchable else f"contains: needs text, and {field.name} does not hold text"
    if operator in RANGES and not field.ranged:
        return f"{operator}: needs numbers or dates, and {field.name} does not hold them"
    return value_complaint(draft, field, value)

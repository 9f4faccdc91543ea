"""Checks conditions: the fields that they name, and the comparisons that these support. Their values: values.py."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.condition_texts import condition_text
from portal.conditions import (
    SAME,
    Comparison,
    ConditionError,
    FieldValue,
    comparisons,
    is_group,
    is_nothing,
    joined_conditions,
    parse,
)
from portal.declaration.checks.contradictions import always_holds, contradiction
from portal.declaration.checks.values import value_problem, word_warning
from portal.declaration.declaration_draft import DeclarationDraft, FollowedPath
from portal.declaration.source.cursor import Cursor
from portal.fields.base import Field
from portal.fields.link import link_targets

RANGES = ("min", "max", "before", "after")


def check_condition(draft: DeclarationDraft, module: str, at: Cursor, form: str | None = None) -> None:
    """Checks the condition at `at` on records of `module`; `$name` means a field of the module `form`."""
    before = len(draft.problems)
    _check_lines(draft, module, at, form)
    if isinstance(at.value, Mapping) and module in draft.modules and len(draft.problems) == before:
        _check_whole(draft, module, at)


def _check_whole(draft: DeclarationDraft, module: str, at: Cursor) -> None:
    """Warns about conditions that no record can fulfill, and lines that exclude no record."""
    try:
        condition = parse(at.value)
    except ConditionError:  # already reported when it was read
        return
    if sentence := contradiction(draft, module, condition):
        at.warn(sentence)
        return
    for part in joined_conditions(condition):
        if isinstance(part, Comparison) and always_holds(draft, module, part):
            at[".".join(part.path)].key.warn(f'has no effect: "{condition_text(part)}" always holds')


def _check_lines(draft: DeclarationDraft, module: str, at: Cursor, form: str | None) -> None:
    condition = at.value
    if not isinstance(condition, Mapping) or draft.known(module) is None:
        return
    for name, value in condition.items():
        if is_group(name, value):
            for index in range(len(value)):
                if isinstance(value, list) and value[index] == {}:
                    at["any"][index].warn("has no effect: every record fulfills {}, and so all of any:")
                _check_lines(draft, module, at["any"][index], form)
        else:
            _check_line(draft, module, str(name), value, at[name], form)


def _check_line(draft: DeclarationDraft, module: str, name: str, value: Any, at: Cursor, form: str | None) -> None:
    try:
        parsed = list(comparisons(parse({name: value})))
    except ConditionError as error:
        # Reading has already reported the first such line; identical problems are listed once.
        at.down(error.path[1:]).nearest.wrong(error.message)
        return
    if name == "any" and draft.field(module, "any") is None and not draft.is_broken(module, "any"):
        at.key.wrong("any: needs a list of conditions")
        return
    followed = draft.follow(module, name.split("."), into_rows=True)
    if followed.problem:
        at.key.wrong(followed.problem)
    field = followed.last
    if field is not None and any(comparison.operator == "below" for comparison in parsed):
        field = _parent_link(draft, followed, at["below"].key)
    if field is not None:
        _check_comparisons(draft, module, field, parsed, at, form)


def _parent_link(draft: DeclarationDraft, followed: FollowedPath, at: Cursor) -> Field | None:
    """For `below`: the link by which the records that a field leads to, or themselves, stand below each other."""
    of_module, field = followed.steps[-1]
    name = of_module if field.name == "id" else next(iter(link_targets(field)), None)
    module = draft.known(name) if name and not field.several_targets else None
    if field.link_path and field.targets:
        path = ".".join([*(step.name for _module, step in followed.steps[:-1]), *field.link_path])
        at.wrong(f"below: does not follow a lookup: write {path} instead")
        return None
    if module is None or len(module.parent_links) != 1:
        kind = f"{field.name} is of type {field.value_type}" if name is None else f"{name} has none, or several"
        at.wrong(f"below: needs a link to a module that has one link to itself, and {kind}")
        return None
    return module.parent_links[0]


def _check_comparisons(
    draft: DeclarationDraft, module: str, field: Field, parsed: Iterable[Comparison], at: Cursor, form: str | None
) -> None:
    for place in _without_value(at):
        place.wrong('there is no value here: write one, or "nothing" for records without one')
    for comparison in parsed:
        for place, operand in _operands(comparison, at):
            if isinstance(operand, FieldValue):
                if form is None:
                    _check_other_field(draft, module, field, comparison, operand.field, place)
                else:
                    _check_form_value(draft, field, operand, place, form)
            elif problem := _problem(draft, field, comparison.operator, operand):
                place.wrong(problem)
            elif field.targets and (warning := word_warning(draft, field, operand)):
                place.warn(warning)


def _without_value(at: Cursor) -> Iterator[Cursor]:
    """Where a value is missing in a condition, after a colon or a dash. An explicit `null` is intended."""
    value = at.value
    if isinstance(value, Mapping | list):
        for part in value if isinstance(value, Mapping) else range(len(value)):
            yield from _without_value(at[part])
    elif value is None and not at.source_text:
        yield at


def _operands(comparison: Comparison, at: Cursor) -> Iterator[tuple[Cursor, Any]]:
    """The values of one comparison, each with its place."""
    if isinstance(at.value, Mapping):
        operator = "not" if comparison.negated else comparison.operator
        at = at[next(key for key in at.value if SAME.get(key, key) == operator)]
    if isinstance(comparison.value, tuple):
        indexes = [index for index, item in enumerate(at.value) if not is_nothing(item)]
        yield from ((at[index], value) for index, value in zip(indexes, comparison.value, strict=True))
    else:
        yield at, comparison.value


def _check_other_field(
    draft: DeclarationDraft, module: str, field: Field, comparison: Comparison, other: str, at: Cursor
) -> None:
    """Checks that two fields of a record that are compared have the same type."""
    second = draft.field(module, other)
    if draft.is_broken(module, other):
        return
    if second is None:
        at.wrong(draft.no_field(module, other))
    elif comparison.operator == "below":
        at.wrong("below: takes $field only in the where of a link")
    elif len(comparison.path) > 1:
        at.wrong(f'"${other}" is a field of the record itself, and so must be what it is compared with')
    elif second.name == field.name:
        at.wrong(f'"${other}" is the field itself')
    elif comparison.operator in RANGES and not field.ranged:
        at.wrong(f"{comparison.operator}: needs numbers or dates, and {field.name} does not hold them")
    elif comparison.operator == "contains" or not _of_one_kind(field, second):
        kinds = f"of type {second.value_type}, and {field.name} of type {field.value_type}"
        at.wrong(f'"{other}" is {kinds}: the two cannot be compared')


def _of_one_kind(field: Field, other: Field) -> bool:
    """Whether two fields in a condition are comparable; an amount behind a link has its currency there too."""
    one_type = field.comparable and other.comparable and field.value_type == other.value_type
    if field.targets or other.targets:
        return one_type and field.targets == other.targets and not field.several_targets
    return one_type and not (field.has_currency and (field.link_path or other.link_path))


def _check_form_value(draft: DeclarationDraft, compared: Field, value: FieldValue, at: Cursor, form: str) -> None:
    if draft.is_broken(form, value.field):
        return
    elif (field := draft.field(form, value.field)) is None:
        at.wrong(draft.no_field(form, value.field).within("{} on this form"))
    elif field.computed and not field.link_path:
        at.wrong(f'"{value.field}" is computed when the record is read: a form does not know it')
    elif field.name == "id" and compared.targets == (form,):
        return  # the records that link to the form's own
    elif problem := _not_comparable(compared, field):
        at.wrong(problem)


def _not_comparable(field: Field, other: Field) -> str | None:
    """Why a condition cannot find `field` of a record equal to `other` of a form: ids of two modules are compared."""
    if other.row_fields or other.by_upload:
        return f'"{other.name}" is of type {other.type}, which cannot be compared with anything'
    if field.name == "id" or (not field.targets and not other.targets) or set(field.targets) & set(other.targets):
        return None
    leads = [f"to {', '.join(one.targets)}" if one.targets else "nowhere" for one in (other, field)]
    return f'"{other.name}" links {leads[0]}, and "{field.name}" {leads[1]}'


def _problem(draft: DeclarationDraft, field: Field, operator: str, value: Any) -> str | None:
    """Why `value` cannot be compared with `field` in a condition, or None."""
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
    return value_problem(draft, field, value, is_bound=operator in RANGES)

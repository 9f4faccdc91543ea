"""Checks of values and conditions: the fields that they speak of, and whether a field could ever hold such a value.

What a value means is decided by the fields; a name of a record can only be looked up in a database, so `check --data`
does that.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.conditions import SPECIAL, Comparison, ConditionError, FormValue, comparisons, is_group, parse
from portal.declaration.draft import Draft, key, leads_to
from portal.declaration.source.problems import Path, suggest
from portal.fields.base import Field, Refused
from portal.texts import translate

RANGES = ("min", "max", "before", "after")


def value_at(draft: Draft, file: str, path: Path) -> Any:
    """What was read at `path` of `file`, None where nothing stands."""
    value: Any = draft.documents[file].data
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def check_condition(draft: Draft, file: str, path: Path, module: str, form: str | None = None) -> None:
    """The condition at `path`, on records of `module`; `form` is the module whose fields `$name` speaks of."""
    condition = value_at(draft, file, path)
    if not isinstance(condition, Mapping) or module not in draft.modules:
        return
    for name, value in condition.items():
        if is_group(name, value):
            for index in range(len(value)):
                check_condition(draft, file, (*path, "any", index), module, form)
        else:
            _check_line(draft, file, (*path, name), module, form)


def _check_line(draft: Draft, file: str, path: Path, module: str, form: str | None) -> None:
    name = path[-1]
    try:
        found = list(comparisons(parse({name: value_at(draft, file, path)})))
    except ConditionError as error:
        # The reading told of the first such line in a condition; telling the same twice shows once.
        draft.error(file, _longest(draft, file, (*path[:-1], *error.path)), error.message)
        return
    if name == "any" and draft.field(module, "any") is None and not draft.doubtful(module, "any"):
        draft.error(file, path, "any: wants a list of conditions", key=True)
        return
    followed = draft.follow(module, str(name).split("."))
    if followed.complaint:
        draft.error(file, path, followed.complaint, key=True)
    field = followed.last
    if field is None:
        return
    if not field.stored:
        draft.error(file, path, f'"{name}" cannot be asked yet: fields of type {field.type} have no effect', key=True)
        return
    for test in found:
        for place, value in _operands(draft, file, path, test):
            if isinstance(value, FormValue):
                _check_typed(draft, file, place, value, form)
            elif complaint := _complaint(draft, field, test.operator, value):
                draft.error(file, place, complaint)


def _longest(draft: Draft, file: str, path: Path) -> Path:
    """As much of `path` as exists."""
    while path and not draft.has(file, path):
        path = path[:-1]
    return path


def _operands(draft: Draft, file: str, path: Path, test: Comparison) -> Iterator[tuple[Path, Any]]:
    """The values of one comparison, each with its place."""
    written = value_at(draft, file, path)
    if isinstance(written, Mapping):
        operator = "not" if test.negated else test.operator
        path = (*path, operator)
    if isinstance(test.value, tuple):
        yield from (((*path, index), value) for index, value in enumerate(test.value))
    else:
        yield path, test.value


def _check_typed(draft: Draft, file: str, path: Path, value: FormValue, form: str | None) -> None:
    if form is None:
        draft.error(file, path, f'"${value.field}" stands for a field of a form: only the where of a link knows one')
    elif draft.field(form, value.field) is None and not draft.doubtful(form, value.field):
        draft.error(file, path, f"{draft.no_field(form, value.field)} on this form")


def _complaint(draft: Draft, field: Field, operator: str, value: Any) -> str | None:
    """Why `value` cannot be compared with `field`, or None."""
    dated = bool({"today", "now"} & set(field.specials))
    if operator == "empty" or value is None or value == "":
        return None
    if operator == "within":
        return None if dated else f"within: asks for a date or datetime, which {field.name} is not"
    if operator == "contains":
        return (
            None
            if field.textual or field.filter in ("text", "link")
            else f"contains: asks for text, which {field.name} does not hold"
        )
    if operator in RANGES and not field.ranged:
        return f"{operator}: asks for numbers or dates, which {field.name} does not hold"
    return value_complaint(draft, field, value)


def value_complaint(draft: Draft, field: Field, value: Any) -> str | None:
    """Why `field` could never hold `value`, or None."""
    if isinstance(value, Mapping | list):
        return "a plain value is wanted"
    targets = leads_to(field)
    if targets:
        return _person_complaint(draft, field, value, targets)
    try:
        field.constant(value, draft.reader)
    except Refused as refused:
        return _unfit(field, value, refused)
    return None


def stored_complaint(draft: Draft, field: Field, value: Any) -> str | None:
    """Why `value` could not be given to `field` by a default or by `set`, or None."""
    targets = leads_to(field)
    if targets:
        several = value if isinstance(value, list) and field.multiple else [value]
        return next((complaint for each in several if (complaint := value_complaint(draft, field, each))), None)
    try:
        stored = field.default_value(value, draft.reader)
        # Limits are kept by what reads typed text.
        if stored is not None and stored != ():
            field.read(field.write(stored), draft.reader)
    except Refused as refused:
        return _unfit(field, value, refused)
    return None


def _unfit(field: Field, value: Any, refused: Refused) -> str:
    words = translate(refused.message, "en").rstrip(".")
    shown = f'"{value}" ' if isinstance(value, str | int | float) else "this value "
    reason = words if str(value) in words else f"{shown}does not fit {field.name}: {words[:1].lower()}{words[1:]}"
    return reason + suggest(str(value), key(field, "options", ()))


def _person_complaint(draft: Draft, field: Field, value: Any, targets: tuple[str, ...]) -> str | None:
    """`me` and `my organization` where a link cannot hold them."""
    wanted = {"me": draft.people, "my organization": draft.organizations}
    if value not in SPECIAL or value not in wanted:
        return None
    role = "people" if value == "me" else "organizations"
    if wanted[value] is None:
        return f'"{value}" means nothing here: modules.yaml names no module of {role}'
    return (
        None
        if wanted[value] in targets
        else f'"{value}" is one of {wanted[value]}, and {field.name} links to {", ".join(targets)}'
    )


def check_values(draft: Draft, file: str, path: Path, module: str, values: Mapping[str, Any]) -> None:
    """`set`: fields of `module` and the values that they are given."""
    for name, value in values.items():
        place = (*path, name)
        field = draft.field(module, name)
        if draft.doubtful(module, name):
            continue
        if field is None:
            draft.error(file, place, draft.no_field(module, name), key=True)
        elif field.computed or name not in draft.modules[module].fields:
            draft.error(file, place, f'"{name}" is worked out by the portal: it cannot be set', key=True)
        elif complaint := stored_complaint(draft, field, value):
            draft.error(file, place, complaint)

"""Checks values: whether a field could ever hold the value of a default, a `set` or a condition.

The fields decide what a value means. Titles of records can only be looked up in a database, which `portal check --data`
does.
"""

from collections.abc import Mapping
from typing import Any

from portal.conditions import SPECIAL, is_nothing, special_word
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import ProblemText
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.declaration.synonyms import intended_special
from portal.declaration.unknown_names import no_role
from portal.fields.base import Field
from portal.fields.link import link_targets
from portal.fields.refused import Refused
from portal.texts import translate


def value_problem(draft: DeclarationDraft, field: Field, value: Any, *, is_bound: bool = False) -> str | None:
    """Why a condition could never find `value`, or values beyond it, in `field`, or None."""
    if isinstance(value, Mapping | list):
        return "must be a single value"
    targets = link_targets(field)
    if targets:
        return _person_problem(draft, field, value, targets)
    try:
        (field.bound if is_bound else field.constant)(value, draft.reader)
    except Refused as refused:
        return _does_not_fit(draft, field, value, refused)
    return None


def stored_problem(draft: DeclarationDraft, field: Field, value: Any) -> str | None:
    """Why a default or `set` could not give `value` to `field`, or None."""
    if field.row_fields and value not in (None, "nothing", []):
        return "lines cannot be set: give their columns a default"
    if not _has_such_parts(field, value):
        return "must be a single value"
    targets = link_targets(field)
    if targets:
        values = value if isinstance(value, list) and field.multiple else [value]
        problems = (value_problem(draft, field, value) for value in values)
        return next((problem for problem in problems if problem), None)
    try:
        stored = field.default_value(value, draft.reader)
        # Limits such as max_length apply to what is parsed from text.
        if stored is not None and stored != ():
            field.read(field.write(stored), draft.reader)
    except Refused as refused:
        return _does_not_fit(draft, field, value, refused)
    return None


def _has_such_parts(field: Field, value: Any) -> bool:
    """Whether a mapping or a list can be a value of the field."""
    if isinstance(value, Mapping):
        return field.takes_mapping
    return not isinstance(value, list) or field.multiple or bool(field.row_fields) or field.takes_list


def word_warning(draft: DeclarationDraft, field: Field, value: Any) -> str | None:
    """Why `now`, `today`, `me` … would be stored as words, or None if the field can hold what they mean.

    For a link that can hold the meaning of another system's word: why it would be taken for the title of a record.
    """
    intended = intended_special(value) if isinstance(value, str) and value not in SPECIAL else None
    if intended and _holder(draft, intended) in field.targets:
        return f'"{value}" is taken for the title of a record{did_you_mean(intended)}'
    word = special_word(value)
    if word is None or word in (*field.specials, "nothing"):
        return None
    if value in field.declared_options or field.targets:
        return None
    if word == "now" and "today" in field.specials:
        return f"{field.name} is of type {field.type}, which holds no time{did_you_mean('today')}"
    return f'"{value}" is stored here as a word: {field.name} is of type {field.type}'


def _does_not_fit(draft: DeclarationDraft, field: Field, value: Any, refused: Refused) -> str:
    words = translate(refused.message, "en").rstrip(".")
    quoted = f'"{value}" ' if isinstance(value, str | int | float) else "this value "
    reason = words if str(value) in words else f"{quoted}does not fit {field.name}: {words[:1].lower()}{words[1:]}"
    word = next((word for word in field.specials if str(value).startswith(f"{word} ")), None)
    if word and "today" in field.specials:
        example = "today + 30 days" if word == "today" else "now + 4 h"
        return f'{reason}; write a period behind {word} as in "{example}"'
    known = (*field.declared_options, *field.specials)
    sentence = reason if value in known else reason + suggest(str(value), known)
    holder = draft.holder_of(field) if field.declared_options else ""
    return ProblemText(sentence, "state", str(value), holder) if holder else sentence


def _person_problem(draft: DeclarationDraft, field: Field, value: Any, targets: tuple[str, ...]) -> str | None:
    """Why `me` or `my organization` cannot be the value of a link, or None."""
    if value not in ("me", "my organization"):
        return None
    module, role = _holder(draft, value), "people" if value == "me" else "organizations"
    if draft.broken_roles or any(target not in draft.modules for target in targets):
        return None
    if module is None:
        return no_role(role).within(f'"{value}" has no meaning here: {{}}')
    if module in targets:
        return None
    return f'"{value}" is a record of {module}, and {field.name} links to {", ".join(targets)}'


def _holder(draft: DeclarationDraft, value: str) -> str | None:
    """The module of the record that `me` or `my organization` means as a value."""
    return draft.people if value == "me" else draft.organizations


def _names_field(module: Module, value: Any) -> bool:
    """Whether a value refers to another field, like `$caller` or `$caller.phone` in a default."""
    return isinstance(value, str) and value[:1] == "$" and value[1:].partition(".")[0] in module.fields


def check_unique_values(
    draft: DeclarationDraft, module: Module, values: Mapping[str, Any], outcome: str, at: Cursor
) -> None:
    """Warns about a `set:` that gives many records a unique value; `outcome`: of all records but the first."""
    for name, value in values.items():
        field = draft.field(module.name, name)
        if field is None or not field.unique or is_nothing(value) or special_word(value) in field.specials:
            continue
        where = "one record of each company" if field.unique == "organization" else "one record"
        at[name].warn(f'"{name}" is unique: {where} can have this value, and {outcome}')


def check_values(draft: DeclarationDraft, module: str, values: Mapping[str, Any], at: Cursor) -> None:
    """Checks the fields and values of a `set:` on records of `module`."""
    for name, value in values.items():
        field = draft.field(module, name)
        if draft.is_broken(module, name):
            continue
        if field is None:
            at[name].key.wrong(draft.no_field(module, name))
        elif field.computed or name not in draft.modules[module].fields:
            at[name].key.wrong(f'"{name}" is filled in by the portal: it cannot be set')
        elif value is None and not at[name].source_text:
            at[name].wrong('there is no value here: write one, or "nothing" to empty the field')
        elif _names_field(draft.modules[module], value):
            at[name].wrong(f'"{value}" would be the value: set cannot use values of other fields, as a default can')
        elif problem := stored_problem(draft, field, value):
            at[name].wrong(problem)
        elif warning := word_warning(draft, field, value):
            at[name].warn(warning)

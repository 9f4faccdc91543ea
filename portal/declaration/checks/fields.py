"""Checks of fields: what they link to, what they start with, when they show."""

from typing import Any

from portal.conditions import is_group
from portal.declaration.checks.conditions import check_condition, stored_complaint, value_at
from portal.declaration.draft import MODULES, Draft, key, leads_to
from portal.declaration.shapes import Module
from portal.declaration.source.problems import Path
from portal.fields.base import Field


def check_fields(draft: Draft, module: Module) -> None:
    """Every field of a module."""
    former: dict[str, str] = {}
    for name, field in module.fields.items():
        path = ("modules", module.name, "fields", name)
        _check_targets(draft, path, module, field)
        _check_default(draft, path, field)
        _check_show_when(draft, path, module, field)
        _check_lengths(draft, path, field)
        _check_options(draft, path, field)
        _check_formerly(draft, path, module, field, former)
        if field.computed:
            _check_computed(draft, path, field)
        if field.column is not None and module.table is None:
            draft.error(MODULES, (*path, "column"), "column belongs to a table: the module says none", key=True)


def _check_targets(draft: Draft, path: Path, module: Module, field: Field) -> None:
    targets = leads_to(field)
    if not targets or not isinstance(targets, tuple):
        return
    several = draft.has(MODULES, (*path, "to", 0))
    for index, target in enumerate(targets):
        place = (*path, "to", index) if several else (*path, "to")
        if target in targets[:index]:
            draft.error(MODULES, place, f'"{target}" stands twice')
        elif target not in draft.modules and not draft.doubtful(target):
            draft.error(MODULES, place, draft.no_module(target))
        elif target in draft.modules:
            check_condition(draft, MODULES, (*path, "where"), target, form=module.name)
    if key(field, "on_delete") == "clear" and field.required:
        draft.error(MODULES, (*path, "on_delete"), "a required link cannot be cleared: say refuse or cascade")


def _check_default(draft: Draft, path: Path, field: Field) -> None:
    if field.default is None or field.computed:
        return
    if complaint := stored_complaint(draft, field, field.default):
        draft.error(MODULES, (*path, "default"), complaint)


def _check_show_when(draft: Draft, path: Path, module: Module, field: Field) -> None:
    place = (*path, "show_when")
    if field.show_when is None:
        return
    check_condition(draft, MODULES, place, module.name)
    _check_of_the_form(draft, place, module, field)


def _check_of_the_form(draft: Draft, path: Path, module: Module, field: Field) -> None:
    """A form knows only its own fields: no dotted ones, none that the engine fills in, and not the field itself."""
    condition = value_at(draft, MODULES, path)
    for name, value in condition.items() if isinstance(condition, dict) else ():
        if is_group(name, value):
            for index in range(len(value)):
                _check_of_the_form(draft, (*path, "any", index), module, field)
        elif "." in name:
            draft.error(MODULES, (*path, name), "a condition on the form cannot go through links", key=True)
        elif name == field.name:
            draft.error(MODULES, (*path, name), "a field cannot depend on itself", key=True)
        elif name in module.builtin:
            draft.error(MODULES, (*path, name), f'"{name}" is no field of the form', key=True)


def _check_lengths(draft: Draft, path: Path, field: Field) -> None:
    shortest, longest = key(field, "min_length"), key(field, "max_length")
    if shortest is not None and longest is not None and shortest > longest:
        draft.error(MODULES, (*path, "min_length"), f"min_length {shortest} is more than max_length {longest}")
    if _longer(key(field, "min"), key(field, "max")):
        draft.error(MODULES, (*path, "min"), f"min {field.min} is more than max {field.max}")


def _longer(least: Any, most: Any) -> bool:
    """Dates written as YYYY-MM-DD compare like numbers do; words like `today` do not."""
    comparable = type(least) is type(most) and least is not None
    return (
        comparable
        and not (isinstance(least, str) and not (least[:1].isdigit() and most[:1].isdigit()))
        and least > most
    )


def _check_options(draft: Draft, path: Path, field: Field) -> None:
    options = key(field, "options")
    if field.computed or not isinstance(options, dict):
        return
    if not any(options):
        draft.error(MODULES, (*path, "options"), "no option could be chosen", key=True)
    for name, option in options.items():
        former = option.formerly
        if former is not None and former in options:
            draft.error(MODULES, (*path, "options", name, "formerly"), f'"{former}" is an option of its own')


def _check_formerly(draft: Draft, path: Path, module: Module, field: Field, former: dict[str, str]) -> None:
    if field.formerly is None:
        return
    if field.formerly in module.fields:
        draft.error(MODULES, (*path, "formerly"), f'"{field.formerly}" is a field of its own')
    elif field.formerly in former:
        draft.error(MODULES, (*path, "formerly"), f'"{former[field.formerly]}" was "{field.formerly}" already')
    former[field.formerly] = field.name


def _check_computed(draft: Draft, path: Path, field: Field) -> None:
    for name in ("required", "unique", "default"):
        if getattr(field, name):
            draft.error(MODULES, (*path, name), f"{name} means nothing here: the portal works this field out", key=True)

"""Warns about what a form can never do: links that wait for a field that no form has, and rules for such fields."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from portal.conditions import ALWAYS, Comparison, Condition, comparisons, holds
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.layout_shapes import FormLayout
from portal.declaration.layouts import flat, form_layout_fields
from portal.declaration.shapes import Access, Module
from portal.fields.base import Field


def check_form_dependencies(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every field with a rule that forms decide against the forms of the profiles that may use them."""
    in_doubt = draft.modules_in_doubt
    _check_circles(draft)
    for module in (module for module in declaration.modules.values() if module.name not in in_doubt):
        accesses = [access for _profile, access in declaration.accesses(module.name)]
        for field in module.fields.values():
            at = draft.at_module(module.name)["fields"][field.name]
            # If there is no form, the records come from imports, which apply the rule.
            has_forms = any(True for access in accesses for _form in _forms(access))
            if field.required_when is not None and has_forms and not _is_asked(module, field, accesses):
                at["required_when"].key.warn(
                    "only imports apply this: no form that someone may open asks for this field"
                )
            if field.read_only_when is not None and has_forms and not _is_typed(field, accesses):
                at["read_only_when"].key.warn("has no effect: no form that someone may open asks for this field")
            if name := _asked_too_late(module, field, field.show_when, accesses):
                at["show_when"].warn(f'"{field.name}" is hidden in its step: a later step asks for "{name}"')
            for option, condition in field.option_conditions.items():
                if name := _asked_too_late(module, field, condition, accesses):
                    place = at["options"][option]["show_when"]
                    place.warn(f'"{option}" is hidden in its step: a later step asks for "{name}"')
            for name in _waited_for(field):
                if sentence := _never_offers(module, field, name, accesses):
                    at["where"].warn(sentence)


def _check_circles(draft: DeclarationDraft) -> None:
    """Finds records that need each other before they are created: nobody can create the first."""
    needed = {module.name: dict(_needed(module)) for module in draft.modules.values()}
    stuck = dict(needed)
    while possible := [name for name, links in stuck.items() if stuck.keys().isdisjoint(links)]:
        for name in possible:
            del stuck[name]
    line: list[str] = []
    here = next(iter(stuck), None)
    while here is not None and here not in line:
        line.append(here)
        here = next(target for target in stuck[here] if target in stuck)
    if here is not None:
        circle = [*line[line.index(here) :], here]
        at = draft.at_module(here)["fields"][needed[here][circle[1]]]["required"]
        at.key.warn(f"nobody can create the first record: {' needs '.join(circle)}")


def _needed(module: Module) -> Iterator[tuple[str, str]]:
    """The modules to which a new record must link before it can be created, and by which link."""
    for name, link in module.fields.items():
        needs = link.required and link.show_when is None and link.default is None and not link.computed
        if needs and len(link.targets) == 1 and module.table is None:
            yield link.targets[0], name


def _is_asked(module: Module, field: Field, accesses: Iterable[Access]) -> bool:
    by_transition = any(field.name in transition.ask for transition in module.transitions.values())
    return by_transition or _is_typed(field, accesses)


def _is_typed(field: Field, accesses: Iterable[Access]) -> bool:
    return any(field.name in form_layout_fields(form) for access in accesses for form in _forms(access))


def _forms(access: Access) -> Iterator[FormLayout]:
    yield from (form for right, form in (("create", access.create), ("edit", access.edit)) if right in access.can)


def _waited_for(field: Field) -> Iterator[str]:
    """The fields of the form whose values decide what a link offers."""
    for comparison in comparisons(field.target_condition or ALWAYS):
        yield from comparison.other_fields


def _never_offers(module: Module, link: Field, name: str, accesses: Iterable[Access]) -> str | None:
    """Why a create form never offers anything for a link: the field it waits for is in no form, or in a later step."""
    other = module.fields.get(name)
    if other is None or other.computed or other.default is not None:
        return None
    for access in accesses:
        steps, first = _steps(access), _step_of(link, access)
        if "create" not in access.can or first is None or name in access.set:
            continue
        if not any(name in names for names in steps):
            return f"{link.name} offers nothing in a create form that does not ask for {name}"
        if not any(name in names for names in steps[: first + 1]):
            return f"{link.name} offers nothing before {name} is filled in, and a later step asks for that"
    return None


def _steps(access: Access) -> list[tuple[str, ...]]:
    """The fields of each step of the create form; of a form without steps, all in one."""
    layout = access.create
    return [tuple(flat(step.fields)) for step in layout.steps or ()] or [tuple(flat(layout.fields or ()))]


def _step_of(field: Field, access: Access) -> int | None:
    return next((index for index, names in enumerate(_steps(access)) if field.name in names), None)


def _asked_too_late(
    module: Module, field: Field, show_when: Condition | None, accesses: Iterable[Access]
) -> str | None:
    """The field of a later step without which the create form never shows `field`, or one of its options, because of
    `show_when`; or None."""
    for access in accesses if show_when is not None else ():
        first = _step_of(field, access)
        if "create" not in access.can or first is None:
            continue
        later = {name for names in _steps(access)[first + 1 :] for name in names if name not in access.set}
        later = {name for name in later if name in module.fields and module.fields[name].default is None}
        condition = show_when or ALWAYS
        if not holds(condition, partial(_may_hold, empty=later)):
            return next(name for comparison in comparisons(condition) if (name := comparison.path[0]) in later)
    return None


def _may_hold(comparison: Comparison, empty: Collection[str]) -> bool:
    """Whether a comparison can be true while the fields `empty` are empty; for other fields, it counts as true."""
    if comparison.path[0] not in empty:
        return not comparison.negated
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    return comparison.value is not False if comparison.operator == "empty" else None in values or "" in values

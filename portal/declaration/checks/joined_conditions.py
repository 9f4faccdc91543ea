"""Warns about conditions that never hold together: what one file or key lets through, another one excludes.

A condition that contradicts itself is reported where it is written (conditions.py).
"""

from collections.abc import Collection, Iterator

from portal.conditions import ALWAYS, Comparison, Condition, all_of, joined_conditions
from portal.declaration.checks.contradictions import contradiction
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.inheritance import ancestry
from portal.declaration.shapes import Access, Module, Profile
from portal.declaration.source.cursor import Cursor
from portal.fields.base import Field


def check_joined_conditions(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks each profile with those it extends, its tabs and its buttons; each field with those it waits for."""
    in_doubt = draft.modules_in_doubt
    for module in draft.modules.values():
        for field in module.fields.values() if module.name not in in_doubt else ():
            _check_field(draft, module, field, draft.at_module(module.name)["fields"][field.name])
    for profile in declaration.profiles.values():
        _check_wheres(draft, profile, in_doubt)
        _check_tabs(draft, profile, in_doubt)
        _check_buttons(draft, profile, in_doubt)


def _check_field(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    if field.show_when is None:
        return
    others = {name for part in joined_conditions(field.show_when) for name in _needed(part)}
    fields = (module.fields.get(name) for name in sorted(others))
    waited_for = [other for other in fields if other is not None and other.show_when is not None]
    circle = next((other for other in waited_for if field.name in _all_needed(module, other)), None)
    if circle is not None and field.default is None:
        if [*module.fields].index(circle.name) < [*module.fields].index(field.name):
            return  # only the first is reported
        at["show_when"].warn(f"{field.name} and {circle.name} wait for each other, so that no form shows them")
        return
    for other in waited_for:
        if sentence := _excluded(draft, module.name, field.show_when, other.show_when):
            at["show_when"].warn(f"{sentence}: no form shows {field.name}, which needs {other.name}")
            return
    for key, condition, what in (
        ("required_when", field.required_when, "required"),
        ("read_only_when", field.read_only_when, "read-only"),
    ):
        if sentence := _excluded(draft, module.name, field.show_when, condition):
            at[key].warn(f"has no effect: {sentence}, so the field is never shown when it would be {what}")


def _needed(part: Condition) -> Iterator[str]:
    """The fields that must have values for a part of a condition to hold."""
    if isinstance(part, Comparison):
        filled = part.value is part.negated if part.operator == "empty" else not part.negated
        yield from (part.path[0], *part.other_fields) if filled else ()


def _all_needed(module: Module, field: Field) -> set[str]:
    """The fields that must have values before a form shows `field`, directly or indirectly."""
    needed: set[str] = set()
    waiting = [field]
    while waiting:
        condition = waiting.pop().show_when
        names = {name for part in joined_conditions(condition or ALWAYS) for name in _needed(part)}
        waiting += [module.fields[name] for name in names - needed if name in module.fields]
        needed |= names
    return needed


def _excluded(draft: DeclarationDraft, module: str, first: Condition | None, second: Condition | None) -> str | None:
    """Why two conditions never hold together; None if they can, or if one alone cannot, which is already reported."""
    if first is None or second is None or ALWAYS in (first, second):
        return None
    sentence = contradiction(draft, module, all_of(first, second) or ALWAYS)
    alone = sentence and (contradiction(draft, module, first) or contradiction(draft, module, second))
    return None if alone else sentence


def _accesses(draft: DeclarationDraft, profile: Profile, in_doubt: Collection[str]) -> Iterator[tuple[str, Access]]:
    """The accesses in the profile's own file to modules that were understood, whose conditions are joined."""
    return ((name, own) for name, own in draft.profiles[profile.name].modules.items() if name not in in_doubt)


def _check_wheres(draft: DeclarationDraft, profile: Profile, in_doubt: Collection[str]) -> None:
    """Checks the `where` of a profile together with those of the profiles that it extends."""
    line = ancestry(draft, profile.name)[:-1]
    for module, access in _accesses(draft, profile, in_doubt):
        above = (draft.profiles[name].modules.get(module) for name in line)
        for inherited in above:
            if inherited and (sentence := _excluded(draft, module, inherited.where, access.where)):
                at = draft.at(profile_file(profile.name), "modules", module, "where")
                at.warn(f"this profile sees nothing here: {sentence}, and the where of an extended profile applies too")
                break


def _check_tabs(draft: DeclarationDraft, profile: Profile, in_doubt: Collection[str]) -> None:
    """Checks the tabs that the profile's own file declares."""
    for module, access in _accesses(draft, profile, in_doubt):
        where = profile.modules[module].where if module in profile.modules else None
        for name, tab in (access.list.tabs or {}).items():
            if sentence := _excluded(draft, module, where, tab.where):
                at = draft.at(profile_file(profile.name), "modules", module, "list", "tabs", name)
                at.key.warn(f"this tab is always empty: {sentence}, and the where of the profile applies too")


def _check_buttons(draft: DeclarationDraft, profile: Profile, in_doubt: Collection[str]) -> None:
    """Checks buttons that open a list: with their own condition and that of the tab, if they name one."""
    for name in profile.buttons:
        button = draft.buttons.get(name)
        access = profile.modules.get(button.opens or "") if button is not None else None
        if button is None or access is None or access.module in in_doubt or name in draft.broken_buttons:
            continue
        at = draft.at(BUTTONS, "buttons", name)
        tab = (access.list.tabs or {}).get(button.tab or "")
        if tab is not None and (sentence := _excluded(draft, access.module, tab.where, button.where)):
            at["where"].warn(f"this button finds nothing: {sentence}, and its tab applies too")
        elif sentence := _excluded(draft, access.module, access.where, button.where or (tab.where if tab else None)):
            at.key.warn(f"this button finds nothing for the profile {profile.name}: {sentence}")

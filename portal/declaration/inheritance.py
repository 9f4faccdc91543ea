"""Profiles that extend others: the line of a profile, and what it inherits from each of them, merged.

Lists and texts replace those of the extended profile; mappings are merged key by key; conditions are joined.
"""

from collections.abc import Mapping
from typing import Any

from portal.conditions import ALWAYS, Condition, all_of
from portal.declaration.declaration_draft import ALL_MODULES, DeclarationDraft
from portal.declaration.shapes import (
    Profile,
)


def ancestry(draft: DeclarationDraft, name: str) -> list[str]:
    """The profile and those that it extends, the most distant first; a circle is cut."""
    line: list[str] = []
    here: str | None = name
    while here and here in draft.profiles and here not in line:
        line.append(here)
        here = draft.profiles[here].extends
    return line[::-1]


def is_staff(draft: DeclarationDraft, name: str) -> bool:
    """Whether the profile is a staff profile, according to its own file or the nearest one that it extends."""
    line = (draft.profiles[ancestor] for ancestor in reversed(ancestry(draft, name)))
    return next((profile.staff for profile in line if "staff" in profile.model_fields_set), False)


def second_factor(draft: DeclarationDraft, line: list[Profile]) -> str:
    """Whether a profile requires a second factor, according to the nearest one that says so, else `portal:`.

    `line`: from `ancestry`.
    """
    for profile in reversed(line):
        if profile.name in draft.settings.second_factor:
            return "required"
        if "second_factor" in profile.model_fields_set:
            return profile.second_factor
    return "optional"


def is_access_broken(draft: DeclarationDraft, profile: str, module: str) -> bool:
    """Whether a profile's access to a module, its own or inherited, has a problem that explains everything else."""
    line = ancestry(draft, profile)
    return any((name, scope) in draft.broken_accesses for name in line for scope in (module, ALL_MODULES))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merges mappings key by key, the keys of `below` first; lists and scalars of `above` replace those of `below`."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def merge_layout(below: Any, above: Any) -> dict[str, Any]:
    """Merges two layouts of a form key by key, except that `fields` and `steps` replace each other."""
    below, above = below or {}, above or {}
    replaced = {"fields": "steps", "steps": "fields"}
    return merge({key: value for key, value in below.items() if replaced.get(key) not in above}, above)


def merged_accesses(draft: DeclarationDraft, name: str) -> dict[str, dict[str, Any]]:
    """The accesses of the profile and of those that it extends, merged by module; without `where`."""
    merged: dict[str, dict[str, Any]] = {}
    for profile in ancestry(draft, name):
        for module, entry in draft.profile_entries[profile].get("modules", {}).items():
            if entry is False:
                merged.pop(module, None)
            elif module in draft.modules:
                own = {key: value for key, value in entry.items() if key != "where"}
                old = merged.get(module, {})
                merged[module] = merge(old, own)
                for form in ("create", "edit"):
                    if form in own:
                        merged[module][form] = merge_layout(old.get(form), own[form])
    return merged


def joined_where(draft: DeclarationDraft, name: str, module: str) -> Condition:
    """The `where` of the profile and of those that it extends, joined with AND; `MODULE: false` clears it."""
    condition: Condition | None = None
    for profile in ancestry(draft, name):
        if draft.profile_entries[profile].get("modules", {}).get(module) is False:
            condition = None
        access = draft.profiles[profile].modules.get(module)
        if access is not None and access.where != ALWAYS:
            condition = all_of(condition, access.where)
    return condition or ALWAYS

"""Reads profiles/NAME.yaml: each profile becomes its shape, or a problem with its place.

Parts that are one level too high or too low are reported once, and read where they belong.
"""

from collections.abc import Mapping
from typing import Any

from portal.declaration.declaration_draft import ALL_MODULES, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.home_shapes import Home
from portal.declaration.shape_keys import keys_of, shapes_below
from portal.declaration.shapes import Access, Expectation, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.synonyms import intended_key
from portal.declaration.validation import (
    mapping,
    named_entries,
    validate,
    with_known_keys,
    without_extensions,
    without_internal,
)


def read_profile(draft: DeclarationDraft, name: str) -> None:
    """Reads profiles/NAME.yaml into the draft."""
    file = profile_file(name)
    if draft.is_unreadable(file):
        draft.broken_profiles.add(name)
        return
    at = _inside_its_name(draft.at(file), name)
    top = without_extensions(mapping(at.value, at, f"keys ({', '.join(keys_of(Profile))})"))
    is_empty = not top
    top = _with_misplaced(draft, dict(without_internal(Profile, top, at)), at)
    top = with_known_keys(top, keys_of(Profile), at, shapes_below(Profile))
    before = len(draft.problems)
    if is_empty and isinstance(at.value, Mapping | None):
        at.wrong("the profile is empty: name at least one module under modules:")
    entries = named_entries(top.get("modules"), at["modules"], "modules")
    if len(draft.problems) > before or not isinstance(at.value, Mapping | None):
        draft.broken_accesses.add((name, ALL_MODULES))
    accesses, mappings = _accesses(draft, name, entries, at["modules"])
    top["modules"] = accesses
    if isinstance(top.get("expect"), list):
        top["expect"] = [
            without_internal(Expectation, item, at["expect"][index]) for index, item in enumerate(top["expect"])
        ]
    if not isinstance(top.get("extends"), str | None):
        draft.broken_accesses.add((name, ALL_MODULES))
    profile = validate(Profile, {**top, "name": name}, at)
    if profile is None:
        draft.broken_profiles.add(name)
        return
    draft.profiles[name] = profile[0]
    draft.profile_entries[name] = {**profile[1], "modules": mappings}


def _inside_its_name(at: Cursor, name: str) -> Cursor:
    """Where a profile is written: one level deeper if its file repeats its name, which is reported."""
    if isinstance(at.value, Mapping) and list(at.value) == [name] and isinstance(at.value[name], Mapping):
        at[name].key.wrong(f'remove "{name}:" and indent the lines below it less: the file has the name of the profile')
        return at[name]
    return at


def _accesses(
    draft: DeclarationDraft, profile: str, entries: Mapping[str, Any], at: Cursor
) -> tuple[dict[str, Access], dict[str, Any]]:
    """Reads the accesses of a profile: as shapes and as mappings; False if it takes a module away."""
    accesses: dict[str, Access] = {}
    mappings: dict[str, Any] = {module: {} for module in entries}
    for module, entry in entries.items():
        if entry is False:
            mappings[module] = False
            continue
        before = len(draft.problems)
        if (result := _access(entry, at[module])) is not None:
            accesses[module], mappings[module] = result
        if len(draft.problems) > before:
            draft.broken_accesses.add((profile, module))
    return accesses, mappings


def _access(entry: Any, at: Cursor) -> tuple[Access, dict[str, Any]] | None:
    if entry is not None and not isinstance(entry, Mapping):
        at.wrong("must be a mapping of keys, or false to remove the module")
        return None
    return validate(Access, without_internal(Access, entry or {}, at), at)


def _with_misplaced(draft: DeclarationDraft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """The keys of a profile's file; modules and its own keys in each other's place are moved to their right one."""
    for name in [name for name in top if name not in keys_of(Profile) and name in keys_of(Access)]:
        if name not in draft.modules and intended_key(name, keys_of(Profile)) is None:
            at[name].key.wrong(f'"{name}" belongs to a module: write it under modules:, below the name of the module')
            del top[name]
    return _with_misplaced_keys(draft, _with_misplaced_modules(draft, top, at), at)


def _with_misplaced_modules(draft: DeclarationDraft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """The profile `top` with modules that are next to `modules:`, which are reported, in their right place."""
    misplaced = {name: top.pop(name) for name in list(top) if name not in keys_of(Profile) and name in draft.modules}
    for name in misplaced:
        at[name].key.wrong(f'a module belongs under modules: indent "{name}" and its lines by two spaces')
    modules = top.get("modules")
    if misplaced and isinstance(modules, Mapping | None):
        top["modules"] = {**(modules or {}), **misplaced}
    return top


def _with_misplaced_keys(draft: DeclarationDraft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """The profile `top` with keys misplaced among the modules, which are reported, in their right place.

    If such a key has no value there, its own keys follow it.
    """
    modules = top.get("modules")
    if not isinstance(modules, Mapping):
        return top
    misplaced, inner = [], list[str]()
    above: str | None = None  # the module before this one
    for name, entry in modules.items():
        if name in draft.modules or draft.is_broken(name):
            above = name
            continue
        if name in keys_of(Profile) and name not in top and name != "modules":
            at["modules"][name].key.wrong(
                f'"{name}" belongs beside modules:, not under it: write it at the left margin'
            )
            misplaced.append(name)
            inner = keys_of(Home) if name == "home" and entry is None else []
        elif name in inner:
            misplaced.append(name)
        elif name in keys_of(Access) and above is not None and not (modules[above] and isinstance(entry, Mapping)):
            at["modules"][name].key.wrong(
                f'"{name}" belongs to a module: indent it by two more spaces, below "{above}"'
            )
            misplaced.append(name)
            continue
        above = name
    left = {name: entry for name, entry in modules.items() if name not in misplaced}
    return {**top, "modules": left}

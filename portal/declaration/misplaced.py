"""Parts of a profile that stand one level too high or too low: reported once, and read where they belong."""

from collections.abc import Mapping
from typing import Any

from portal.declaration.draft import Draft
from portal.declaration.keys import keys_of
from portal.declaration.shapes import Access, Home, Profile
from portal.declaration.source.cursor import Cursor


def with_misplaced(draft: Draft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """The keys of a profile; modules beside `modules:`, and its own keys under it, are in their right place."""
    return _with_misplaced_keys(draft, _with_misplaced_modules(draft, top, at), at)


def _with_misplaced_modules(draft: Draft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """`top` with the modules that are written beside `modules:`, which are reported, in their right place."""
    misplaced = {name: top.pop(name) for name in list(top) if name not in keys_of(Profile) and name in draft.modules}
    for name in misplaced:
        at[name].key.wrong(f'a module belongs under modules: indent "{name}" and its lines by two spaces')
    modules = top.get("modules")
    if misplaced and isinstance(modules, Mapping | None):
        top["modules"] = {**(modules or {}), **misplaced}
    return top


def _with_misplaced_keys(draft: Draft, top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """`top` with its keys that are written among the modules, which are reported, in their right place.

    A key of the profile that stands there without a value has lost its own keys too, which follow it.
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
        elif name in keys_of(Access) and above is not None and modules[above] is None:
            at["modules"][name].key.wrong(
                f'"{name}" belongs to a module: indent it by two more spaces, below "{above}"'
            )
            misplaced.append(name)
            continue
        above = name
    left = {name: entry for name, entry in modules.items() if name not in misplaced}
    return {**top, "modules": left}

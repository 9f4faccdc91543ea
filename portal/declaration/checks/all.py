"""The checks, in order: what the files say by themselves, then what only their resolved whole shows.

Called by load. Each check adds its problems to the draft and changes nothing else but unusable settings.
"""

from collections.abc import Mapping
from typing import Any

from portal.declaration.checks.appearance import check_looks
from portal.declaration.checks.buttons import check_buttons
from portal.declaration.checks.fields import check_fields
from portal.declaration.checks.layouts import check_layouts
from portal.declaration.checks.modules import check_module
from portal.declaration.checks.profiles import check_profile, check_resolved
from portal.declaration.checks.settings import check_settings
from portal.declaration.checks.without_effect import FIELD_KEYS, MODULE_KEYS, PANELS, PROFILE_KEYS, sentence
from portal.declaration.draft import MODULES, Draft, profile_file
from portal.declaration.shapes import Declaration


def check_modules(draft: Draft) -> None:
    """What stands in the files, before anything is resolved."""
    check_settings(draft)
    for module in draft.modules.values():
        check_fields(draft, module)
        check_module(draft, module)
        check_layouts(draft, MODULES, ("modules", module.name), module, module)
    for name in draft.profiles:
        check_profile(draft, name)
    check_looks(draft)
    _warn_of_what_has_no_effect(draft)


def check_profiles(draft: Draft, declaration: Declaration) -> None:
    """What only the resolved whole shows."""
    check_buttons(draft, declaration)
    check_resolved(draft, declaration)


def _warn_of_what_has_no_effect(draft: Draft) -> None:
    for name, module in draft.modules.items():
        path = ("modules", name)
        _warn_of_keys(draft, MODULES, path, draft.written[name], MODULE_KEYS)
        for field in module.fields.values():
            place = (*path, "fields", field.name)
            if not field.stored:
                draft.warn(
                    MODULES, place, f"the type {field.type} has no effect yet: the field is shown nowhere", key=True
                )
            _warn_of_keys(draft, MODULES, place, {key: getattr(field, key) for key in FIELD_KEYS}, FIELD_KEYS)
    for name, profile in draft.profiles.items():
        file = profile_file(name)
        _warn_of_keys(draft, file, (), {"expect": profile.expect}, PROFILE_KEYS)
        for index, panel in enumerate(profile.home.panels):
            for key in panel if isinstance(panel, Mapping) else ():
                if key in PANELS:
                    draft.warn(file, ("home", "panels", index), f"{key} {sentence(PANELS[key])}")


def _warn_of_keys(
    draft: Draft, file: str, path: tuple[str | int, ...], entry: Mapping[str, Any], table: Mapping[str, str]
) -> None:
    for key, what in table.items():
        if entry.get(key):
            draft.warn(file, (*path, key), f"{key} {sentence(what)}", key=True)

"""Checks buttons: each leads somewhere, and every profile that offers it can follow it."""

import re
from collections.abc import Collection, Mapping

from portal.declaration.checks.conditions import check_condition, check_values
from portal.declaration.draft import BUTTONS, Draft, profile_file
from portal.declaration.layouts import typed
from portal.declaration.shapes import Button, Declaration, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import suggest

# Addresses that no browser runs as a program.
ADDRESS = re.compile(r"(https?://|mailto:|tel:|/(?!/))\S+")


def check_buttons(draft: Draft, declaration: Declaration) -> None:
    """Every button by itself."""
    tabs = _tabs(declaration)
    for name, button in draft.buttons.items():
        at = draft.at(BUTTONS, "buttons", name)
        if (button.opens is None) == (button.url is None):
            at.key.wrong("a button needs either opens: or url:")
        if button.url is not None and not ADDRESS.fullmatch(button.url):
            at["url"].wrong("must be an address that begins with https://, http://, mailto:, tel: or /")
        if button.opens is not None:
            _check_opens(draft, button.opens, button, tabs, at)
        elif button.url is not None:
            _refuse(button, ("tab", "where", "set", "count"), "opens: MODULE", at)


def _tabs(declaration: Declaration) -> dict[str, set[str]]:
    """The tabs of each module that any profile has."""
    tabs: dict[str, set[str]] = {}
    for profile in declaration.profiles.values():
        for name, access in profile.modules.items():
            tabs.setdefault(name, set()).update(access.list.tabs or ())
    for name, module in declaration.modules.items():
        tabs.setdefault(name, set()).update(module.list.tabs or ())
    return tabs


def _check_opens(draft: Draft, opens: str, button: Button, tabs: Mapping[str, Collection[str]], at: Cursor) -> None:
    module, slash, page = opens.partition("/")
    if slash and page != "create":
        at["opens"].wrong(f'must be MODULE or MODULE/create, not "{opens}"')
    elif module not in draft.modules:
        if not draft.is_broken(module):
            at["opens"].wrong(draft.no_module(module))
    elif slash:
        _refuse(button, ("tab", "where", "count"), "a list: opens: MODULE", at)
        _check_set(draft, module, button, at["set"])
    else:
        _refuse(button, ("set",), "a form: opens: MODULE/create", at)
        check_condition(draft, module, at["where"])
        if button.tab is not None and button.tab not in tabs.get(module, ()):
            at["tab"].wrong(f'{module} has no tab "{button.tab}"{suggest(button.tab, tabs.get(module, ()))}')


def _check_set(draft: Draft, module: str, button: Button, at: Cursor) -> None:
    check_values(draft, module, button.set, at)
    for name in button.set:
        field = draft.modules[module].fields.get(name)
        if field is not None and not typed(draft.modules[module], field):
            at[name].key.wrong(f'"{name}" cannot be filled in: it is not part of forms')


def _refuse(button: Button, keys: tuple[str, ...], use: str, at: Cursor) -> None:
    for key in keys:
        if getattr(button, key):
            at[key].key.wrong(f"{key} belongs to {use}")


def check_home(draft: Draft, profile: Profile, declaration: Declaration) -> None:
    """The buttons that a profile offers, its own or those of the profile that it extends."""
    at = draft.at(profile_file(profile.name))
    own = "buttons" in at["home"]
    parent = declaration.profiles.get(profile.extends or "")
    reported_for_parent = set() if own or parent is None else _dead_ends(draft, parent)
    for index, name in enumerate(profile.home.buttons or ()):
        place = at["home"]["buttons"][index] if own else at["extends"]
        if name.startswith("module:") or name in draft.broken_buttons:
            continue
        if name not in draft.buttons:
            if own and not draft.is_unreadable(BUTTONS):
                place.wrong(f'no button "{name}"{suggest(name, draft.buttons)}')
        elif (complaint := _dead_end(draft, profile, draft.buttons[name])) and name not in reported_for_parent:
            place.wrong(f'the button "{name}" leads nowhere: {complaint}')


def _dead_ends(draft: Draft, profile: Profile) -> set[str]:
    names = [name for name in profile.home.buttons or () if name in draft.buttons]
    return {name for name in names if _dead_end(draft, profile, draft.buttons[name])}


def _dead_end(draft: Draft, profile: Profile, button: Button) -> str | None:
    """Why this profile could not follow the button, or None."""
    module, _slash, page = str(button.opens or "").partition("/")
    if button.opens is None or module not in draft.modules:
        return None
    access = profile.modules.get(module)
    if access is None:
        return f'this profile has no module "{module}"'
    if page == "create" and "create" not in access.can:
        return f"this profile may not create {module}"
    if button.tab is not None and not page and button.tab not in (access.list.tabs or {}):
        return f'{module} has no tab "{button.tab}" for this profile'
    return None

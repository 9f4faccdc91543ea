"""Checks of buttons: each leads somewhere, and every profile that offers it can follow it."""

import re

from portal.declaration.checks.conditions import check_condition, check_values
from portal.declaration.draft import BUTTONS, Draft, profile_file
from portal.declaration.layouts import typed
from portal.declaration.shapes import Button, Declaration, Profile
from portal.declaration.source.problems import Path, suggest

# No address that a browser would run as a program.
ADDRESS = re.compile(r"(https?://|mailto:|tel:|/(?!/))\S+")


def check_buttons(draft: Draft, declaration: Declaration) -> None:
    """Every button by itself."""
    tabs = _tabs(declaration)
    for name, button in draft.buttons.items():
        path = ("buttons", name)
        if (button.opens is None) == (button.url is None):
            draft.error(BUTTONS, path, "a button has opens: or url:, one of them", key=True)
        if button.url is not None and not ADDRESS.fullmatch(button.url):
            draft.error(
                BUTTONS, (*path, "url"), "an address that begins with https://, http://, mailto:, tel: or / is wanted"
            )
        if button.opens is not None:
            _check_opens(draft, path, button, tabs)
        elif button.url is not None:
            _refuse(draft, path, button, ("tab", "where", "set", "count"), "opens: MODULE")


def _tabs(declaration: Declaration) -> dict[str, set[str]]:
    """The tabs of each module, for whichever profile."""
    found: dict[str, set[str]] = {}
    for profile in declaration.profiles.values():
        for name, access in profile.modules.items():
            found.setdefault(name, set()).update(access.list.tabs or ())
    for name, module in declaration.modules.items():
        found.setdefault(name, set()).update(module.list.tabs or ())
    return found


def _check_opens(draft: Draft, path: Path, button: Button, tabs: dict[str, set[str]]) -> None:
    module, slash, page = str(button.opens).partition("/")
    place = (*path, "opens")
    if slash and page != "create":
        draft.error(BUTTONS, place, f'MODULE or MODULE/create is wanted, not "{button.opens}"')
    elif module not in draft.modules:
        if not draft.doubtful(module):
            draft.error(BUTTONS, place, draft.no_module(module))
    elif slash:
        _refuse(draft, path, button, ("tab", "where", "count"), "a list: opens: MODULE")
        check_values(draft, BUTTONS, (*path, "set"), module, button.set)
        for name in button.set:
            field = draft.field(module, name)
            if field is not None and name in draft.modules[module].fields and not typed(draft.modules[module], field):
                draft.error(BUTTONS, (*path, "set", name), f'"{name}" is not typed in forms', key=True)
    else:
        _refuse(draft, path, button, ("set",), "a form: opens: MODULE/create")
        check_condition(draft, BUTTONS, (*path, "where"), module)
        if button.tab is not None and button.tab not in tabs.get(module, ()):
            draft.error(
                BUTTONS,
                (*path, "tab"),
                f'{module} has no tab "{button.tab}"{suggest(button.tab, tabs.get(module, ()))}',
            )


def _refuse(draft: Draft, path: Path, button: Button, keys: tuple[str, ...], wanted: str) -> None:
    for key in keys:
        if getattr(button, key):
            draft.error(BUTTONS, (*path, key), f"{key} belongs to {wanted}", key=True)


def check_home(draft: Draft, profile: Profile, declaration: Declaration) -> None:
    """The buttons that a profile offers, its own or those of the profile that it extends."""
    file = profile_file(profile.name)
    own = draft.has(file, ("home", "buttons"))
    parent = declaration.profiles.get(profile.extends or "")
    above = None if own or parent is None else _dead_ends(draft, parent)  # told already
    for index, name in enumerate(profile.home.buttons or ()):
        path: Path = ("home", "buttons", index) if own else ("extends",)
        if name.startswith("module:") or ("", name) in draft.broken:
            continue
        if name not in draft.buttons:
            if own and not draft.unread(BUTTONS):
                draft.error(file, path, f'no button "{name}"{suggest(name, draft.buttons)}')
        elif (complaint := _dead_end(draft, profile, draft.buttons[name])) and not (above and name in above):
            draft.error(file, path, f'the button "{name}" leads nowhere: {complaint}')


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

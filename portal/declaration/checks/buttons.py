"""Checks buttons: each leads somewhere, and every profile that offers it can follow it."""

import re
from collections.abc import Collection, Iterable, Mapping

from portal.declaration.checks.conditions import check_condition
from portal.declaration.checks.values import check_values
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.layouts import can_be_typed
from portal.declaration.resolve import is_access_broken
from portal.declaration.shape_keys import keys_of
from portal.declaration.shapes import Button, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.declaration.synonyms import our_key

# Addresses that no browser runs as a program.
ADDRESS = re.compile(r"(https?://|mailto:|tel:|/(?!/))\S+")


def check_buttons(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every button of buttons.yaml by itself."""
    tabs = _tabs(declaration)
    for name, button in draft.buttons.items():
        at = draft.at(BUTTONS, "buttons", name)
        if (button.opens is None) == (button.url is None) and ("opens" in at) == ("url" in at) and not _leads(at):
            at.key.wrong("a button needs either opens: or url:")
        if button.url is not None and not ADDRESS.fullmatch(button.url):
            at["url"].wrong("must be an address that begins with https://, http://, mailto:, tel: or /")
        if button.opens is not None:
            _check_opens(draft, button.opens, button, tabs, at)
        elif button.url is not None:
            _refuse(button, ("tab", "where", "set", "count"), "opens: MODULE", at)


def _leads(at: Cursor) -> bool:
    """Whether a key that is not known, and was reported, says where the button leads."""
    unknown = (key for key in at.value if key not in keys_of(Button))
    return any(our_key(key, ("opens", "url")) for key in unknown)


def _tabs(declaration: Declaration) -> dict[str, set[str]]:
    """The tabs of each module that any profile has."""
    tabs: dict[str, set[str]] = {}
    for profile in declaration.profiles.values():
        for name, access in profile.modules.items():
            tabs.setdefault(name, set()).update(access.list.tabs or ())
    for name, module in declaration.modules.items():
        tabs.setdefault(name, set()).update(module.list.tabs or ())
    return tabs


def _check_opens(
    draft: DeclarationDraft, opens: str, button: Button, tabs: Mapping[str, Collection[str]], at: Cursor
) -> None:
    module, slash, page = opens.partition("/")
    if ":" in opens:
        at["opens"].wrong(f'must be MODULE or MODULE/create, not "{opens}": write an address after url:')
    elif slash and page != "create":
        guess = did_you_mean(_meant_target(draft, opens))
        at["opens"].wrong(f'must be MODULE or MODULE/create, not "{opens}"{guess}')
    elif module not in draft.modules:
        if not draft.is_broken(module):
            at["opens"].wrong(draft.no_module(module))
    elif slash:
        _refuse(button, ("tab", "where", "count"), "a list: opens: MODULE", at)
        _check_set(draft, module, button, at["set"])
    else:
        _refuse(button, ("set",), "a form: opens: MODULE/create", at)
        check_condition(draft, module, at["where"])
        if button.tab is not None and button.tab not in tabs.get(module, ()) and not draft.broken_profiles:
            draft.broken_buttons.add(button.name)
            at["tab"].wrong(f'{module} has no tab "{button.tab}"{suggest(button.tab, tabs.get(module, ()))}')


def _meant_target(draft: DeclarationDraft, opens: str) -> str | None:
    """The target that is meant by the address of a list, or of a form as other systems call it."""
    module, *pages = opens.strip("/").split("/")
    if module not in draft.modules or pages not in ([], ["new"], ["add"]):
        return None
    return f"{module}/create" if pages else module


def _check_set(draft: DeclarationDraft, module: str, button: Button, at: Cursor) -> None:
    check_values(draft, module, button.set, at)
    for name in button.set:
        field = draft.modules[module].fields.get(name)
        if field is not None and not field.computed and not can_be_typed(draft.modules[module], field, new=True):
            at[name].key.wrong(f'"{name}" cannot be filled in: it is not part of forms')


def _refuse(button: Button, keys: tuple[str, ...], use: str, at: Cursor) -> None:
    for key in keys:
        if getattr(button, key):
            at[key].key.wrong(f"{key} belongs to {use}")


def check_home(draft: DeclarationDraft, profile: Profile, declaration: Declaration) -> None:
    """The buttons of a profile's home page, its own or those of the profile that it extends."""
    at = draft.at(profile_file(profile.name))
    written = draft.profiles[profile.name].home.buttons
    names = [name for name in profile.home.buttons or () if not name.startswith("module:")]  # generated ones
    if written is not None:
        for index, name in enumerate(written):
            _check_button_name(draft, profile, name, draft.buttons, at["home"]["buttons"][index])
    else:
        _check_inherited(draft, profile, names, declaration, at["extends"])


def check_menu(draft: DeclarationDraft, profile: Profile, declaration: Declaration) -> None:
    """The modules and buttons of a profile's menu, its own or that of the profile that it extends."""
    at = draft.at(profile_file(profile.name))
    if "menu" not in at:
        buttons = [name for name in profile.menu or () if name not in profile.modules]
        _check_inherited(draft, profile, buttons, declaration, at["extends"])
        return
    written = draft.profiles[profile.name].menu or ()
    for index, name in enumerate(written):
        place = at["menu"][index]
        if name in written[:index]:
            place.wrong(f'"{name}" appears twice')
        elif name not in profile.modules:
            if is_access_broken(draft, profile.name, name):
                continue
            if name in draft.modules and name not in draft.buttons:
                place.wrong(f'this profile has no module "{name}"')
            elif not draft.is_broken(name):
                _check_button_name(draft, profile, name, [*profile.modules, *draft.buttons], place)
        elif not profile.modules[name].menu:
            place.warn(f'"{name}" is left out of the menu: the profile says menu: false for it')
        elif name in draft.buttons:
            place.warn(f'"{name}" is a module and a button: the menu shows the module')


def _check_button_name(draft: DeclarationDraft, profile: Profile, name: str, known: Iterable[str], at: Cursor) -> None:
    if name in draft.broken_buttons:
        return
    if name in draft.buttons:
        if complaint := _dead_end(draft, profile, draft.buttons[name]):
            at.wrong(f'the button "{name}" leads nowhere: {complaint}')
    elif not draft.is_unreadable(BUTTONS):
        what = "button" if known is draft.buttons else "module or button"
        at.wrong(f'no {what} "{name}"{suggest(name, known)}')


def _check_inherited(
    draft: DeclarationDraft, profile: Profile, names: Iterable[str], declaration: Declaration, at: Cursor
) -> None:
    """Buttons named by the extended profile: what is a dead end there already has been reported there."""
    parent = declaration.profiles.get(profile.extends or "")
    for name in names:
        button = draft.buttons.get(name)
        if button is None or (parent is not None and _dead_end(draft, parent, button)):
            continue
        if complaint := _dead_end(draft, profile, button):
            at.wrong(f'the button "{name}" leads nowhere: {complaint}')


def _dead_end(draft: DeclarationDraft, profile: Profile, button: Button) -> str | None:
    """Why this profile could not follow the button, or None."""
    module, _slash, page = str(button.opens or "").partition("/")
    if button.opens is None or module not in draft.modules or button.name in draft.broken_buttons:
        return None
    if is_access_broken(draft, profile.name, module):
        return None
    access = profile.modules.get(module)
    if access is None:
        return f'this profile has no module "{module}"'
    if page == "create" and "create" not in access.can:
        return f"this profile may not create {module}"
    if button.tab is not None and not page and button.tab not in (access.list.tabs or {}):
        return f'{module} has no tab "{button.tab}" for this profile'
    return None

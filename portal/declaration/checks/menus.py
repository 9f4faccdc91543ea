"""Checks the menu and the home page of a profile: each module and button exists, and the profile can follow it."""

from collections.abc import Iterable

from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.inheritance import is_access_broken
from portal.declaration.shapes import Button, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import ProblemText
from portal.declaration.unknown_names import no_access, no_button, no_tab


def check_home(draft: DeclarationDraft, profile: Profile, declaration: Declaration) -> None:
    """Checks the buttons of a profile's home page, its own or inherited."""
    at = draft.at(profile_file(profile.name))
    own_buttons = draft.profiles[profile.name].home.buttons
    names = [name for name in profile.home.buttons or () if not name.startswith("module:")]  # those are generated
    if own_buttons is not None:
        for index, name in enumerate(own_buttons):
            _check_button_name(draft, profile, name, at["home"]["buttons"][index])
    else:
        _check_inherited(draft, profile, names, declaration, at["extends"])


def check_menu(draft: DeclarationDraft, profile: Profile, declaration: Declaration) -> None:
    """Checks the modules and buttons of a profile's menu, its own or inherited."""
    at = draft.at(profile_file(profile.name))
    if "menu" not in at:
        buttons = [name for name in profile.menu or () if name not in profile.modules]
        _check_inherited(draft, profile, buttons, declaration, at["extends"])
        return
    own_menu = draft.profiles[profile.name].menu or ()
    for index, name in enumerate(own_menu):
        place = at["menu"][index]
        if name in own_menu[:index]:
            place.wrong(f'"{name}" appears twice')
        elif name not in profile.modules:
            if is_access_broken(draft, profile.name, name):
                continue
            if name in draft.modules and name not in draft.buttons:
                place.wrong(no_access(name))
            elif not draft.is_broken(name):
                _check_button_name(draft, profile, name, place, draft.modules)
        elif not profile.modules[name].menu:
            place.warn(f'"{name}" is left out of the menu: the profile says menu: false for it')
        elif name in draft.buttons:
            place.warn(f'"{name}" is a module and a button: the menu shows the module')


def _check_button_name(
    draft: DeclarationDraft, profile: Profile, name: str, at: Cursor, modules: Iterable[str] = ()
) -> None:
    """Checks the name of a button in a menu or on a home page, where `modules` may be named too."""
    if name in draft.broken_buttons:
        return
    if name in draft.buttons:
        if problem := _dead_end(draft, profile, draft.buttons[name]):
            at.wrong(problem)
    elif not draft.is_unreadable(BUTTONS):
        at.wrong(no_button(name, draft.buttons, modules))


def _check_inherited(
    draft: DeclarationDraft, profile: Profile, names: Iterable[str], declaration: Declaration, at: Cursor
) -> None:
    """Checks buttons inherited from the extended profile, except dead ends already reported there."""
    parent = declaration.profiles.get(profile.extends or "")
    for name in names:
        button = draft.buttons.get(name)
        if button is None or (parent is not None and _dead_end(draft, parent, button)):
            continue
        if problem := _dead_end(draft, profile, button):
            at.wrong(problem)


def _dead_end(draft: DeclarationDraft, profile: Profile, button: Button) -> str | None:
    """Why this profile could not follow the button, or None."""
    module, _slash, page = str(button.opens or "").partition("/")
    if button.opens is None or module not in draft.modules or button.name in draft.broken_buttons:
        return None
    if is_access_broken(draft, profile.name, module):
        return None
    nowhere = f'the button "{button.name}" leads nowhere: {{}}'
    access = profile.modules.get(module)
    if access is None:
        return no_access(module).within(nowhere)
    if page == "create" and "create" not in access.can:
        return ProblemText(f"this profile may not create {module}").within(nowhere)
    if button.tab is not None and not page and button.tab not in (access.list.tabs or {}):
        return no_tab(module, button.tab, " for this profile").within(nowhere)
    return None

"""Checks buttons.yaml: each button leads somewhere. Whether a profile can follow it: menus.py."""

import re
from collections.abc import Collection, Mapping

from portal.declaration.checks.conditions import check_condition
from portal.declaration.checks.values import check_values
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.layouts import can_be_typed
from portal.declaration.shape_keys import keys_of
from portal.declaration.shapes import Button
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.declaration.synonyms import intended_key
from portal.declaration.unknown_names import no_tab

# Addresses that no browser runs as a program.
ADDRESS = re.compile(r"(https?://|mailto:|tel:|/(?!/))\S+")


def check_buttons(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every button of buttons.yaml on its own."""
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
    """Whether an unknown key, already reported, says where the button leads."""
    unknown = (key for key in at.value if key not in keys_of(Button))
    return any(intended_key(key, ("opens", "url")) for key in unknown)


def _tabs(declaration: Declaration) -> dict[str, set[str]]:
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
            at["tab"].wrong(no_tab(module, button.tab, suggest(button.tab, tabs.get(module, ()))))


def _meant_target(draft: DeclarationDraft, opens: str) -> str | None:
    """The target of a button that is meant by the address of a list, or by another system's name for a form."""
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

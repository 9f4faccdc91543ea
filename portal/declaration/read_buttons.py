"""Reads buttons.yaml: each button becomes its shape, or a problem with its place."""

from collections.abc import Mapping

from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.name_rules import as_name, wrong_name
from portal.declaration.shape_keys import has_keys_of
from portal.declaration.shapes import Button
from portal.declaration.validation import (
    mapping,
    named_entries,
    validate,
    with_known_keys,
    without_extensions,
    without_internal,
)


def read_buttons(draft: DeclarationDraft) -> None:
    """Reads buttons.yaml into the draft."""
    at = draft.at(BUTTONS)
    top = without_extensions(mapping(at.value, at, "keys (buttons)"))
    misplaced = [name for name, entry in top.items() if name != "buttons" and has_keys_of(Button, entry)]
    draft.broken_buttons.update(misplaced)
    if len(misplaced) > 1 and not top.get("buttons"):
        sentence = f'buttons belong under buttons: indent "{misplaced[0]}" and everything below it by two spaces'
        at[misplaced[0]].key.wrong(sentence)
    else:
        for name in misplaced:
            at[name].key.wrong(f'a button belongs under buttons: indent "{name}" and its lines by two spaces')
    top = with_known_keys({name: entry for name, entry in top.items() if name not in misplaced}, ["buttons"], at)
    at = at["buttons"]
    items = top["buttons"] if isinstance(top.get("buttons"), list) else []
    draft.broken_buttons.update(
        str(name) for item in items for name in (item.values() if isinstance(item, dict) else [item])
    )
    for name, entry in named_entries(top.get("buttons"), at, "names to buttons").items():
        if problem := wrong_name(name):
            at[name].key.wrong(problem)
            draft.broken_buttons.add(as_name(name))
        entry = without_internal(Button, entry, at[name])
        entry = {**entry, "name": name} if isinstance(entry, Mapping) else entry
        result = validate(Button, entry, at[name])
        if result is None:
            draft.broken_buttons.add(name)
        else:
            draft.buttons[name] = result[0]

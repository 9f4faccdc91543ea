"""Warns about names that appear twice in a list whose order and number of names have no meaning.

Columns, forms, stages and menus are checked elsewhere: there, the second one was probably meant to be another name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.source.cursor import Cursor
from portal.fields.base_shape import Shape

CHECKED_ELSEWHERE = {"columns", "create", "edit", "stages", "menu", "languages", "to", "default", "where"}


def check_repeated_names(draft: DeclarationDraft) -> None:
    """Checks every list of names in modules.yaml and the profiles."""
    places: list[tuple[Any, Cursor]] = [(draft.settings, draft.at(MODULES, "portal"))]
    places += [(module, draft.at_module(name)) for name, module in draft.modules.items()]
    places += [(profile, draft.at(profile_file(name))) for name, profile in draft.profiles.items()]
    for shape, at in places:
        for index, item, place in _repeated(shape, at):
            place.inner(index).warn(f'"{item}" appears twice')


def _repeated(value: Any, at: Cursor) -> Iterator[tuple[int, str, Cursor]]:
    if isinstance(value, Shape):
        for name, info in type(value).model_fields.items():
            if name in value.model_fields_set and name not in CHECKED_ELSEWHERE:
                yield from _repeated(getattr(value, name), at[info.alias or name])
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _repeated(inner, at[key])
    elif isinstance(value, tuple):
        names = [_name(item, at[index].value) for index, item in enumerate(value)]
        for index, item in enumerate(names):
            if not isinstance(value[index], str):
                yield from _repeated(value[index], at[index])
            elif item and item in names[:index]:
                yield index, item, at


def _name(item: Any, written: Any) -> str | None:
    """The name in an item of a list, which may be repeated; None for anything else, and for a stand-in."""
    is_stand_in = isinstance(written, Mapping) or (isinstance(written, str) and written != item)
    return item.removeprefix("-") if isinstance(item, str) and not is_stand_in else None

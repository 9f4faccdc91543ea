"""Checks of what people see: icons, tones, and texts that are missing in one of the portal's languages."""

import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path as Folder
from typing import Any

from pydantic import BaseModel

from portal.declaration.draft import BUTTONS, MODULES, Draft, profile_file
from portal.declaration.source.problems import Path, suggest
from portal.texts import Text

TONES = ("primary", "info", "good", "warn", "bad", "calm")


@cache
def icons() -> frozenset[str]:
    """The names of all icons; the package itself is not imported, which would take longer than the whole check."""
    spec = find_spec("lucide")
    folder = Folder(next(iter(spec.submodule_search_locations or ()), "")) if spec else Folder()
    archive = folder / "lucide.zip"
    if not archive.is_file():
        return frozenset()
    with zipfile.ZipFile(archive) as file:
        return frozenset(name.removesuffix(".svg") for name in file.namelist())


def check_looks(draft: Draft) -> None:
    """Every icon, tone and text of the draft."""
    missing: dict[str, list[str]] = {language: [] for language in draft.settings.languages}
    unused: dict[str, list[str]] = {}
    for file, path, value in _parts(draft):
        if isinstance(value, Text):
            _count(value, _dotted(path), missing, unused)
        else:
            _check_icon_and_tone(draft, file, path, value)
    place = ("portal", "languages")
    for language, paths in missing.items():
        if paths:
            draft.warn(MODULES, place, f'{_texts(paths)} missing in "{language}" (the first: {paths[0]})')
    for language, paths in unused.items():
        draft.warn(
            MODULES,
            place,
            f'{_texts(paths)} written in "{language}", which is none of the languages (the first: {paths[0]})',
        )


def _texts(paths: list[str]) -> str:
    return "1 text is" if len(paths) == 1 else f"{len(paths)} texts are"


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path[1:] or path)


def _count(text: Text, path: str, missing: dict[str, list[str]], unused: dict[str, list[str]]) -> None:
    """A text that is one for all languages misses none."""
    if not text.by_language:
        return
    for language, paths in missing.items():
        if language not in text.by_language:
            paths.append(path)
    for language in text.by_language:
        if language not in missing:
            unused.setdefault(language, []).append(path)


def _check_icon_and_tone(draft: Draft, file: str, path: Path, value: str) -> None:
    key = path[-1]
    if key == "icon" and icons() and value not in icons():
        draft.warn(file, path, f'no icon "{value}"{suggest(value, icons())}')
    if key == "tone" and value not in TONES:
        draft.error(file, path, f'"{value}" is none of {", ".join(TONES)}{suggest(value, TONES)}')


def _parts(draft: Draft) -> Iterator[tuple[str, Path, Any]]:
    """Every written text, icon and tone with its place."""
    yield from _within(MODULES, ("portal",), draft.settings)
    for name, module in draft.modules.items():
        yield from _within(MODULES, ("modules", name), module)
    for name, button in draft.buttons.items():
        yield from _within(BUTTONS, ("buttons", name), button)
    for name, profile in draft.profiles.items():
        yield from _within(profile_file(name), (), profile)


def _within(file: str, path: Path, value: Any) -> Iterator[tuple[str, Path, Any]]:
    if isinstance(value, Text):
        yield file, path, value
    elif isinstance(value, BaseModel):
        for key in value.model_fields_set - {"builtin"}:
            inner = getattr(value, key)
            if key in ("icon", "tone") and isinstance(inner, str):
                yield file, (*path, key), inner
            elif isinstance(inner, Text | BaseModel | Mapping | tuple):
                yield from _within(file, (*path, key), inner)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _within(file, (*path, key), inner)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _within(file, (*path, index), inner)

"""Checks what people see: icons, tones, and texts that are missing in one of the portal's languages."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import KeyPath
from portal.declaration.source.suggestions import suggest
from portal.texts import Text

COMMENT = re.compile(r"\s+(#[^\s#].*)")  # after a text without quotes; in real comments people put a space after #
TONES = ("primary", "info", "good", "warn", "bad", "calm")
Part = tuple[str, KeyPath, Any]  # file, path, value


@cache
def known_icons() -> frozenset[str]:
    """The names of all icons, from the package's archive: importing the package takes longer than a whole check."""
    spec = find_spec("lucide")
    folder = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else Path()
    archive = folder / "lucide.zip"
    if not archive.is_file():
        return frozenset()
    with zipfile.ZipFile(archive) as file:
        return frozenset(name.removesuffix(".svg") for name in file.namelist())


def check_appearance(draft: DeclarationDraft) -> None:
    """Checks every icon, tone and text; collects the icons in `draft.icons`."""
    counts = _TextCounts(draft.settings.languages)
    with_comments = {file for file, document in draft.documents.items() if COMMENT.search(document.text)}
    for file, path, value in written_parts(draft):
        if isinstance(value, Text):
            counts.add(value, path)
            if not any(wording.strip() for wording in value) and "options" not in path:
                draft.at(file, *path).warn("this text is empty: write one, or remove the key")
            if file in with_comments and (cut := _behind_text(draft.at(file, *path))):
                draft.at(file, *path).warn(f'"{cut}" is not part of the text: quotes around it would make it so')
        elif path[-1] == "icon":
            draft.icons.add(value)
            if known_icons() and value not in known_icons():
                draft.at(file, *path).warn(f'no icon "{value}"{_suggest_icon(value)}')
        elif value not in TONES:
            draft.at(file, *path).wrong(f'"{value}" is not one of {", ".join(TONES)}{suggest(value, TONES)}')
    languages = draft.at(MODULES, "portal", "languages")
    are_declared = "languages" in draft.at(MODULES, "portal")
    if not are_declared or languages.value == list(draft.settings.languages) or "languages" in draft.overrides:
        counts.warn(languages)


# Names that people use for their meaning, or from other icon sets.
OTHER_ICON_NAMES = {
    "home": "house", "gear": "settings", "gears": "settings", "bin": "trash-2", "remove": "trash-2",
    "edit": "pencil", "dashboard": "layout-dashboard", "person": "user", "people": "users",
    "customer": "user", "customers": "users", "company": "building-2", "office": "building-2",
    "invoice": "receipt-text", "invoices": "receipt-text",
    "order": "shopping-cart", "cart": "shopping-cart", "money": "banknote", "payment": "credit-card",
    "warning": "triangle-alert", "alert": "triangle-alert", "document": "file-text", "email": "mail",
    "envelope": "mail", "graph": "chart-line", "chart": "chart-line", "help": "circle-question-mark",
    "question": "circle-question-mark", "support": "life-buoy", "close": "x", "attachment": "paperclip",
    "address": "map-pin", "location": "map-pin", "place": "map-pin", "tool": "wrench", "tools": "wrench",
    "product": "package", "products": "package", "parcel": "package", "success": "circle-check", "done": "circle-check",
    "comment": "message-circle", "chat": "message-circle", "photo": "image", "picture": "image",
    "notification": "bell", "alarm": "bell", "time": "clock", "password": "key-round", "security": "shield",
    "vehicle": "car", "task": "list-checks", "tasks": "list-checks", "todo": "list-checks", "project": "folder-kanban",
    "projects": "folder-kanban", "report": "file-chart-column", "knowledge": "book-open", "article": "book-open",
    "contract": "file-text", "meeting": "calendar-days", "date": "calendar-days", "event": "calendar-days",
    "delivery": "truck", "shipping": "truck", "machine": "monitor", "asset": "monitor",
}  # fmt: skip


def _suggest_icon(name: str) -> str:
    """The intended name: a synonym, or the words in another order; other icon sets prefix their initials."""
    words = [word for word in name.lower().replace("_", "-").split("-") if word not in ("fa", "mdi", "bi", "icon")]
    turned = ("-".join(words), "-".join(reversed(words)))
    guess = next((OTHER_ICON_NAMES[word] for word in ("-".join(words), *words) if word in OTHER_ICON_NAMES), None)
    return suggest(next((icon for icon in (*turned, guess) if icon in known_icons()), name), known_icons())


class _TextCounts:
    """The texts that lack a language of the portal, and those in a language that the portal does not have."""

    def __init__(self, languages: tuple[str, ...]) -> None:
        self._missing: dict[str, list[str]] = {language: [] for language in languages}
        self._unused: dict[str, list[str]] = {}

    def add(self, text: Text, path: KeyPath) -> None:
        """Counts one text; a text that is the same in all languages lacks none."""
        if not text.by_language:
            return
        place = ".".join(str(part) for part in path[1:] or path)
        for language, places in self._missing.items():
            if language not in text.by_language and not text.by_language.keys().isdisjoint(self._missing):
                places.append(place)
        for language in text.by_language:
            if language not in self._missing:
                self._unused.setdefault(language, []).append(place)

    def warn(self, at: Cursor) -> None:
        """One warning for each language that texts lack, and one for all languages that the portal does not have."""
        for language, places in self._missing.items():
            if places:
                at.warn(f'{_number_of_texts(places)} missing in "{language}" (the first: {places[0]})')
        if self._unused:
            places = list(dict.fromkeys(place for places in self._unused.values() for place in places))
            languages = ", ".join(f'"{language}"' for language in self._unused)
            at.warn(
                f"{_number_of_texts(places)} written in {languages}, which the portal does not have"
                f" (the first: {places[0]})"
            )


def _behind_text(at: Cursor) -> str:
    """What looks like text but is a comment in YAML: `#1` in `label: Ticket #1`; "" if there is none."""
    line, column = at.document.place(at.path)
    rest = at.document.lines[line - 1][column - 1 :] if at.source_text else ""
    comment = COMMENT.match(rest.removeprefix(at.source_text or "")) if rest.startswith(at.source_text or "") else None
    return comment[1].rstrip() if comment else ""


def _number_of_texts(places: list[str]) -> str:
    return "1 text is" if len(places) == 1 else f"{len(places)} texts are"


def written_parts(draft: DeclarationDraft) -> Iterator[Part]:
    """Every written text, icon and tone with its place."""
    yield from _within(MODULES, ("portal",), draft.settings)
    for name, module in draft.modules.items():
        yield from _within(MODULES, ("modules", name), module)
    for name, button in draft.buttons.items():
        yield from _within(BUTTONS, ("buttons", name), button)
    for name, profile in draft.profiles.items():
        yield from _within(profile_file(name), (), profile)


def _within(file: str, path: KeyPath, value: Any) -> Iterator[Part]:
    if isinstance(value, Text):
        yield file, path, value
    elif isinstance(value, BaseModel):
        declared_keys = value.model_fields_set - {"builtin"}
        # In the order of the shape, so that the first one is deterministic.
        for key, inner in ((key, inner) for key, inner in value if key in declared_keys):
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

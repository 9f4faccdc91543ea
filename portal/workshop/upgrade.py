"""Updates the files of a folder to the current version of the language; comments and formatting stay.

A folder without a version was written before there were versions (0.1.0): it is read like version 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.declaration.declaration_draft import MODULES
from portal.declaration.declared_files import paths_of_files
from portal.declaration.name_rules import reserved_field, reserved_module
from portal.declaration.shapes import ACTIONS
from portal.declaration.version import VERSION, version_problem
from portal.workshop.replace_file import replace_file
from portal.workshop.yaml_text import CannotBeEditedError, YamlText

Files = dict[str, YamlText]  # by their paths in the folder


class CannotUpgradeError(ValueError):
    """The folder cannot be updated to this version; the message says why."""


@dataclass
class Upgraded:
    """`before`: the version of the folder, None if it names none. `done`: what was changed, in sentences."""

    before: int | None
    done: list[str] = field(default_factory=list)


def upgrade(folder: Path) -> Upgraded:
    """Rewrites an older folder; does nothing if it has this version. Raises CannotUpgradeError and OSError."""
    files = _read(folder)
    document = files[MODULES].document
    if document.data is None or document.problems:
        raise CannotUpgradeError(f"{MODULES} cannot be read: `portal check` says why")
    present = document.value(("version",))
    if present is not None and (problem := version_problem(present)):
        raise CannotUpgradeError(problem)
    result = Upgraded(present)
    before = dict(files)
    for version, tell in STEPS:
        if version > (present or 0):
            result.done += tell(files)
    if present != VERSION:
        files[MODULES] = _with_version(files[MODULES])
        result.done.append(f"{MODULES}: version: {VERSION}")
    for file, text in files.items():
        if text != before[file]:
            replace_file(folder / file, text.raw)
    return result


def _read(folder: Path) -> Files:
    paths = paths_of_files(folder)
    names = [path.relative_to(folder).as_posix() for path in paths if path.is_file()]
    if MODULES not in names:
        raise CannotUpgradeError(f"there is no {MODULES} in {folder}")
    try:
        return {name: YamlText.read(folder, name) for name in names}
    except CannotBeEditedError as error:
        raise CannotUpgradeError(str(error)) from None


def _with_version(modules: YamlText) -> YamlText:
    if modules.document.has(("version",)):
        return modules.with_scalar(("version",), str(VERSION))
    return modules.with_first(f"version: {VERSION}")


def _report_letters(files: Files) -> list[str]:
    """Reports what an upgrade means for letters: version 1 sends them; 0.1.0 accepted the key without effect."""
    names = [
        name
        for name, entry in _entries(files[MODULES].document.value(("modules",)))
        if isinstance(entry, Mapping) and "mail" not in entry and (entry.get("comments") or entry.get("lifecycle"))
    ]
    if not names:
        return []
    off = "mail: {created: false, commented: false, moved: false}"
    return [f"From now on emails are written about {', '.join(names)}; {off} in a module turns them off"]


def _report_names(files: Files) -> list[str]:
    """Version 1 reserves names for pages and fields that were free in 0.1.0; what is stored under them is kept."""
    sentences = []
    for module, entry in _entries(files[MODULES].document.value(("modules",))):
        if problem := reserved_module(module):
            sentences.append(_renaming(f"the module {module}", module, problem))
        fields = _entries(entry.get("fields") if isinstance(entry, Mapping) else None)
        names = [(name, problem) for name, _field in fields if (problem := reserved_field(name))]
        sentences += [_renaming(f"the field {module}.{name}", name, problem) for name, problem in names]
        sentences += [
            f'Give the transition "{name}" of {module} another name: it has its own meaning under can:'
            for name, _transition in _entries(
                files[MODULES].document.value(("modules", module, "lifecycle", "transitions"))
            )
            if name in ACTIONS
        ]
    return sentences


def _entries(mapping: Any) -> list[tuple[str, Any]]:
    return [(str(name), entry) for name, entry in mapping.items()] if isinstance(mapping, Mapping) else []


def _renaming(what: str, name: str, problem: str) -> str:
    return f"Give {what} another name wherever it is named, and formerly: {name}, so that nothing is lost: {problem}"


# The version of the language that requires a change, and the function that makes it and returns sentences for people.
STEPS: tuple[tuple[int, Callable[[Files], list[str]]], ...] = ((1, _report_letters), (1, _report_names))

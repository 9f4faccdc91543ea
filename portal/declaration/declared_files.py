"""Finds and reads the files of a declaration, and warns about files that look like part of it but are not read.

Called by load. Only regular files are opened: a check would wait forever for a named pipe or a device.
"""

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.name_rules import wrong_name
from portal.declaration.source.condition_numbers import keep_condition_numbers_as_written
from portal.declaration.source.decoding import LARGEST_FILE
from portal.declaration.source.problems import Problem
from portal.declaration.source.suggestions import closest
from portal.declaration.source.yaml_reader import read

PROFILES = "profiles"
# Copies left behind by editors and people; nobody expects them to be read.
BACKUPS = ("~", ".bak", ".orig", ".old", ".swp", ".tmp", ".rej")


def read_files(draft: DeclarationDraft) -> None:
    """Reads every file of the folder into the draft's documents, and adds problems with the files."""
    names = _names(draft.folder)
    if MODULES in names:
        _read_file(draft, MODULES)
    elif not (reported := _misnamed(names, MODULES)):
        _report(draft, MODULES, "there is no such file: it declares the modules of the portal")
    else:
        _report(draft, reported[0], f"rename this file to {MODULES}")
    for file in _profile_files(draft, names):
        _read_file(draft, file)
    if BUTTONS in names:
        _read_file(draft, BUTTONS)
    for name in _misnamed(names, BUTTONS):
        _report(draft, name, f"this file is not read: rename it to {BUTTONS}", warning=BUTTONS in names)
        draft.unread_files.add(BUTTONS)
    for name in _misnamed(names, MODULES) if MODULES in names else ():
        _report(draft, name, f"this file is not read: {MODULES} is", warning=True)


def profile_file(name: str) -> str:
    """The path of a profile's file in the folder of a declaration."""
    return f"{PROFILES}/{name}.yaml"


def paths_of_files(folder: Path) -> list[Path]:
    """The paths where the files of a declaration are, or would be."""
    return [folder / MODULES, folder / BUTTONS, *sorted((folder / PROFILES).glob("*.yaml"))]


def declared_files(folder: Path) -> dict[str, bytes]:
    """The readable files of a declaration, by their paths in the folder."""
    contents = {}
    for path in sorted(paths_of_files(folder)):
        with contextlib.suppress(OSError):
            contents[path.relative_to(folder).as_posix()] = _content(path)
    return contents


def files_digest(folder: Path) -> str:
    """A digest that changes when one of the files of a declaration does."""
    digest = hashlib.sha256()
    for file, content in declared_files(folder).items():
        digest.update(f"{file} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _report(draft: DeclarationDraft, file: str, message: str, warning: bool = False) -> None:
    draft.problems.append(Problem(file, 1, 1, (), message, warning))


def _names(folder: Path) -> list[str]:
    """The names of files in a folder, sorted, without hidden ones and backups; empty if there is no such folder."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith(".") and not name.endswith(BACKUPS))
    except OSError:
        return []


def _is_yaml(name: str) -> bool:
    """Whether a name looks like that of a YAML file, in upper or lower case, even with an additional extension."""
    return any(f".{ending}" in name.lower() for ending in ("yaml", "yml"))


def _misnamed(names: list[str], right: str) -> list[str]:
    """Names of files probably meant to be `right`: `Modules.yaml`, `module.yaml`, `modules.yaml.txt`."""
    stem = right.removesuffix(".yaml")
    return [
        name
        for name in names
        if name != right and _is_yaml(name) and closest(name.lower().partition(".")[0], [stem]) is not None
    ]


def _profile_files(draft: DeclarationDraft, names: list[str]) -> list[str]:
    """The files of the profiles; reports unusable names."""
    if PROFILES not in names:
        wrong = next((name for name in names if closest(name.lower(), [PROFILES]) and not _is_yaml(name)), None)
        cure = (
            f": rename {wrong}/" if wrong else ": a portal needs at least one profile, such as profiles/customer.yaml"
        )
        _report(draft, PROFILES, f"there is no folder profiles/{cure}")
        return []
    files = []
    before = len(draft.problems)
    for name in _names(draft.folder / PROFILES):
        file = f"{PROFILES}/{name}"
        if name.endswith(".yaml"):
            if problem := wrong_name(name.removesuffix(".yaml")):
                _report(draft, file, problem)
            files.append(file)
        else:
            _report_unread(draft, file, name)
    if not files and len(draft.problems) == before:
        _report(draft, PROFILES, "there is no profile: a portal needs at least one, such as profiles/customer.yaml")
    return files


def _report_unread(draft: DeclarationDraft, file: str, name: str) -> None:
    if name.lower().endswith((".yml", ".yaml")):
        stem = name.rpartition(".")[0]
        _report(draft, file, f"rename this file to {stem}.yaml")
        draft.broken_profiles.add(stem)
    elif _is_yaml(name):
        stem = name[: name.lower().index(".y")]
        _report(draft, file, f"this file is not read: rename it to {stem}.yaml", warning=True)
    else:
        for inner in filter(_is_yaml, _names(draft.folder / file)):
            _report(draft, f"{file}/{inner}", f"this file is not read: move it to {PROFILES}/", warning=True)


def _read_file(draft: DeclarationDraft, file: str) -> None:
    try:
        raw = draft.unsaved[file] if file in draft.unsaved else _content(draft.folder / file)
    except OSError as error:
        _report(draft, file, f"this file cannot be read: {(error.strerror or 'unknown reason').lower()}")
        draft.unread_files.add(file)
        draft.broken_profiles.add(Path(file).stem)
        return
    document = read(raw, file)
    keep_condition_numbers_as_written(document)
    draft.documents[file] = document
    draft.problems += document.problems


def _content(path: Path) -> bytes:
    """The bytes of a declaration's regular file, up to one more than the largest allowed. Raises OSError."""
    # Without O_NONBLOCK, opening a named pipe waits for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(0, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST_FILE + 1)

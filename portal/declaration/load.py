"""A folder of YAML → one checked, resolved Declaration, or every problem at once.

Called by `portal check`, by every command, and by the running portal when a file changes. Whatever the files hold,
this never raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from portal.declaration.bind import bind_fields
from portal.declaration.checks.all import check_modules, check_profiles
from portal.declaration.checks.settings import check_settings
from portal.declaration.draft import BUTTONS, MODULES, Draft
from portal.declaration.entries import read_buttons, read_modules, read_profile, wrong_name
from portal.declaration.garbage import gc_paused
from portal.declaration.resolve import resolve
from portal.declaration.shapes import Declaration
from portal.declaration.source.as_written import keep_condition_numbers_as_written
from portal.declaration.source.problems import Problem
from portal.declaration.source.reader import read

NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Loaded:
    """`declaration` is None if and only if at least one problem is an error."""

    declaration: Declaration | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are not warnings."""
        return [problem for problem in self.problems if not problem.warning]


@gc_paused()
def load(folder: Path, overrides: Mapping[str, str] = NO_OVERRIDES) -> Loaded:
    """Reads, checks and resolves the declaration in `folder`; `overrides` are settings of `portal:` from outside."""
    draft = Draft(folder, overrides=overrides)
    _read_files(draft)
    if MODULES in draft.documents:
        read_modules(draft)
    if BUTTONS in draft.documents:
        read_buttons(draft)
    for name in _profiles(draft):
        read_profile(draft, name)
    declaration = None
    # Without modules, every name in the other files would look wrong.
    if not draft.modules and MODULES in draft.documents:
        check_settings(draft)
    elif draft.modules:
        bind_fields(draft)
        check_modules(draft)
        declaration = resolve(draft)
        check_profiles(draft, declaration)
    problems = _in_order(draft)
    failed = any(not problem.warning for problem in problems)
    return Loaded(None if failed else declaration, problems)


def _in_order(draft: Draft) -> list[Problem]:
    """Each problem once, by file and place."""
    ranks = {name: rank for rank, name in enumerate(draft.documents)}
    unique = list(dict.fromkeys(draft.problems))
    return sorted(unique, key=lambda problem: (ranks.get(problem.file, -1), problem.file, problem.line, problem.column))


def _profiles(draft: Draft) -> list[str]:
    return [file[len("profiles/") : -len(".yaml")] for file in draft.documents if file.startswith("profiles/")]


# -- files --------------------------------------------------------------------------------------------------------


def _read_files(draft: Draft) -> None:
    _read_file(draft, MODULES)
    if MODULES not in draft.documents and not draft.problems:
        draft.problems.append(_about_file(MODULES, "there is no such file: it declares the modules of the portal"))
    for file in _profile_files(draft):
        _read_file(draft, file)
    _read_file(draft, BUTTONS)


def _about_file(file: str, message: str) -> Problem:
    return Problem(file, 1, 1, (), message)


def _read_file(draft: Draft, file: str) -> None:
    path = draft.folder / file
    other = path.with_suffix(".yml")
    if other.exists():
        draft.problems.append(_about_file(str(other.relative_to(draft.folder)), f"rename this file to {path.name}"))
    if not path.exists() and not path.is_symlink():
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else (error.strerror or "unknown reason").lower()
        draft.problems.append(_about_file(file, f"this file cannot be read: {reason}"))
        draft.broken_profiles.add(path.stem)
        return
    document = read(raw, file)
    keep_condition_numbers_as_written(document)
    draft.documents[file] = document
    draft.problems += document.problems


def _profile_files(draft: Draft) -> list[str]:
    """The files of the profiles, each with a usable name."""
    folder = draft.folder / "profiles"
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        text = "there is no folder profiles/: a portal needs at least one profile, such as profiles/customer.yaml"
        draft.problems.append(_about_file("profiles", text))
        return []
    files = []
    for path in paths:
        file = f"profiles/{path.name}"
        if path.suffix == ".yml":
            draft.problems.append(_about_file(file, f"rename this file to {path.stem}.yaml"))
        elif path.suffix == ".yaml":
            complaint = wrong_name(path.stem)
            if complaint:
                draft.problems.append(_about_file(file, complaint))
            files.append(file)
    if not files and not draft.problems:
        text = "there is no profile: a portal needs at least one, such as profiles/customer.yaml"
        draft.problems.append(_about_file("profiles", text))
    return files

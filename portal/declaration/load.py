"""Loads a folder of YAML into one checked, resolved Declaration, or reports every problem at once.

Called by `portal check`, by every command, and by the running portal when a file changes. Never raises, whatever the
files contain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from portal.declaration.cascading_problems import without_consequences
from portal.declaration.checks.all import check_what_is_written, check_what_results
from portal.declaration.checks.packages import check_packages
from portal.declaration.checks.settings import check_settings
from portal.declaration.computed_fields import bind_fields
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.declared_files import read_files
from portal.declaration.read_buttons import read_buttons
from portal.declaration.read_modules import read_modules
from portal.declaration.read_profiles import read_profile
from portal.declaration.resolve import resolve
from portal.declaration.source.excerpts import with_lines
from portal.declaration.source.problems import Problem
from portal.declaration.version import is_of_another_version
from portal.memory import gc_paused
from portal.texts import plural

MOST_OF_A_FILE = 500
NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})
NOTHING_UNSAVED: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Loaded:
    """What reading a folder gave. `declaration` is None exactly if at least one problem is an error."""

    declaration: Declaration | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are not warnings."""
        return [problem for problem in self.problems if not problem.warning]


@gc_paused()
def load(
    folder: Path, overrides: Mapping[str, str] = NO_OVERRIDES, unsaved: Mapping[str, bytes] = NOTHING_UNSAVED
) -> Loaded:
    """Reads, checks and resolves the declaration in `folder`.

    `overrides` are settings of `portal:` from outside; `unsaved` replaces files, by their paths in the folder, with
    what an editor has not saved yet, or a tentative correction.
    """
    draft = DeclarationDraft(folder, overrides=overrides, unsaved=unsaved)
    if not read(draft):
        return Loaded(None, [with_lines(problem, draft.documents) for problem in draft.problems])
    if MODULES in draft.documents:
        check_settings(draft)
        check_packages(draft)
    declaration = None
    if draft.modules:  # otherwise every name in the other files would look wrong
        bind_fields(draft)
        check_what_is_written(draft)
        declaration = resolve(draft)
        check_what_results(draft, declaration)
    problems = [with_lines(problem, draft.documents) for problem in without_consequences(draft, _in_order(draft))]
    failed = any(not problem.warning for problem in problems)
    return Loaded(None if failed else declaration, problems)


def read(draft: DeclarationDraft) -> bool:
    """Reads the files of the folder into `draft`; returns whether they are in this version of the language."""
    read_files(draft)
    if MODULES in draft.documents and is_of_another_version(draft):
        return False
    if MODULES in draft.documents:
        read_modules(draft)
    if BUTTONS in draft.documents:
        read_buttons(draft)
    for name in [file.removesuffix(".yaml") for file in draft.documents if file.startswith("profiles/")]:
        read_profile(draft, name.removeprefix("profiles/"))
    return True


def _in_order(draft: DeclarationDraft) -> list[Problem]:
    """The problems found while loading, each once, by file and place; only the first of a file with very many."""
    ranks = {name: rank for rank, name in enumerate(draft.documents)}
    unique = list(dict.fromkeys(draft.problems))
    order = {problem: (ranks.get(problem.file, -1), problem.file, problem.line, problem.column) for problem in unique}
    by_file = groupby(sorted(unique, key=order.__getitem__), key=lambda problem: problem.file)
    return [problem for file, problems in by_file for problem in _first(file, list(problems))]


def _first(file: str, problems: list[Problem]) -> list[Problem]:
    """At most `MOST_OF_A_FILE` problems of a loaded file, errors before warnings, and the number of the others."""
    if len(problems) <= MOST_OF_A_FILE:
        return problems
    by_weight = sorted(problems, key=lambda problem: problem.warning)
    listed, others = set(by_weight[:MOST_OF_A_FILE]), by_weight[MOST_OF_A_FILE:]
    more = f"not listed: {plural(len(others), 'more problem')} in this file"
    return [*(problem for problem in problems if problem in listed), Problem(file, 1, 1, (), more, others[0].warning)]

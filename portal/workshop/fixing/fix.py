"""Fixes what can be fixed without guessing: every way is tried, and kept if it is the only good one.

A way is good if the problem is gone and no new one appears. If several are good and mean different things, none is
used; if they mean the same, the first. Only `save` writes a file.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from portal.declaration.declaration_draft import BUTTONS, MODULES
from portal.declaration.declared_files import PROFILES, profile_file
from portal.declaration.load import Loaded, load
from portal.declaration.problem_kinds import kind_of
from portal.declaration.source.document import Document
from portal.declaration.source.problems import Problem
from portal.declaration.source.yaml_reader import read
from portal.workshop.fixing.broken_yaml import misread_lines, repaired_lines
from portal.workshop.fixing.duplicates import without_second
from portal.workshop.fixing.edits import Alternatives, Proposal, SourceText
from portal.workshop.fixing.indentation import reindented
from portal.workshop.fixing.misread_values import rewritten
from portal.workshop.fixing.misspelled_names import only_right_name_is_in_use, renamed_declarations, respelled
from portal.workshop.replace_file import replace_file

MOST_EDITS = 200
MOST_OTHERS = 4  # mistakes that a file may have in addition to the one that makes it unreadable
STEP = 2  # spaces per level
MARK = b"\xef\xbb\xbf"  # the byte order mark of UTF-8
# Problems with names that the folder itself declares: the declaration may be what is misspelled.
DECLARED_NAMES = ("P201", "P202", "P204", "P205", "P206")
FORMER_NAMES = "P212"  # any unused name would do: the files do not say which one it was
Signature = tuple[str, str, bool]


@dataclass(frozen=True)
class Fixed:
    """`files`: the old and new content of each changed file; `done`: the problems that are gone."""

    loaded: Loaded  # what is left
    files: Mapping[str, tuple[bytes, bytes]]
    done: tuple[Problem, ...]


def fix_problems(folder: Path, overrides: Mapping[str, str]) -> Fixed:
    """Fixes the declaration in `folder` in memory, as far as possible without guessing."""
    fixer = _Fixer(folder, overrides)
    done: list[Problem] = []
    while len(done) < MOST_EDITS and (problem := fixer.fix_one()) is not None:
        done.append(problem)
    return Fixed(fixer.loaded, fixer.changed(), tuple(done))


def save(path: Path, before: bytes, after: bytes) -> bool:
    """Writes a fixed file if it still contains `before`; returns whether it did. Raises OSError."""
    if path.read_bytes() != before:
        return False
    replace_file(path, after)
    return True


class _Fixer:
    """The files of a folder while they are being fixed."""

    def __init__(self, folder: Path, overrides: Mapping[str, str], depth: int = 0) -> None:
        self._depth = depth  # above 0: only explores what would follow
        self._folder = folder
        self._overrides = overrides
        self._original: dict[str, bytes] = {}
        self._sources: dict[str, SourceText] = {}
        self._hopeless: set[Signature] = set()
        self.loaded = load(folder, overrides)

    def fix_one(self) -> Problem | None:
        """Fixes the next problem and returns it; None if no more can be fixed."""
        for problem in self.loaded.problems:
            files = (problem.file, *(place.file for place in problem.related))
            if _signature(problem) in self._hopeless or not all(map(self._has_text, files)):
                continue
            chosen = self._choose(problem)
            if chosen is None:
                self._hopeless.add(_signature(problem))
                continue
            for file in {edit.file for edit in chosen}:
                self._sources[file] = self._sources[file].edited(chosen)
            self.loaded = self._try(())
            return problem
        return None

    def changed(self) -> dict[str, tuple[bytes, bytes]]:
        """The old and new bytes of the changed files."""
        pairs = {file: (self._original[file], self._bytes(source)) for file, source in self._sources.items()}
        return {file: (before, after) for file, (before, after) in pairs.items() if before != after}

    def _has_text(self, file: str) -> bool:
        """Whether a file can be fixed: it exists and is UTF-8. Reads it when first called."""
        if file in self._sources:
            return True
        path = self._folder / file
        try:
            raw = path.read_bytes() if path.is_file() else b""
            text = raw.removeprefix(MARK).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        if raw:
            self._original[file], self._sources[file] = raw, SourceText(file, text)
        return bool(raw)

    def _bytes(self, source: SourceText) -> bytes:
        mark = MARK if self._original[source.file].startswith(MARK) else b""
        return mark + source.text.encode("utf-8")

    def _try(self, proposal: Proposal) -> Loaded:
        """The problems after a proposal."""
        texts = {file: self._bytes(source.edited(proposal)) for file, source in self._sources.items()}
        return load(self._folder, self._overrides, texts)

    def _choose(self, problem: Problem) -> Proposal | None:
        """The only good way to fix a problem, or None."""
        documents = self._documents()
        for alternatives in _ways(problem, self._sources, documents):
            tried = {proposal: self._try(proposal) for proposal in dict.fromkeys(alternatives) if proposal}
            good = [proposal for proposal, after in tried.items() if self._is_good(problem, after)]
            good = sorted(good or self._settled(problem, tried), key=self._oddness)
            if len({self._meaning(proposal) for proposal in good}) > 1:
                return None
            if good:
                return None if self._is_declaration_in_doubt(problem, good[0], documents) else good[0]
        return None

    def _settled(self, problem: Problem, tried: Mapping[Proposal, Loaded]) -> list[Proposal]:
        """Ways that make a file readable, so that its other mistakes can also be fixed."""
        if not self._is_unreadable(problem.file) or self._depth:
            return []
        before = Counter(map(_signature, self.loaded.problems))
        errors = {
            proposal: Counter(map(_signature, after.errors)) - before
            for proposal, after in tried.items()
            if not any(left.file == problem.file and kind_of(left).code < "P200" for left in after.errors)
        }
        fewest = min((new_errors.total() for new_errors in errors.values()), default=MOST_OTHERS + 1)
        likely = [proposal for proposal, new_errors in errors.items() if new_errors.total() == fewest <= MOST_OTHERS]
        return [proposal for proposal in likely[:MOST_OTHERS] if self._after(proposal).ends_well(before)]

    def _after(self, proposal: Proposal) -> "_Fixer":
        """A fixer that continues after a proposal."""
        other = _Fixer(self._folder, self._overrides, self._depth + 1)
        other._original = self._original
        other._sources = {file: source.edited(proposal) for file, source in self._sources.items()}
        other.loaded = other._try(())
        return other

    def ends_well(self, known: Counter[Signature]) -> bool:
        """Whether all errors except the known ones can be fixed."""
        for _round in range(MOST_OTHERS):
            if not Counter(map(_signature, self.loaded.errors)) - known or self.fix_one() is None:
                break
        return not Counter(map(_signature, self.loaded.errors)) - known

    def _is_good(self, problem: Problem, after: Loaded) -> bool:
        """Whether the problem is gone without a new one; warnings may be new in a file that was unreadable before."""
        before, left = Counter(map(_signature, self.loaded.problems)), Counter(map(_signature, after.problems))
        new = left - before
        may_warn = self._is_unreadable(problem.file)
        is_worse = any(not (warning and may_warn) for _file, _sentence, warning in new)
        return left[_signature(problem)] < before[_signature(problem)] and not is_worse

    def _is_unreadable(self, file: str) -> bool:
        document = read(self._bytes(self._sources[file]), file)
        return document.data is None and bool(document.problems)  # an empty file can be read

    def _meaning(self, proposal: Proposal) -> str:
        return "\n".join(
            repr(read(self._bytes(self._sources[file].edited(proposal)), file).data)
            for file in sorted({edit.file for edit in proposal})
        )

    def _oddness(self, proposal: Proposal) -> int:
        """How many lines are indented by more than one step; to choose among ways with the same meaning."""
        lines = [
            line for file in {edit.file for edit in proposal} for line in self._sources[file].edited(proposal).lines
        ]
        indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
        return sum(inner - outer > STEP for outer, inner in pairwise(indents))

    def _is_declaration_in_doubt(self, problem: Problem, chosen: Proposal, documents: list[Document]) -> bool:
        """Whether the declared name could equally be the misspelled one, and no word settles it."""
        if kind_of(problem).code not in DECLARED_NAMES:
            return False
        others = [
            proposal
            for proposal in renamed_declarations(problem, chosen, self._sources, documents)
            if self._is_good(problem, self._try(proposal))
        ]
        return bool(others) and not only_right_name_is_in_use(problem, chosen, self._sources)

    def _documents(self) -> list[Document]:
        """Every readable file, in its current state."""
        profiles = (profile_file(path.stem) for path in self._folder.glob(f"{PROFILES}/*.yaml"))
        files = [file for file in (MODULES, BUTTONS, *profiles) if self._has_text(file)]
        return [read(self._bytes(self._sources[file]), file) for file in files]


def _ways(problem: Problem, sources: Mapping[str, SourceText], documents: list[Document]) -> Iterator[Alternatives]:
    """The ways of fixing a problem, the likeliest cause first; the ways in one list are equally likely."""
    source = sources[problem.file]
    yield from without_second(problem, source)
    yield from rewritten(problem, sources)
    if kind_of(problem).code < "P200":
        yield from repaired_lines(problem, source)
    else:
        if kind_of(problem).code != FORMER_NAMES:
            yield from respelled(problem, sources, documents)
        yield from misread_lines(problem, source)
    yield from reindented(problem, source)


def _signature(problem: Problem) -> Signature:
    """What identifies a problem during fixing even if lines have moved."""
    return problem.file, re.sub(r"\bline \d+|\(line \d+\)|column \d+", "line", problem.statement), problem.warning

"""The text differences between two versions of a declaration's files, for the page about the effect of a change."""

import difflib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

CONTEXT = 2  # unchanged lines shown before and after a change
LARGEST = 20_000  # lines of a file that is compared line by line; a longer one counts as entirely different
MOST_LINES = 400  # lines shown of one file
MOST_OF_A_CHANGE = 8  # lines shown of one change


@dataclass(frozen=True)
class ComparedLine:
    """A line of a file, with its number there: `kind` "out" for the old version, "in" for the new one, else ""."""

    kind: str
    number: int
    text: str


@dataclass(frozen=True)
class ChangedBlock:
    """Changed lines, with those around them."""

    lines: tuple[ComparedLine, ...]

    def change_of(self, number: int) -> tuple[ComparedLine, ...]:
        """The lines removed and added where line `number` of the new version is; () if that line is unchanged."""
        for changes, run in itertools.groupby(self.lines, key=lambda line: bool(line.kind)):
            lines = tuple(run)
            if not changes or not any(line.kind == "in" and line.number == number for line in lines):
                continue
            out, come = ([line for line in lines if line.kind == kind] for kind in ("out", "in"))
            if len(out) == len(come):  # line by line
                return next(pair for pair in zip(out, come, strict=True) if pair[1].number == number)
            return lines[:MOST_OF_A_CHANGE]
        return ()


@dataclass(frozen=True)
class ChangedFile:
    """A changed file; `more`: how many of its lines are left out."""

    name: str
    blocks: tuple[ChangedBlock, ...]
    more: int = 0

    def change_of(self, number: int) -> tuple[ComparedLine, ...]:
        """`ChangedBlock.change_of` of the block with the line `number`."""
        return next(filter(None, (block.change_of(number) for block in self.blocks)), ())


def changed_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[ChangedFile]:
    """The changed files, including those that one version lacks."""
    names = sorted({*before, *after})
    return [
        _compared(name, *(files.get(name, b"").decode("utf-8", "replace").splitlines() for files in (before, after)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _compared(name: str, before: list[str], after: list[str]) -> ChangedFile:
    blocks, left, more = [], MOST_LINES, 0
    for group in _groups(before, after):
        lines = [line for code in group for line in _compared_lines(code, before, after)]
        more += len(lines[left:])
        if lines[:left]:
            blocks.append(ChangedBlock(tuple(lines[:left])))
        left -= len(lines[:left])
    return ChangedFile(name, tuple(blocks), more)


Code = tuple[str, int, int, int, int]  # as in difflib's get_opcodes


def _groups(before: list[str], after: list[str]) -> list[list[Code]]:
    if max(len(before), len(after)) > LARGEST:
        return [[("replace", 0, len(before), 0, len(after))]]
    matcher = difflib.SequenceMatcher(None, before, after)
    return [list(group) for group in matcher.get_grouped_opcodes(CONTEXT)]


def _compared_lines(code: Code, before: list[str], after: list[str]) -> list[ComparedLine]:
    kind, old_start, old_end, new_start, new_end = code
    if kind == "equal":
        return [ComparedLine("", number + 1, after[number]) for number in range(new_start, new_end)]
    out = [ComparedLine("out", number + 1, before[number]) for number in range(old_start, old_end)]
    return [*out, *(ComparedLine("in", number + 1, after[number]) for number in range(new_start, new_end))]

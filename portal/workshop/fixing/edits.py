"""Edits of a file's text: every other character stays as it is, including comments and line ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from portal.declaration.source.excerpts import marked
from portal.declaration.source.text_lines import LINE_BREAK


@dataclass(frozen=True)
class Edit:
    """Replaces what is in `file` from `start` to `end`, in characters, with `text`."""

    file: str
    start: int
    end: int
    text: str


# One way of fixing a problem, and all ways that are equally likely.
Proposal = tuple[Edit, ...]
Alternatives = list[Proposal]


@dataclass(frozen=True)
class SourceText:
    """A file to be fixed: its text without a byte order mark."""

    file: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        """The start of each line."""
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """The lines without line ends."""
        return LINE_BREAK.split(self.text)

    def offset(self, line: int, column: int) -> int:
        """The character offset of a place, which counts from 1."""
        return self.starts[line - 1] + column - 1

    def marked(self, line: int, column: int) -> str:
        """The value or name at a place."""
        text = self.lines[line - 1]
        return text[column - 1 : column - 1 + marked(text, column - 1)]

    def before(self, line: int, column: int) -> str:
        """The text of a line before a place."""
        return self.lines[line - 1][: column - 1]

    def replaced(self, line: int, column: int, length: int, text: str) -> Proposal:
        """The edit that replaces some characters of a line."""
        start = self.offset(line, column)
        return (Edit(self.file, start, start + length, text),)

    def removed_lines(self, first: int, last: int) -> Proposal:
        """The edit that removes whole lines, counted from 1, both included."""
        end = self.starts[last] if last < len(self.starts) else len(self.text)
        return (Edit(self.file, self.starts[first - 1], end, ""),)

    def edited(self, edits: Iterable[Edit]) -> "SourceText":
        """The file after the edits that belong to it."""
        text = self.text
        for edit in sorted((edit for edit in edits if edit.file == self.file), key=lambda edit: -edit.start):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return SourceText(self.file, text)

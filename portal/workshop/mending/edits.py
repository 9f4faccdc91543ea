"""Edits of a file's text: every character that an edit does not touch stays as it is, comments and line ends too."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from portal.declaration.source.excerpts import marked
from portal.declaration.source.text_lines import LINE_BREAK


@dataclass(frozen=True)
class Edit:
    """`text` comes into the place of what stands in `file` from `start` to `end`, in characters."""

    file: str
    start: int
    end: int
    text: str


# One way of mending a problem, and all ways that are equally good.
Proposal = tuple[Edit, ...]
Alternatives = list[Proposal]


@dataclass(frozen=True)
class SourceText:
    """A file that is mended: its text without a byte order mark."""

    file: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return LINE_BREAK.split(self.text)

    def offset(self, line: int, column: int) -> int:
        """The character at a place that counts from 1."""
        return self.starts[line - 1] + column - 1

    def marked(self, line: int, column: int) -> str:
        """The value or name that begins at a place."""
        text = self.lines[line - 1]
        return text[column - 1 : column - 1 + marked(text, column - 1)]

    def before(self, line: int, column: int) -> str:
        """What stands in a line before a place."""
        return self.lines[line - 1][: column - 1]

    def replaced(self, line: int, column: int, length: int, text: str) -> Proposal:
        """The edit of some characters of a line."""
        start = self.offset(line, column)
        return (Edit(self.file, start, start + length, text),)

    def removed_lines(self, first: int, last: int) -> Proposal:
        """The edit that removes whole lines, from 1, both included."""
        end = self.starts[last] if last < len(self.starts) else len(self.text)
        return (Edit(self.file, self.starts[first - 1], end, ""),)

    def edited(self, edits: Iterable[Edit]) -> "SourceText":
        """The file with the edits that are of it."""
        text = self.text
        for edit in sorted((edit for edit in edits if edit.file == self.file), key=lambda edit: -edit.start):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return SourceText(self.file, text)

"""A problem of a declaration: one sentence and its place.

The reader and the checks make problems; `portal check` and the administrators' pages show them.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from portal.texts import abbreviated, plural, printable

# The keys and list indexes that lead to a part of a file.
KeyPath = tuple[str | int, ...]

LONGEST_PART = 80
_LONGEST_MESSAGE = 2000
_MOST_LISTED = 12
_GUESS = re.compile(r' \(did you mean "(.+?)"\?\)')
# The note at the other places of a name that is unknown in several places.
ALSO = "also here"


def quoted_name(name: str) -> str:
    """A name from a file for a message: in quotes, shortened to 80 characters."""
    return f'"{abbreviated(name, LONGEST_PART)}"'


# "access": a module that a profile lacks; "part": comments, a lifecycle … of a module; "role": people or organizations;
# "list": a single name written instead of a list; "misread": a value that YAML reads differently than intended;
# "incomplete": something that lacks a part, which may be there and wrong.
CauseKind = Literal[
    "access", "action", "below fields", "button", "document", "field", "incomplete", "key", "list", "misread", "module",
    "name", "no modules", "other", "part", "repeated", "role", "see", "state", "tab",
]  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """What is unknown, missing or wrong: for example, the field `name` of `module`."""

    kind: CauseKind
    name: str = ""
    module: str = ""


_OTHER = Cause("other")


class ProblemText(str):
    """The message of a problem that may cause others, or be caused by them: it carries its cause."""

    __slots__ = ("cause",)
    cause: Cause

    def __new__(cls, text: str, kind: CauseKind = "other", name: str = "", module: str = "") -> "ProblemText":
        sentence = super().__new__(cls, text)
        sentence.cause = Cause(kind, name, module)
        return sentence

    def within(self, text: str) -> "ProblemText":
        """`text` with this sentence in place of {}."""
        longer = ProblemText(text.replace("{}", self))
        longer.cause = self.cause
        return longer


@dataclass(frozen=True)
class RelatedPlace:
    """Another place that explains a problem; `note` says how, such as “first defined here”."""

    file: str
    line: int
    column: int
    note: str
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)  # as in Problem

    def __str__(self) -> str:
        return f"{printable(self.file, 500)}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """An error, or a warning: `file` is relative to the portal's folder, `line` and `column` count from 1.

    `lines` are the lines before it and, last, the line itself, as they were read; empty if there are none to show.
    """

    file: str
    line: int
    column: int
    path: KeyPath
    message: str
    warning: bool = False
    related: tuple[RelatedPlace, ...] = ()
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        warning = "warning: " if self.warning else ""
        return f"{warning}{self.place}: {self.subject}: {printable(self.message, _LONGEST_MESSAGE)}{self._also_in}"

    @property
    def cause(self) -> Cause:
        """The cause, which identifies a problem that others follow from, instead of its words."""
        return self.message.cause if isinstance(self.message, ProblemText) else _OTHER

    @property
    def guess(self) -> str | None:
        """The name that was probably meant, if the message has one."""
        match = _GUESS.search(self.message)
        return match[1] if match else None

    @property
    def statement(self) -> str:
        """The message without the guess."""
        return printable(_GUESS.sub("", self.message), _LONGEST_MESSAGE)

    @property
    def _also_in(self) -> str:
        """“; also in modules.yaml:35:53, profiles/power.yaml:12:35”, for a name that is unknown in several places."""
        others = [str(place) for place in self.related if place.note == ALSO]
        more = f" and {plural(len(others) - _MOST_LISTED, 'more place')}" if len(others) > _MOST_LISTED else ""
        return f"; also in {', '.join(others[:_MOST_LISTED])}{more}" if others else ""

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{printable(self.file, 500)}:{self.line}:{self.column}"

    @property
    def subject(self) -> str:
        """The path for people: without the file's outermost key, and without a list index, which the place shows.

        For a problem with a whole file, it is the name of the file.
        """
        parts = list(self.path)
        while parts and isinstance(parts[-1], int):
            parts.pop()
        if not parts:
            return printable(PurePosixPath(self.file).stem, LONGEST_PART)
        return ".".join(printable(str(part), LONGEST_PART) or '""' for part in parts[1:] or parts)

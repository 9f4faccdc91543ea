"""A problem of a declaration: one sentence and its place; and the guess at what was meant.

The reader and the checks make problems; `portal check` and the administrators' pages show them.
"""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

# The keys and list indexes that lead to a part of a file.
KeyPath = tuple[str | int, ...]

# What would break the one line of a problem, or move the cursor of the terminal that shows it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_PART = 80
_LONGEST_MESSAGE = 2000
_MOST_CANDIDATES = 2000
_LEAST_SIMILARITY = 0.65  # as difflib measures it; "action" and "tone" have 0.6
_MOST_LISTED = 12
_GUESS = re.compile(r' \(did you mean "(.+?)"\?\)')
# The note at the other places of a name that is unknown in several.
ALSO = "also here"


@dataclass(frozen=True)
class RelatedPlace:
    """Another place that explains a problem; `note` says how, as in “first defined here”."""

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

    `lines` are the line itself, last, and those before it, as they were read; empty where there are none to show.
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
    def guess(self) -> str | None:
        """The name that was probably meant, if the message says one."""
        match = _GUESS.search(self.message)
        return match[1] if match else None

    @property
    def statement(self) -> str:
        """The message without the guess at what was meant."""
        return printable(_GUESS.sub("", self.message), _LONGEST_MESSAGE)

    @property
    def _also_in(self) -> str:
        """“; also in modules.yaml:35:53, profiles/power.yaml:12:35”, for a name that is unknown in several places."""
        others = [str(place) for place in self.related if place.note == ALSO]
        more = f" and {len(others) - _MOST_LISTED} more places" if len(others) > _MOST_LISTED else ""
        return f"; also in {', '.join(others[:_MOST_LISTED])}{more}" if others else ""

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{printable(self.file, 500)}:{self.line}:{self.column}"

    @property
    def subject(self) -> str:
        """The path for people: without the file's outermost key, and without a list's index, which the place shows.

        A problem with a whole file bears the file's own name.
        """
        parts = list(self.path)
        while parts and isinstance(parts[-1], int):
            parts.pop()
        if not parts:
            return printable(PurePosixPath(self.file).stem, _LONGEST_PART)
        return ".".join(printable(str(part), _LONGEST_PART) or '""' for part in parts[1:] or parts)


def quoted(name: str) -> str:
    """A name out of a file for a message: in quotes, shortened to 80 characters."""
    return f'"{_shortened(name, _LONGEST_PART)}"'


def suggest(wrong: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` with the most similar name of `known`, or an empty text."""
    nearest = closest(wrong, known)
    return f" (did you mean {quoted(nearest)}?)" if nearest is not None else ""


def list_in_text(text: str, known: Collection[str]) -> str | None:
    """The sentence for names of `known` that stand in one text where a list is expected, or None."""
    names = [name.strip("-[]") for name in re.split(r"[\s,;]+", text) if name.strip("-[]")]
    return f"must be a list: [{', '.join(names)}]" if len(names) > 1 and set(names) <= set(known) else None


def closest(wrong: str, known: Iterable[str]) -> str | None:
    """The name of `known` that is most similar to `wrong`, None where none is similar."""
    folded = wrong[:_LONGEST_PART].casefold()
    largest_difference = max(2, len(folded) // 2)
    candidates: dict[str, str] = {}
    for name in known:
        if abs(len(name) - len(folded)) <= largest_difference:
            candidates.setdefault(name.casefold(), name)
        if len(candidates) >= _MOST_CANDIDATES:
            break
    if folded in candidates:
        return candidates[folded]
    matches = difflib.get_close_matches(folded, candidates, n=1, cutoff=_LEAST_SIMILARITY)
    return candidates[matches[0]] if matches else None


def printable(text: str, longest: int) -> str:
    """`text` in one line of at most `longest` characters, without any that would move the cursor of a terminal."""
    return _UNPRINTABLE.sub(_escaped, _shortened(text, longest))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape", "surrogatepass").decode("ascii")

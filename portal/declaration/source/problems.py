"""A mistake in a declaration, told with its place, and the guess at what was meant.

The reader and the checks make problems; `portal check` and the administrators' pages show them.
Nothing is read and nothing is decided here.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

Path = tuple[str | int, ...]

# What would break the one line of a problem, or move the cursor of the terminal that shows it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_PART = 80
_LONGEST_MESSAGE = 2000
_MOST_GUESSES = 2000


@dataclass(frozen=True)
class Problem:
    """One mistake: `file` is relative to the portal's folder, `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    path: Path
    message: str
    warning: bool = False

    def __str__(self) -> str:
        warning = "warning: " if self.warning else ""
        message = _printable(self.message, _LONGEST_MESSAGE)
        return f"{warning}{_printable(self.file, 500)}:{self.line}:{self.column}: {self._shown_path()}: {message}"

    def _shown_path(self) -> str:
        """The path as people read it: without the file's outermost key and without the number of a list's item.

        The place tells which item is meant. What concerns a whole file bears the file's own name.
        """
        parts = list(self.path)
        while parts and isinstance(parts[-1], int):
            parts.pop()
        if not parts:
            return _printable(PurePosixPath(self.file).stem, _LONGEST_PART)
        return ".".join(_printable(str(part), _LONGEST_PART) or '""' for part in parts[1:] or parts)


def quoted(name: str) -> str:
    """A name out of a file as messages show it: in quotes, and not longer than one can read."""
    return f'"{_shortened(name, _LONGEST_PART)}"'


def suggest(wrong: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` with the name of `known` that is most like `wrong`, or nothing."""
    typed = wrong[:_LONGEST_PART].casefold()
    most = max(2, len(typed) // 2)
    near: dict[str, str] = {}
    for name in known:
        if abs(len(name) - len(typed)) <= most:
            near.setdefault(name.casefold(), name)
        if len(near) >= _MOST_GUESSES:
            break
    guess = [typed] if typed in near else difflib.get_close_matches(typed, near, n=1, cutoff=0.6)
    return f" (did you mean {quoted(near[guess[0]])}?)" if guess else ""


def _printable(text: str, longest: int) -> str:
    return _UNPRINTABLE.sub(_escaped, _shortened(text, longest))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape", "surrogatepass").decode("ascii")

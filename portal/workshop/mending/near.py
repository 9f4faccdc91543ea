"""Names that are near to a misspelt one, in groups: those of a group are equally near."""

import re
from collections.abc import Iterable, Iterator

FARTHEST = 3


def near(wrong: str, known: Iterable[str]) -> Iterator[list[str]]:
    """Groups of names, the nearest first: the same but for case, hyphens and plural, then by the number of slips."""
    names = {name for name in known if name and name != wrong}
    folded, single = _folded(wrong), _singular(_folded(wrong))
    same = sorted(name for name in names if _folded(name) == folded)
    plural = sorted(name for name in names - {*same} if _singular(_folded(name)) == single)
    yield from (group for group in (same, plural) if group)
    left = names - {*same, *plural}
    limit = _limit(wrong)
    by_slips: dict[int, list[str]] = {}
    for name in sorted(left):
        if abs(len(name) - len(wrong)) <= limit and (number := slips(folded, _folded(name))) <= limit:
            by_slips.setdefault(number, []).append(name)
    yield from (by_slips[number] for number in sorted(by_slips))


def slips(one: str, other: str) -> int:
    """How many letters were left out, added, changed, or swapped with the next one, from one text to the other.

    The optimal string alignment distance (Boytsov 2011).
    """
    before_last, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, other_letter in enumerate(other, 1):
            best = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other_letter))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter:
                best = min(best, before_last[column - 2] + 1)
            line.append(best)
        before_last, last = last, line
    return last[-1]


def _limit(name: str) -> int:
    """The slips that are believed in a name of this length."""
    return 0 if len(name) < 2 else 1 if len(name) < 6 else 2 if len(name) < 10 else FARTHEST


def _folded(name: str) -> str:
    return re.sub(r"[-_\s]", "", name.casefold())


def _singular(folded: str) -> str:
    return re.sub(r"ies$", "y", folded).removesuffix("s")

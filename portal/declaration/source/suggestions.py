"""“Did you mean …?”: the name most similar to an unknown one, and its wording in a problem."""

import difflib
import re
from collections.abc import Collection, Iterable

from portal.declaration.source.problems import LONGEST_PART, quoted_name

_MOST_CANDIDATES = 2000
_LEAST_SIMILARITY = 0.65  # measured by difflib; "action" and "tone" have 0.6


def suggest(wrong: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` with the most similar name in `known`, or an empty text."""
    return did_you_mean(closest(wrong, known))


def did_you_mean(name: str | None) -> str:
    """` (did you mean "x"?)`, empty for None."""
    return f" (did you mean {quoted_name(name)}?)" if name is not None else ""


def list_in_text(text: str, known: Collection[str]) -> str | None:
    """The sentence for several names of `known` in one text where a list is expected, or None."""
    names = [name.strip("-[]") for name in re.split(r"[\s,;]+", text) if name.strip("-[]")]
    return f"must be a list: [{', '.join(names)}]" if len(names) > 1 and set(names) <= set(known) else None


def closest(wrong: str, known: Iterable[str]) -> str | None:
    """The name in `known` most similar to `wrong`; None if none is similar."""
    folded = wrong[:LONGEST_PART].casefold()
    largest_difference = max(2, len(folded) // 2)
    candidates: dict[str, str] = {}
    for name in known:
        if abs(len(name) - len(folded)) <= largest_difference:
            candidates.setdefault(name.casefold(), name)
        if len(candidates) >= _MOST_CANDIDATES:
            break
    if folded in candidates:
        return candidates[folded]
    letters = sorted(folded)
    if (turned := next((name for name in candidates if sorted(name) == letters), None)) is not None:
        return candidates[turned]  # the same letters in another order: "lable" is "label" rather than "table"
    matches = difflib.get_close_matches(folded, candidates, n=1, cutoff=_LEAST_SIMILARITY)
    return candidates[matches[0]] if matches else None

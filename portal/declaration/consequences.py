"""One cause, one problem: what follows from a problem that is told is left out, or told in the same line.

Called by load with all problems in order. A renamed field or transition is named in many places by its old name: the
first of them is a problem, which lists the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from portal.declaration.draft import Draft
from portal.declaration.source.problems import Problem

UNKNOWN_FIELD = re.compile(r'no field "([^"]+)"(?:.* in (\w+)$)?')
UNKNOWN_ACTION = re.compile(r'"([^"]+)" is neither an action nor a transition of (\w+)')
FEW = 2  # places that may be mistakes of their own
MOST_LISTED = 12

Unknown = tuple[str, str, str]  # kind, module, name


def without_consequences(draft: Draft, problems: Sequence[Problem]) -> list[Problem]:
    """`problems` with one for each cause."""
    unknown = {problem: name for problem in problems if not problem.warning and (name := _unknown(problem))}
    explained = _names_of_misnamed_fields(draft, Counter(unknown.values()))
    places: dict[Unknown, list[Problem]] = defaultdict(list)
    for problem, name in unknown.items():
        places[name].append(problem)
    kept: list[Problem] = []
    for problem in problems:
        name = unknown.get(problem)
        if name is None or name not in explained and len(places[name]) <= FEW:
            kept.append(problem)
        elif name not in explained and problem is places[name][0]:
            kept.append(_with_other_places(problem, places[name][1:]))
    return kept


def _unknown(problem: Problem) -> Unknown | None:
    """The name that a problem says does not exist, and the module in which it should."""
    if match := UNKNOWN_ACTION.match(problem.message):
        return "action", match[2], match[1]
    if match := UNKNOWN_FIELD.match(problem.message):
        here = str(problem.path[1]) if problem.path[:1] == ("modules",) and len(problem.path) > 1 else ""
        module = match[2] or here
        return ("field", module, match[1]) if module else None
    return None


def _names_of_misnamed_fields(draft: Draft, unknown: Counter[Unknown]) -> set[Unknown]:
    """The most frequent unknown names, one for each field that has a name which cannot be used: its old name."""
    explained: set[Unknown] = set()
    left = Counter(draft.misnamed_fields)
    for name, _count in unknown.most_common():
        kind, module, _name = name
        if kind == "field" and left[module] > 0:
            left[module] -= 1
            explained.add(name)
    return explained


def _with_other_places(problem: Problem, others: Sequence[Problem]) -> Problem:
    """“…; also in modules.yaml:35:53, profiles/power.yaml:12:35”."""
    listed = ", ".join(other.place for other in others[:MOST_LISTED])
    more = f" and {len(others) - MOST_LISTED} more places" if len(others) > MOST_LISTED else ""
    return replace(problem, message=f"{problem.message}; also in {listed}{more}")

"""One cause, one problem: what follows from another problem is left out, or becomes a related place of it.

Called by load with all problems in order. A renamed field, transition, state or module is named in many places by its
old name: the first of them is a problem, which lists the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from portal.declaration.draft import Draft
from portal.declaration.source.problems import ALSO, Problem, RelatedPlace

UNKNOWN_FIELD = re.compile(r'no field "([^"]+)"(?:.* in (\w+)$)?')
UNKNOWN_MODULE = re.compile(r'no module "([^"]+)"')
UNKNOWN_STATE = re.compile(r'no state "([^"]+)"')
UNKNOWN_ACTION = re.compile(r'"([^"]+)" is neither an action nor a transition of (\w+)')

Unknown = tuple[str, str, str]  # kind, module, name


def without_consequences(draft: Draft, problems: Sequence[Problem]) -> list[Problem]:
    """`problems` with one for each cause."""
    unknown = {problem: name for problem in problems if not problem.warning and (name := _unknown(draft, problem))}
    explained = _names_of_misnamed_fields(draft, Counter(unknown.values()))
    places: dict[Unknown, list[Problem]] = defaultdict(list)
    for problem, name in unknown.items():
        places[name].append(problem)
    kept: list[Problem] = []
    for problem in problems:
        name = unknown.get(problem)
        if name is None:
            kept.append(problem)
        elif name not in explained and problem is places[name][0]:
            others = (RelatedPlace(other.file, other.line, other.column, ALSO) for other in places[name][1:])
            kept.append(replace(problem, related=(*problem.related, *others)))
    return kept


def _unknown(draft: Draft, problem: Problem) -> Unknown | None:
    """The name that a problem says does not exist, and the module in which it should."""
    if match := UNKNOWN_ACTION.match(problem.message):
        return "action", match[2], match[1]
    if match := UNKNOWN_MODULE.match(problem.message):
        return "module", "", match[1]
    here = _module_of(draft, problem)
    if match := UNKNOWN_STATE.match(problem.message):
        return "state", here, match[1]
    if match := UNKNOWN_FIELD.match(problem.message):
        module = match[2] or here
        return ("field", module, match[1]) if module else None
    return None


def _module_of(draft: Draft, problem: Problem) -> str:
    """The module whose records the place of a problem is about, empty where there is none."""
    where, name = (str(part) for part in (*problem.path, "", "")[:2])
    if where == "buttons" and (button := draft.buttons.get(name)) is not None:
        return (button.opens or "").partition("/")[0]
    return name if where == "modules" else ""


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

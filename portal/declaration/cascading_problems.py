"""One cause, one problem: a problem that follows from another is left out, or becomes a related place of it.

Called by load with all problems in order. If a field, transition, state or module was renamed, many places still use
the old name: the first of them is a problem that lists the others. Problems with values that could not be read, or with
the absence of something that is only written incorrectly, are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.source.problems import ALSO, Cause, CauseKind, KeyPath, Problem, RelatedPlace

MERGE_PATH = ("<<",)
TABS = ("list", "tabs")
LIFECYCLE = ("lifecycle",)
TRANSITIONS = ("lifecycle", "transitions")
OPTIONS = ("options",)
STATE_FIELD = ("lifecycle", "field")
DEPTH = 3  # of the path of a key of a module
# A name that is unknown in several places is one problem; for the modules of profiles, one per file.
NAMES: frozenset[CauseKind] = frozenset({"access", "action", "button", "field", "module", "role", "see", "state"})
WHOLE_PARTS = ("comments", "lifecycle")

Unknown = tuple[Cause, str]  # the name, and the only file in which it is unknown, or ""


def without_consequences(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """The problems, one for each cause."""
    # A problem with a value that aliases repeat is reported once.
    problems = list({(at.file, at.line, at.column, at.message): at for at in reversed(problems)}.values())[::-1]
    problems = _without_nameless_modules(_without_nested_modules(draft, problems))
    problems = _without_misread(_with_whole_lists(draft, problems))
    following = _following(draft, problems)
    problems = [problem for problem in problems if problem not in following]
    unknown = {problem: name for problem in problems if not problem.warning and (name := _unknown(problem))}
    explained = _names_of_misnamed_fields(draft, Counter(unknown.values()))
    places: dict[Unknown, list[Problem]] = defaultdict(list)
    for problem, name in unknown.items():
        places[name].append(problem)
    remaining: list[Problem] = []
    for problem in problems:
        name = unknown.get(problem)
        if name is None:
            remaining.append(problem)
        elif name not in explained and problem is places[name][0]:
            others = (RelatedPlace(other.file, other.line, other.column, ALSO) for other in places[name][1:])
            remaining.append(replace(problem, related=(*problem.related, *others)))
    return remaining


def _following(draft: DeclarationDraft, problems: Sequence[Problem]) -> set[Problem]:
    """The problems that others cause: values without a meaning, and what is missing because it is misspelled."""
    causes = _Causes(draft, problems)
    return {problem for problem in problems if causes.explain(problem)}


class _Causes:
    """What the problems of a declaration say about it, which may explain other problems."""

    def __init__(self, draft: DeclarationDraft, problems: Sequence[Problem]) -> None:
        self._errors = errors = [problem for problem in problems if not problem.warning]
        self._by_reader = {problem: None for document in draft.documents.values() for problem in document.problems}
        unread = [problem for problem in self._by_reader if not problem.warning and not problem.related]
        self._first_unread = {(problem.file, problem.line, problem.column): problem for problem in reversed(unread)}
        self._unread_paths = {(problem.file, problem.path) for problem in unread}
        self._unread_paths |= {(problem.file, problem.path[:-1]) for problem in unread if _is_of_a_merge(problem)}
        names = [problem for problem in errors if _is_about(problem, "name", "module")]
        self._named = {(problem.file, problem.path): problem for problem in reversed(names)}
        self._misspelled = _misspelled(errors)
        self._lacking = {part for problem in errors if _is_about(problem, "part", "tab") for part in _lacks(problem)}
        self._is_cut = any(problem.file == MODULES and _is_about(problem, "document") for problem in errors)
        self._lacks_role = any(_is_about(problem, "role") for problem in errors)
        options = [problem.path for problem in errors if problem.path[4:5] == OPTIONS and problem.path[5:]]
        self._wrong_options = {(path[1], str(path[5])) for path in options}
        repeated = [problem.path for problem in errors if _is_about(problem, "repeated")]
        self._repeated = {path for path in repeated if len(path) == DEPTH - 1}

    def explain(self, problem: Problem) -> bool:
        """Whether another problem causes this one."""
        return (
            self._is_unread(problem)
            or self._named.get((problem.file, problem.path), problem) != problem
            or self._lacks_what_is_wrong(problem)
            or (self._is_cut and _is_about(problem, "module", "no modules"))
            or (self._lacks_role and _is_of_a_scope(problem))
            or self._is_of_a_wrong_option(problem)
            or self._is_incomplete_around_an_error(problem)
            or self._is_of_a_repeated_module(problem)
        )

    def _is_unread(self, problem: Problem) -> bool:
        """Whether the reader of the file has already reported this place, or this value."""
        place = problem.file, problem.line, problem.column
        is_same_value = problem not in self._by_reader and (problem.file, problem.path) in self._unread_paths
        return is_same_value or self._first_unread.get(place, problem) != problem

    def _lacks_what_is_wrong(self, problem: Problem) -> bool:
        """Whether what it says is missing is there, misspelled; or, for a warning, was already reported as missing."""
        known = self._misspelled | self._lacking if problem.warning else self._misspelled
        return not known.isdisjoint(_lacks(problem))

    def _is_of_a_wrong_option(self, problem: Problem) -> bool:
        option = problem.cause.module.partition(".")[0], problem.cause.name
        return _is_about(problem, "state") and option in self._wrong_options

    def _is_incomplete_around_an_error(self, problem: Problem) -> bool:
        return _is_about(problem, "incomplete") and any(_is_below(error, problem) for error in self._errors)

    def _is_of_a_repeated_module(self, problem: Problem) -> bool:
        """Whether it lacks a part of a module that is declared twice: only the first one is known."""
        return problem.path[: DEPTH - 1] in self._repeated and len(problem.path) >= DEPTH and _is_of_a_lack(problem)


def _is_below(problem: Problem, other: Problem) -> bool:
    depth = len(other.path)
    return problem.file == other.file and len(problem.path) > depth and problem.path[:depth] == other.path


def _is_of_a_lack(problem: Problem) -> bool:
    """Whether a problem says that something does not exist: of a module declared twice, only the first is known."""
    return _is_about(problem, "field", "state", "action", "see", "part", "tab")


def _is_of_a_scope(problem: Problem) -> bool:
    """Whether a scope is missing, or needs an owner or an organization that the module lacks."""
    return _is_about(problem, "see") or (_is_about(problem, "part") and problem.path[2:] == ("see",))


def _is_of_a_merge(problem: Problem) -> bool:
    return problem.path[-1:] == MERGE_PATH


def _is_about(problem: Problem, *kinds: CauseKind) -> bool:
    return problem.cause.kind in kinds


def _misspelled(errors: Sequence[Problem]) -> set[KeyPath]:
    """What exists but cannot be used: parts of modules, names of modules, modules of profiles."""
    parts = {
        problem.path[1:3]
        for problem in errors
        if problem.file == MODULES and _is_of_a_part(problem) and not _lacks(problem)
    }
    parts |= {
        (problem.path[1], "tab", problem.path[4])
        for problem in errors
        if problem.path[2:4] == TABS and problem.path[4:]
    }
    parts |= {(problem.path[1], problem.path[-1]) for problem in errors if _is_about(problem, "below fields")}
    names = {problem.path[-1:] for problem in errors if _is_about(problem, "name")}
    modules = {
        (problem.file, problem.guess)
        for problem in errors
        if problem.guess is not None and _is_about(problem, "module")
    }
    nested = {(problem.file, str(problem.path[-1])) for problem in errors if _is_key_of_access(problem)}
    return {*parts, *names, *modules, *nested}


def _is_key_of_access(problem: Problem) -> bool:
    """Whether a profile has an unknown key in one of its modules, which may be another module, indented too far."""
    return problem.file != MODULES and len(problem.path) == DEPTH and _is_about(problem, "key")


def _is_of_a_part(problem: Problem) -> bool:
    """Whether a part of a module is written so that its meaning is unknown."""
    part = problem.path[2:]
    unknown = part == STATE_FIELD or (
        part[:1] == LIFECYCLE and len(part) == len(TRANSITIONS) and _is_about(problem, "key")
    )
    return len(problem.path) == DEPTH or part in (TABS, TRANSITIONS) or unknown


def _lacks(problem: Problem) -> set[KeyPath]:
    """What a problem reports as missing, as `_misspelled` names it."""
    match problem.cause:
        case Cause("part", part, module):
            return {(module, part)}
        case Cause("tab", tab, module):
            return {(module, "list"), (module, "tab", tab)}
        case Cause("access", module):
            return {(problem.file, module)}
        case Cause("action", _, module):
            return {(module, *LIFECYCLE)}
        case Cause("module") if problem.guess is not None:
            return {(problem.guess,)}
    return set()


def _unknown(problem: Problem) -> Unknown | None:
    """The name that a problem says does not exist, to find the cause of others."""
    cause = problem.cause
    if not (cause.kind in NAMES or (cause.kind == "part" and cause.name in WHOLE_PARTS)):
        return None
    return cause, problem.file if cause.kind == "access" else ""


def _names_of_misnamed_fields(draft: DeclarationDraft, unknown: Counter[Unknown]) -> set[Unknown]:
    """The most frequent unknown names, one for each field with an unusable name: presumably its old name."""
    explained: set[Unknown] = set()
    unexplained = Counter(draft.misnamed_fields)
    for name, _count in unknown.most_common():
        cause, _file = name
        if cause.kind == "field" and unexplained[cause.module] > 0:
            unexplained[cause.module] -= 1
            explained.add(name)
    return explained


def _without_nameless_modules(problems: Sequence[Problem]) -> list[Problem]:
    """Handles a module whose first line, its name, is missing: its keys repeat those of the module above it.

    It is unknown which of the modules named elsewhere it is.
    """
    unknown = any(_is_about(problem, "module") for problem in problems)
    repeated: dict[KeyPath, list[Problem]] = defaultdict(list)
    for problem in problems:
        if unknown and problem.file == MODULES and len(problem.path) == DEPTH and _is_about(problem, "repeated"):
            repeated[problem.path[:2]].append(problem)
    first = {path: keys[0] for path, keys in repeated.items() if "fields" in [key.path[2] for key in keys]}
    remaining: list[Problem] = []
    for problem in problems:
        cause = first.get(problem.path[:2]) if problem.file == MODULES else None
        if cause is problem:
            sentence = f'the keys of "{problem.path[1]}" appear twice: is the name of another module missing above?'
            remaining.append(replace(problem, message=sentence))
        elif cause is not None and problem.line >= cause.line:
            continue
        elif not (first and _is_about(problem, "module")):
            remaining.append(problem)
    return remaining


def _without_nested_modules(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """Handles a module indented too far: it looks like a key of the module above, whose keys it repeats if only its
    first line is indented."""
    nested: dict[KeyPath, Problem] = {}
    for problem in problems:
        above = problem.path[:-1]
        is_in_module = problem.path[:1] == ("modules",) and len(above) == DEPTH - 1
        if is_in_module and _is_about(problem, "key") and _is_module(draft, problem):
            nested.setdefault(above, problem)
        elif is_in_module and _is_about(problem, "key") and _is_empty(draft, problem):
            repeats = any(
                other.path[:-1] == above and _is_about(other, "repeated") and other.line > problem.line
                for other in problems
            )
            if repeats:
                nested.setdefault(above, problem)
    names = {str(problem.path[-1]) for problem in nested.values()}
    remaining: list[Problem] = []
    for problem in problems:
        first = nested.get(problem.path[:2])
        if first is problem:
            module, name = str(problem.path[1]), problem.path[2]
            sentence = (
                f'a module belongs under modules: write "{name}" in the column of "{module}", and its lines below'
            )
            remaining.append(replace(problem, message=sentence))
        elif first is not None and problem.line >= first.line:
            continue
        elif not (_is_about(problem, "module") and problem.cause.name in names):
            remaining.append(problem)
    return remaining


def _with_whole_lists(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """One problem for a list without brackets: in `{can: create, comment}`, the items after the first are reported as
    keys without a value, on the same line."""
    remaining: list[Problem] = []
    for problem in problems:
        before = remaining[-1] if remaining else None
        if (
            before is not None
            and _is_about(before, "list")
            and (before.line, before.path[:-1]) == (problem.line, problem.path[:-1])
            and _is_empty(draft, problem)
        ):
            remaining[-1] = replace(before, message=f"must be a list: [{before.cause.name}, {problem.path[-1]}]")
        else:
            remaining.append(problem)
    return remaining


def _without_misread(problems: Sequence[Problem]) -> list[Problem]:
    """The problems; of those about a misread value only that one, as an error if something is wrong with it."""
    misread = {(problem.file, problem.path): problem for problem in problems if _is_about(problem, "misread")}
    errors = [problem for problem in problems if not problem.warning]
    wrong = {(problem.file, problem.path) for problem in errors}
    remaining: list[Problem] = []
    for problem in problems:
        cause = misread.get((problem.file, problem.path))
        if cause is problem:
            remaining.append(replace(problem, warning=(problem.file, problem.path) not in wrong))
        elif cause is None:
            remaining.append(problem)
    return remaining


def _is_module(draft: DeclarationDraft, problem: Problem) -> bool:
    """Whether what is at the place of a problem has fields."""
    value = draft.documents[problem.file].value(problem.path)
    return isinstance(value, Mapping) and "fields" in value


def _is_empty(draft: DeclarationDraft, problem: Problem) -> bool:
    """Whether there is no value at the place of a problem."""
    return draft.documents[problem.file].value(problem.path) is None

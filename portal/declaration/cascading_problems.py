"""One cause, one problem: what follows from another problem is left out, or becomes a related place of it.

Called by load with all problems in order. A renamed field, transition, state or module is named in many places by its
old name: the first of them is a problem, which lists the others. What is said of a value that could not be read, or of
the lack of something that is only written wrongly, is left out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.source.problems import ALSO, KeyPath, Problem, RelatedPlace
from portal.fields.link import link_targets

UNKNOWN_FIELD = re.compile(r'no field "([^"]+)"(?:.* in (\w+)$)?')
UNKNOWN_MODULE = re.compile(r'no module "([^"]+)"')
UNKNOWN_OPTION = re.compile("“([^”]+)” is not one of the options")
UNKNOWN_STATE = re.compile(r'no state "([^"]+)"')
LACKING_PART = re.compile(
    r"(?:has no effect: )?(\w+) has no (comments|attachments|lifecycle|owner|organization|tab)\b(?: \"([^\"]+)\")?"
)
NO_SEE = re.compile("see is missing")
IN_FIELDS = re.compile("belongs beside fields:")
LACKING_WHOLE = re.compile(r"(\w+) has no (comments|lifecycle)\b")
LACKING_MODULE = re.compile(r'.*this profile has no module "(\w+)"')
BAD_NAME = "is not a valid name"
MERGE_PATH = ("<<",)
TABS = ("list", "tabs")
LIFECYCLE = ("lifecycle",)
TRANSITIONS = ("lifecycle", "transitions")
NO_ROLE = re.compile(r".*modules.yaml does not say which module holds the (\w+)")
NO_MODULE = re.compile(r'no module (is declared|")')
SECOND_DOCUMENT = "a file holds only one document"
NO_SCOPE = re.compile(r"see is missing|\w+ has no (owner|organization), so")
REPEATED = re.compile(r'"(\w+)" appears twice')
UNKNOWN_KEY = re.compile(r'(?:no key )?"([^"]+)" (?:is not used )?here')
LIST_OF_ONE = re.compile(r"must be a list: \[(\w+)\]$")
# A value that was not read as it was meant: what else is wrong with it follows from that.
MISREAD = re.compile('(. and . become|the " becomes|"//" becomes) part of the text')
UNKNOWN_ACTION = re.compile(r'"([^"]+)" is neither an action nor a transition of (\w+)')

DEPTH = 3  # of the path of a key of a module

Unknown = tuple[str, str, str]  # kind, module, name
NAMES: tuple[tuple[re.Pattern[str], Callable[[Problem, re.Match[str]], Unknown]], ...] = (
    (UNKNOWN_ACTION, lambda _problem, match: ("action", match[2], match[1])),
    (UNKNOWN_MODULE, lambda _problem, match: ("module", "", match[1])),
    (LACKING_MODULE, lambda problem, match: ("module of a profile", problem.file, match[1])),
    (LACKING_WHOLE, lambda _problem, match: ("part", match[1], match[2])),
    (NO_ROLE, lambda _problem, match: ("role", "", match[1])),
    (NO_SEE, lambda problem, _match: ("scope", "", str(problem.path[1]))),
)


def without_consequences(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """`problems` with one for each cause."""
    problems = _without_nested_modules(draft, _without_nameless_modules(problems))
    problems = _without_misread(_with_whole_lists(draft, problems))
    following = _following(draft, problems)
    problems = [problem for problem in problems if problem not in following]
    unknown = {problem: name for problem in problems if not problem.warning and (name := _unknown(draft, problem))}
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
    """The problems that others cause: of values without a meaning, and of what lacks because it is written wrongly."""
    errors = [problem for problem in problems if not problem.warning]
    unread = [problem for problem in _of_the_reader(draft) if not problem.warning and not problem.related]
    first = {(problem.file, problem.line, problem.column): problem for problem in reversed(unread)}
    paths = {(problem.file, problem.path) for problem in unread}
    paths |= {(problem.file, problem.path[:-1]) for problem in unread if problem.path[-1:] == MERGE_PATH}
    by_reader = set(_of_the_reader(draft))
    named = {(problem.file, problem.path): problem for problem in reversed(errors) if _is_of_a_name(problem)}
    misspelled = _misspelled(errors)
    lacking = {part for problem in errors if LACKING_PART.match(problem.message) for part in _lacks(problem)}
    cut = any(problem.file == MODULES and problem.message.startswith(SECOND_DOCUMENT) for problem in errors)
    lacks_role = any(NO_ROLE.match(problem.message) for problem in errors)
    twice = {problem.path for problem in errors if len(problem.path) == DEPTH - 1 and REPEATED.match(problem.message)}
    return {
        problem
        for problem in problems
        if first.get((problem.file, problem.line, problem.column), problem) != problem
        or (problem not in by_reader and (problem.file, problem.path) in paths)
        or named.get((problem.file, problem.path), problem) != problem
        or _lacks(problem) & (misspelled | lacking if problem.warning else misspelled)
        or (cut and NO_MODULE.match(problem.message))
        or (lacks_role and NO_SCOPE.match(problem.message))
        or (problem.path[:2] in twice and len(problem.path) > len(problem.path[:2]) and _is_of_a_lack(problem))
    }


def _is_of_a_lack(problem: Problem) -> bool:
    """Whether something is said not to exist: of a module that is declared twice, only the first is known."""
    patterns = (UNKNOWN_FIELD, UNKNOWN_STATE, UNKNOWN_ACTION, LACKING_PART, NO_SCOPE)
    return any(pattern.match(problem.message) for pattern in patterns)


def _of_the_reader(draft: DeclarationDraft) -> list[Problem]:
    return [problem for document in draft.documents.values() for problem in document.problems]


def _is_of_a_name(problem: Problem) -> bool:
    """Whether an entry has a name that cannot be, so that nothing more needs to be said of it."""
    return BAD_NAME in problem.message or UNKNOWN_MODULE.match(problem.message) is not None


def _misspelled(errors: Sequence[Problem]) -> set[KeyPath]:
    """What is there, and cannot be used: parts of modules, names of modules, modules of profiles."""
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
    parts |= {(problem.path[1], problem.path[-1]) for problem in errors if IN_FIELDS.search(problem.message)}
    names = {problem.path[-1:] for problem in errors if BAD_NAME in problem.message}
    modules = {
        (problem.file, problem.guess)
        for problem in errors
        if problem.guess is not None and UNKNOWN_MODULE.match(problem.message)
    }
    return {*parts, *names, *modules}


def _is_of_a_part(problem: Problem) -> bool:
    """Whether a part of a module is written in a way that what it says is not known."""
    part = problem.path[2:]
    unknown = part[:1] == LIFECYCLE and len(part) == len(TRANSITIONS) and UNKNOWN_KEY.match(problem.message)
    return len(problem.path) == DEPTH or part in (TABS, TRANSITIONS) or bool(unknown)


def _lacks(problem: Problem) -> set[KeyPath]:
    """What a problem says to be missing, as `_misspelled` names it."""
    if match := LACKING_PART.match(problem.message):
        return {(match[1], "list"), (match[1], "tab", match[3])} if match[2] == "tab" else {(match[1], match[2])}
    if match := LACKING_MODULE.match(problem.message):
        return {(problem.file, match[1])}
    if match := UNKNOWN_ACTION.match(problem.message):
        return {(match[2], *LIFECYCLE)}
    return {(problem.guess,)} if problem.guess is not None and UNKNOWN_MODULE.match(problem.message) else set()


def _unknown(draft: DeclarationDraft, problem: Problem) -> Unknown | None:
    """The name that a problem says does not exist, and the module in which it should."""
    for pattern, name_of in NAMES:
        if match := pattern.match(problem.message):
            return name_of(problem, match)
    here = _module_of(draft, problem)
    if match := UNKNOWN_STATE.match(problem.message):
        return "state", here, match[1]
    if (match := UNKNOWN_OPTION.match(problem.message)) and _is_about_the_state(draft, here, problem):
        return "state", here, match[1]
    if match := UNKNOWN_FIELD.match(problem.message):
        module = match[2] or here
        return ("field", module, match[1]) if module else None
    return None


def _is_about_the_state(draft: DeclarationDraft, module: str, problem: Problem) -> bool:
    """Whether a problem is one of a condition on the state of a record."""
    owner = draft.modules.get(module)
    return owner is not None and owner.state_field is not None and owner.state_field in problem.path


def _module_of(draft: DeclarationDraft, problem: Problem) -> str:
    """The module whose records the place of a problem is about, empty where there is none."""
    where, name = (str(part) for part in (*problem.path, "", "")[:2])
    if where == "buttons" and (button := draft.buttons.get(name)) is not None:
        return (button.opens or "").partition("/")[0]
    if problem.path[2:3] == ("fields",) and problem.path[4:5] == ("where",):  # of a link: about the records it leads to
        return next(iter(link_targets(draft.field(name, str(problem.path[3])))), "")
    return name if where == "modules" else ""


def _names_of_misnamed_fields(draft: DeclarationDraft, unknown: Counter[Unknown]) -> set[Unknown]:
    """The most frequent unknown names, one for each field that has a name which cannot be used: its old name."""
    explained: set[Unknown] = set()
    unexplained = Counter(draft.misnamed_fields)
    for name, _count in unknown.most_common():
        kind, module, _name = name
        if kind == "field" and unexplained[module] > 0:
            unexplained[module] -= 1
            explained.add(name)
    return explained


def _without_nameless_modules(problems: Sequence[Problem]) -> list[Problem]:
    """A module whose first line, its name, is missing: its keys are the second ones of the module above it.

    Which of the modules that are named elsewhere it is, nobody knows.
    """
    unknown = any(UNKNOWN_MODULE.match(problem.message) for problem in problems)
    repeated: dict[KeyPath, list[Problem]] = defaultdict(list)
    for problem in problems:
        if unknown and problem.file == MODULES and len(problem.path) == DEPTH and REPEATED.match(problem.message):
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
        elif not (first and UNKNOWN_MODULE.match(problem.message)):
            remaining.append(problem)
    return remaining


def _without_nested_modules(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """A module that is indented too far is a key without a value of the module above, whose keys it then repeats."""
    nested: dict[KeyPath, Problem] = {}
    for problem in problems:
        above, match = problem.path[:-1], UNKNOWN_KEY.match(problem.message)
        if match and problem.path[:1] == ("modules",) and len(above) == DEPTH - 1 and _is_empty(draft, problem):
            repeats = any(
                other.path[:-1] == above and " appears twice " in other.message and other.line > problem.line
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
        elif first is None or problem.line < first.line:
            unknown = UNKNOWN_MODULE.match(problem.message)
            if unknown is None or unknown[1] not in names:
                remaining.append(problem)
    return remaining


def _with_whole_lists(draft: DeclarationDraft, problems: Sequence[Problem]) -> list[Problem]:
    """One problem where a list lacks its brackets: in `{can: create, comment}` the items behind the first are reported
    as keys without a value, on the same line."""
    remaining: list[Problem] = []
    for problem in problems:
        before = remaining[-1] if remaining else None
        match = LIST_OF_ONE.search(before.message) if before is not None and before.line == problem.line else None
        if before is not None and match and problem.path[:-1] == before.path[:-1] and _is_empty(draft, problem):
            remaining[-1] = replace(before, message=f"must be a list: [{match[1]}, {problem.path[-1]}]")
        else:
            remaining.append(problem)
    return remaining


def _without_misread(problems: Sequence[Problem]) -> list[Problem]:
    """Of a value that was misread only that is reported, as an error if something is wrong with it."""
    misread = {(problem.file, problem.path): problem for problem in problems if MISREAD.match(problem.message)}
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


def _is_empty(draft: DeclarationDraft, problem: Problem) -> bool:
    """Whether what stands at the place of a problem has no value."""
    return draft.documents[problem.file].value(problem.path) is None

"""`/-/problems`, for administrators: the problems of the declarations, and what their codes mean."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.declared_files import BUTTONS, MODULES, PROFILES
from portal.declaration.problem_kinds import cure_of, kind_of, kinds
from portal.declaration.source.excerpts import excerpt
from portal.declaration.source.problems import Problem, RelatedPlace
from portal.texts import Words, ngettext
from portal.views.displays import moment
from portal.views.parts import Moment
from portal.web.live import ReloadReport
from portal.web.resources import Administration
from portal.web.security import ADMINISTER


@dataclass(frozen=True)
class SourceShown:
    """Lines of a declaration, the last of them marked."""

    lines: tuple[tuple[int, str], ...]  # number and text, without the last one
    number: int
    text: str
    mark: str  # spaces, and ^ below the marked text


@dataclass(frozen=True)
class RelatedShown:
    note: str  # “first defined here”
    place: str
    source: SourceShown | None = None


@dataclass(frozen=True)
class ProblemShown:
    code: str
    place: str  # modules.yaml:41:9
    path: str
    message: str
    cure: str
    source: SourceShown | None = None
    related: tuple[RelatedShown, ...] = ()
    warning: bool = False


@dataclass(frozen=True)
class CheckedFile:
    """A file of the declarations, and the number of its problems."""

    name: str
    errors: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class ProblemsPage:
    """problems.pt, for administrators: what is wrong with the declarations, and what is in force instead."""

    problems: tuple[ProblemShown, ...]
    files: tuple[CheckedFile, ...]
    read: Moment
    errors: Words = ""  # “2 errors”
    warnings: Words = ""
    in_force: Moment | None = None  # since when the last good version is in force; None: the newest is
    changes: tuple[str, ...] = ()  # what the database lacks, in sentences


@dataclass(frozen=True)
class ProblemKindPage:
    """problem_kind.pt, for administrators: what the code of a problem means."""

    code: str
    title: str
    cure: str
    wrong: str
    right: str


@view_config(
    context=Administration, name="problems", request_method="GET", renderer="problems.pt", permission=ADMINISTER
)
def show_problems(context: Administration, request: Request) -> Any:
    """`GET /-/problems`: what is wrong with the declarations, with line and cure, and what is in force instead."""
    report, reader = request.registry.live.report, request.reader
    warnings = sum(problem.warning for problem in report.problems)
    errors = len(report.problems) - warnings
    return ProblemsPage(
        problems=tuple(_shown(problem) for problem in sorted(report.problems, key=lambda problem: problem.warning)),
        files=tuple(_files_shown(request.registry.live.folder, report)),
        read=moment(report.at, reader),
        errors=ngettext("${number} error", "${number} errors", errors) if errors else "",
        warnings=ngettext("${number} warning", "${number} warnings", warnings) if warnings else "",
        in_force=None if report.accepted else moment(request.portal.since, reader),
        changes=report.missing,
    )


@view_config(
    context=Administration, name="problems", request_param="code", request_method="GET", renderer="problem_kind.pt",
    permission=ADMINISTER,
)  # fmt: skip
def show_kind(context: Administration, request: Request) -> Any:
    """`GET /-/problems?code=`: the page of a problem's code: what it means, with an example of wrong and right."""
    kind = kinds().get(request.GET.get("code", ""))
    if kind is None:
        raise HTTPNotFound
    return ProblemKindPage(
        code=kind.code, title=kind.title, cure=_sentence(kind.cure), wrong=kind.wrong, right=kind.right
    )


def _shown(problem: Problem) -> ProblemShown:
    return ProblemShown(
        code=kind_of(problem).code,
        place=problem.place,
        path=problem.subject,
        message=_sentence(problem.statement),
        cure=_sentence(cure_of(problem)),
        source=_source(problem),
        related=tuple(
            RelatedShown(note=_sentence(place.note), place=str(place), source=_source(place))
            for place in problem.related
        ),
        warning=problem.warning,
    )


def _source(place: Problem | RelatedPlace) -> SourceShown | None:
    shown = excerpt(place)
    if shown is None:
        return None
    *before, (number, text) = enumerate(shown.lines, shown.first)
    return SourceShown(lines=tuple(before), number=number, text=text, mark=shown.before_mark + "^" * shown.mark)


def _files_shown(folder: Path, report: ReloadReport) -> Iterator[CheckedFile]:
    """The files of the folder, including good ones, and anything else with a problem."""
    counts = Counter((problem.file, problem.warning) for problem in report.problems)
    there = {f"{PROFILES}/{path.name}" for path in folder.glob(f"{PROFILES}/*.yaml")}
    there.update(name for name in (MODULES, BUTTONS) if (folder / name).is_file())
    for name in sorted({*there, *(file for file, _warning in counts)}):
        yield CheckedFile(name=name, errors=counts[name, False], warnings=counts[name, True])


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

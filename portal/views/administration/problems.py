"""`/-/problems`, for administrators: the problems of the declarations."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.source.problems import Problem
from portal.views.administration.pages import ProblemShown, ProblemsPage
from portal.views.displays import moment
from portal.web.resources import Administration
from portal.web.security import ADMINISTER


@view_config(
    context=Administration, name="problems", request_method="GET", renderer="problems.pt", permission=ADMINISTER
)
def show_problems(context: Administration, request: Request) -> Any:
    """What is wrong with the declarations, each with its place, and what is in force meanwhile."""
    report, reader = request.registry.live.report, request.reader
    page = ProblemsPage(
        problems=tuple(_shown(problem) for problem in report.problems),
        read=moment(report.at, reader),
        in_force=None if report.accepted else moment(request.portal.since, reader),
        changes=report.missing,
    )
    return {"page": page}


def _shown(problem: Problem) -> ProblemShown:
    place = f"{problem.file}:{problem.line}:{problem.column}"
    path, message = str(problem).split(f"{place}: ", 1)[1].split(": ", 1)
    return ProblemShown(place, path, message, problem.warning)

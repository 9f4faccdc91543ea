"""The portal about itself: its health for monitors, problems of the declarations for administrators."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.database import outbox
from portal.database.engine import reading
from portal.database.errors import DatabaseError
from portal.declaration.source.problems import Problem
from portal.views.administration.pages import ProblemShown, ProblemsPage
from portal.views.displays import moment
from portal.web.resources import Administration
from portal.web.security import ADMINISTER


@view_config(context=Administration, name="health", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def health(context: Administration, request: Request) -> Response:
    """200 while the portal can read its database, 503 while it cannot; says nothing else."""
    try:
        with reading(request.portal.engine) as connection:
            outbox.newest(connection, request.portal.tables, limit=1)
    except DatabaseError:
        return Response(json_body={"status": "database does not answer"}, status=503)
    return Response(json_body={"status": "ok"})


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

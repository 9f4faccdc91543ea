"""The portal about itself: its health for monitors, problems of the declarations and letters for administrators."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.database import outbox
from portal.database.engine import reading
from portal.database.errors import DatabaseError
from portal.declaration.source.problems import Problem
from portal.mail.letters import hide_links, read_letter
from portal.texts import _
from portal.views.displays import moment
from portal.views.portal_pages import Letter, OutboxPage, ProblemShown, ProblemsPage
from portal.web.resources import Administration
from portal.web.security import ADMINISTER, READ_LETTERS
from portal.web.serving import is_local_development

PAGE = 50


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


@view_config(context=Administration, name="outbox", request_method="GET", renderer="outbox.pt", permission=READ_LETTERS)
def show_outbox(context: Administration, request: Request) -> Any:
    """The letters written last. Their links work only where this machine alone reaches the portal, in development."""
    letter_id = request.GET.get("letter", "")
    rows = outbox.newest(request.connection, request.portal.tables, limit=PAGE)
    chosen = next((row for row in rows if str(row["id"]) == letter_id), None)
    text = read_letter(chosen["message"]) if chosen else ""
    page = OutboxPage(
        letters=tuple(_letter(row, request) for row in rows),
        chosen=_letter(chosen, request) if chosen else None,
        text=text if is_local_development(request) else hide_links(text),
    )
    return {"page": page}


def _shown(problem: Problem) -> ProblemShown:
    place = f"{problem.file}:{problem.line}:{problem.column}"
    path, message = str(problem).split(f"{place}: ", 1)[1].split(": ", 1)
    return ProblemShown(place, path, message, problem.warning)


def _letter(row: Any, request: Request) -> Letter:
    return Letter(
        to=row["recipient"],
        subject=row["subject"],
        at=moment(row["created"], request.reader),
        state=_("Not sent"),
        tone="info",
        url=f"/-/outbox?letter={row['id']}",
    )

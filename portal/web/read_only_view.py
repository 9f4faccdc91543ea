"""A portal that is only looked at: by an administrator as somebody else, by a token, or because it is not in force.

One mechanism for all pages: `Visitor.read_only_view` says that a request only reads, whatever the rights of its
identity are, and what the banner of layout.pt says. Whoever sets it touches no view: `refuse_to_write` refuses what is
sent.
"""

import datetime
from dataclasses import dataclass

from babel.dates import format_time
from pyramid.httpexceptions import HTTPClientError
from pyramid.request import Request

from portal.accounts.identity import Identity
from portal.accounts.viewing import LASTS, NOBODY
from portal.declaration.shapes import display_name
from portal.texts import _
from portal.web.addresses import MCP

LEAVE = "/logout"  # ends the view, and not the session
READ_ONLY = _("This is a preview. Nothing can be changed or sent here.")
VIEWING = _("You are viewing the portal as someone else, so nothing can be changed or sent. Leave the preview first.")


@dataclass(frozen=True)
class ReadOnlyView:
    """Why a request only reads. The texts are in `language`, which is that of the person who looks."""

    title: str  # “You are viewing the portal as Anna Moretti”
    note: str = ""
    language: str = ""
    administrator: Identity | None = None  # who looks; None where nothing lies behind the preview
    since: datetime.datetime | None = None
    refusal: str = READ_ONLY  # what is answered to who sends something

    @property
    def key(self) -> str:
        """What tells the forms of this view from the administrator's own and from those of other views."""
        return self.since.isoformat() if self.since else ""


class ReadOnlyError(HTTPClientError):
    """Something was sent in a preview."""

    code, title = 403, "Forbidden"


def refuse_to_write(request: Request) -> None:
    """Refuses a request that may change something, where its visitor only looks. Raises ReadOnlyError.

    A message of an assistant changes nothing by itself: its tools make requests of their own.
    """
    preview = request.visitor.read_only_view
    if preview is None or request.path_info == MCP:
        return
    if preview.administrator is not None and request.path_info == LEAVE:
        return
    raise ReadOnlyError(preview.refusal)


def view_as_banner(administrator: Identity, viewed: Identity, since: datetime.datetime) -> ReadOnlyView:
    """The read-only view in which an administrator sees the portal as somebody else."""
    reader, account = administrator.policy.reader, viewed.account
    profile = viewed.policy.profile
    label = reader.text(display_name(profile))
    title = _("You are viewing the portal as ${name} (${profile})", mapping={"name": account.name, "profile": label})
    if account.id == NOBODY:
        title = _("You are viewing the portal with the profile ${profile}", mapping={"profile": label})
    end = (since + LASTS).astimezone(reader.time_zone)
    note = _("read-only until ${time}", mapping={"time": format_time(end, "short", locale=reader.locale)})
    return ReadOnlyView(reader.text(title), reader.text(note), reader.language, administrator, since, VIEWING)

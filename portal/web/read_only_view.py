"""A read-only portal: for an administrator viewing it as someone else, for a token, or because it is not in force.

One mechanism for all pages: `Visitor.read_only_view` makes a request read-only, whatever the rights of its identity,
and contains the text of the banner in layout.pt. Views need no change: `refuse_to_write` refuses what is sent.
"""

import datetime
from dataclasses import dataclass

from babel.dates import format_time
from pyramid.httpexceptions import HTTPClientError
from pyramid.request import Request

from portal.accounts.accounts import NO_ACCOUNT
from portal.accounts.identity import Identity
from portal.accounts.viewing import VIEW_LIFETIME
from portal.declaration.shapes import display_name
from portal.texts import _
from portal.web.addresses import MCP

LEAVE = "/logout"  # ends the view, not the session
READ_ONLY = _("This is a preview. Nothing can be changed or sent here.")
VIEWING = _("You are viewing the portal as someone else, so nothing can be changed or sent. Leave the preview first.")


@dataclass(frozen=True)
class ReadOnlyView:
    """Why a request is read-only. The texts are in `language`, that of the viewer."""

    title: str  # “You are viewing the portal as Anna Moretti”
    note: str = ""
    language: str = ""
    administrator: Identity | None = None  # the viewer; None if there is nothing to return to
    since: datetime.datetime | None = None
    refusal: str = READ_ONLY  # the response to a posted form

    @property
    def key(self) -> str:
        """Distinguishes the forms of this view from the administrator's own and from those of other views."""
        return self.since.isoformat() if self.since else ""


class ReadOnlyError(HTTPClientError):
    """Something was sent in a preview."""

    code, title = 403, "Forbidden"


def refuse_to_write(request: Request) -> None:
    """Refuses a request that may change something in a read-only view. Raises ReadOnlyError.

    A message of an assistant changes nothing by itself: its tools make requests of their own.
    """
    preview = request.visitor.read_only_view
    if preview is None or request.path_info == MCP:
        return
    if preview.administrator is not None and request.path_info == LEAVE:
        return
    raise ReadOnlyError(preview.refusal)


def view_as_banner(administrator: Identity, viewed: Identity, since: datetime.datetime) -> ReadOnlyView:
    """The read-only view in which an administrator sees the portal as someone else."""
    reader, account = administrator.policy.reader, viewed.account
    profile = viewed.policy.profile
    label = reader.text(display_name(profile))
    title = _("You are viewing the portal as ${name} (${profile})", mapping={"name": account.name, "profile": label})
    if account.id == NO_ACCOUNT:
        title = _("You are viewing the portal with the profile ${profile}", mapping={"profile": label})
    end = (since + VIEW_LIFETIME).astimezone(reader.time_zone)
    note = _("read-only until ${time}", mapping={"time": format_time(end, "short", locale=reader.locale)})
    return ReadOnlyView(reader.text(title), reader.text(note), reader.language, administrator, since, VIEWING)

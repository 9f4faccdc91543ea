"""The history of a record: the newest events on its page, all of them on a page of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.fields.record_titles import RECORD_ID
from portal.records.reading.history import Event, FieldChange, Unfitting, record_history
from portal.records.reading.records import Records
from portal.texts import Words, _
from portal.views.displays import CHANNEL_ICONS, moment
from portal.views.parts import Moment
from portal.views.wording import record_in_words
from portal.web.addresses import record_address
from portal.web.resources import Record

ON_RECORD = 10  # events on the page of a record
PAGE = 50
# The text of each kind of event, next to its author; the changed fields are below.
SENTENCES: dict[str, Words] = {
    "created": _("Created"),
    "imported": _("Imported"),
    "edited": "",
    "moved": "",
    "commented": _("Comment added"),
    "attached": _("File added"),
    "detached": _("File removed"),
    "corrected": _("Comment corrected"),
    "withdrawn": _("Comment withdrawn"),
    "deleted": _("Deleted"),
    "watched": _("Watcher added"),
    "unwatched": _("Watcher removed"),
    "signed": _("Signed"),
    "granted": _("Portal access given"),
    "revoked": _("Portal access ended"),
    "invited": _("Invitation sent"),
    "second_factor_removed": _("Two-factor authentication reset"),
    "viewed_as": _("Portal viewed as this person"),
    "bounced": _("Email could not be delivered"),
    "reminded": _("Reminder sent"),
    "followed_up": _("Follow-up opened"),
    "erased": _("Personal data erased"),
}
ABOUT_FILES: dict[str, Words] = {"corrected": _("File replaced"), "withdrawn": _("File withdrawn")}


@dataclass(frozen=True)
class ChangeShown:
    """A changed field; without `has_values`, nothing else is known."""

    label: Words
    before: str = ""
    after: str = ""
    has_values: bool = False


@dataclass(frozen=True)
class HistoryLine:
    """One event."""

    at: Moment
    author: Words  # “You” for the reader
    sentence: Words = ""
    detail: str = ""  # its subject: the name of a file or a person
    url: str = ""  # the address of the subject
    changes: tuple[ChangeShown, ...] = ()
    channel: Words = ""  # if it is not the portal itself
    channel_icon: str = ""
    internal: bool = False
    record: Words = ""  # among the events of all records
    record_url: str = ""


@dataclass(frozen=True)
class History:
    """The card on the page of a record."""

    lines: tuple[HistoryLine, ...]
    all_url: str = ""  # if there are more


@dataclass(frozen=True)
class HistoryPage:
    """history.pt"""

    about: str  # “TT1042 · Printer on floor 2”
    back_url: str
    lines: tuple[HistoryLine, ...] = ()
    older_url: str = ""


@view_config(context=Record, name="history", request_method="GET", renderer="history.pt")
def show_history(resource: Record, request: Request) -> HistoryPage:
    """`GET /MODULE/ID/history`: the whole history of the record; `before`: the key of an older page."""
    if not resource.access.detail.history:
        raise HTTPNotFound
    records, record = resource.records, resource.record
    events, more = record_history(records, record, PAGE, start_of_history(request))
    return HistoryPage(
        about=record_in_words(record),
        back_url=resource.path,
        lines=tuple(history_line(records, request, event) for event in events),
        older_url=f"{resource.path}history?before={more}" if more else "",
    )


def history_card(resource: Record, request: Request, stored: Sequence[Mapping[str, Any]]) -> History | None:
    """The newest events on the page of a record; None if its layout omits them.

    `stored`: the newest events of the record.
    """
    if not resource.access.detail.history:
        return None
    events, more = record_history(resource.records, resource.record, ON_RECORD, stored=stored)
    return History(
        lines=tuple(history_line(resource.records, request, event) for event in events),
        all_url=f"{resource.path}history" if more else "",
    )


def start_of_history(request: Request) -> int | None:
    """The event before which a page of history begins, from its address; None on the first page or for a bad key."""
    key = str(request.GET.get("before", ""))
    return int(key) if RECORD_ID.fullmatch(key) else None


def history_line(records: Records, request: Request, event: Event) -> HistoryLine:
    """One event of the history as its reader sees it."""
    mine = event.account is not None and event.account == request.visitor.identity.account.id
    line = HistoryLine(
        at=moment(event.at, request.reader),
        author=_("You") if mine else event.author,
        sentence=_change_sentence(event),
        changes=tuple(_change_shown(change, request.reader) for change in event.changes),
        internal=event.internal,
        detail=event.file or event.reference,
    )
    if event.link:
        line = replace(line, detail=event.link.title, url=record_address(event.link.module, event.link.id))
    if event.channel in ("portal", "import"):
        return line
    channel = records.module.field("channel").show(event.channel, request.reader)
    return replace(line, channel=channel, channel_icon=CHANNEL_ICONS.get(event.channel, ""))


def _change_sentence(event: Event) -> Words:
    """An event of the shown history in words, apart from the changed fields."""
    if event.kind == "imported" and event.changes:
        return _("Changed by an import")
    if event.kind == "viewed_as" and event.reference:
        return _("Portal viewed with the profile")
    return (ABOUT_FILES.get(event.kind) if event.about == "file" else None) or SENTENCES.get(event.kind, "")


def _change_shown(change: FieldChange, reader: Reader) -> ChangeShown:
    """A field in the history with old and new value; only the name if these are not recorded (long texts …)."""
    if not change.has_values:
        return ChangeShown(change.field.title)
    before, after = (_shown_text(change.field, value, reader) for value in (change.before, change.after))
    if before == after:
        return ChangeShown(change.field.title)
    return ChangeShown(change.field.title, before, after, has_values=True)


def _shown_text(field: Field, value: Any, reader: Reader) -> str:
    """A value in the shown history as text; one that the field no longer accepts as stored."""
    return str(value) if isinstance(value, Unfitting) else field.show(value, reader)

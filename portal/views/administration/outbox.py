"""`/-/outbox`, for administrators: what waits, what was sent, what was refused and why; each can be sent again.

Emails, and messages to webhooks.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.one_time_links import works_until
from portal.database import outbox, queue
from portal.database.deliveries import newest_deliveries
from portal.jobs.pending_work import measure_pending_work
from portal.mail.letter_text import hide_links, one_time_token, read_letter
from portal.texts import Words, _, ngettext
from portal.views.displays import moment
from portal.views.parts import Moment
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.health_probe import LATE, WORKER_SILENT
from portal.web.resources import ROW_ID, Administration
from portal.web.security import ADMINISTER, READ_LETTERS
from portal.web.serving import is_local_development

PAGE = 50
STATES: dict[str, tuple[Words, str]] = {
    queue.WAITING: (_("Waiting"), "info"),
    queue.SENT: (_("Sent"), "good"),
    queue.REFUSED: (_("Not sent"), "bad"),
}
NOT_SENT_HERE: tuple[Words, str] = (_("Kept"), "")


@dataclass(frozen=True)
class LetterShown:
    id: int
    to: str
    subject: str
    at: Moment
    state: Words
    tone: str = ""
    reason: str = ""  # why the last attempt failed, in the words of the mail server
    url: str = ""


@dataclass(frozen=True)
class DeliveryShown:
    """An event that a webhook is notified of."""

    id: int
    webhook: str
    event: str
    at: Moment
    state: Words
    tone: str
    reason: str = ""
    url: str = ""  # of the record


@dataclass(frozen=True)
class StateTab:
    """A tab of emails in one state."""

    label: Words
    url: str
    current: bool = False


@dataclass(frozen=True)
class OutboxPage:
    """outbox.pt, for administrators: the letters, and the one being read."""

    letters: tuple[LetterShown, ...] = ()
    tabs: tuple[StateTab, ...] = ()
    chosen: LetterShown | None = None
    text: str = ""
    links_url: str = ""  # shows the links of the chosen one
    may_send: bool = False
    is_expired: bool = False  # whether the link in the chosen one no longer works
    sends_email: bool = False  # whether there is a mail server
    late: Words = ""  # how many emails are waiting, if one of them has waited for long
    late_reason: Words = ""  # why
    has_webhooks: bool = False
    deliveries: tuple[DeliveryShown, ...] = ()


@view_config(context=Administration, name="outbox", request_method="GET", renderer="outbox.pt", permission=READ_LETTERS)
def show_outbox(context: Administration, request: Request) -> OutboxPage:
    """`GET /-/outbox`: the latest letters, and the chosen one.

    Links in letters are hidden; in development, if only this machine can reach the portal, they can be shown.
    """
    state = request.GET.get("state") if request.GET.get("state") in STATES else None
    connection, tables = request.connection, request.portal.tables
    chosen_id = request.GET.get("letter", "")
    chosen = _find_letter(request, chosen_id)
    may_show_links = chosen is not None and is_local_development(request)
    text = read_letter(chosen["message"]) if chosen else ""
    late, late_reason = _what_is_late(request) if request.registry.serving.sends_email else ("", "")
    return OutboxPage(
        letters=tuple(_letter(row, request) for row in queue.newest(connection, tables.outbox, PAGE, state)),
        tabs=_tabs(state),
        chosen=_letter(chosen, request) if chosen else None,
        text=text if may_show_links and "links" in request.GET else hide_links(text),
        links_url=f"/-/outbox?letter={chosen_id}&links=1" if may_show_links and "links" not in request.GET else "",
        is_expired=chosen is not None and _of_use_until(request, chosen) <= request.now,
        may_send=request.visitor.identity is not None and request.visitor.identity.administrator,
        sends_email=request.registry.serving.sends_email,
        late=late,
        late_reason=late_reason,
        has_webhooks=bool(tables.declaration.webhooks),
        deliveries=tuple(_deliveries(request, state)),
    )


@view_config(context=Administration, name="outbox", request_method="POST", permission=ADMINISTER)
def send_letter_again(context: Administration, request: Request) -> Response:
    """`POST /-/outbox`: makes the worker send a letter or a message to a webhook again, whatever its state."""
    if delivery_id := posted_text(request, "delivery"):
        _send_again(request, request.portal.tables.delivery, delivery_id)
        return set_flash(request, HTTPSeeOther("/-/outbox"), "webhook-again")
    letter_id, table = posted_text(request, "letter"), request.portal.tables.outbox
    letter, response = _find_letter(request, letter_id), HTTPSeeOther(f"/-/outbox?letter={letter_id}")
    until = _of_use_until(request, letter) if letter else None
    if until is not None and until <= request.now:
        return response
    _send_again(request, table, letter_id, until)
    return set_flash(request, response, "sent-again")


def _find_letter(request: Request, letter_id: str) -> Any:
    if not ROW_ID.fullmatch(letter_id):
        return None
    return outbox.find_letter(request.connection, request.portal.tables, int(letter_id))


def _of_use_until(request: Request, letter: Any) -> datetime.datetime:
    """Until when a letter may be sent: as long as a new one, or as its one-time link works. One about a record has no
    such link, whatever links people write in it."""
    end = request.now + queue.GIVE_UP
    token = None if letter["record"] else one_time_token(read_letter(letter["message"]))
    if token is None:
        return end
    return min(end, works_until(request.connection, request.portal.tables, token) or request.now)


def _send_again(request: Request, table: Any, row_id: str, until: datetime.datetime | None = None) -> None:
    """Makes a row of a queue due again. Raises HTTPNotFound."""
    is_id = ROW_ID.fullmatch(row_id)
    if not is_id or not queue.send_again(request.connection, table, int(row_id), request.now, until):
        raise HTTPNotFound


def _what_is_late(request: Request) -> tuple[Words, Words]:
    """How many emails are waiting, and why, if they are late for monitors, too; else nothing."""
    connection, tables = request.connection, request.portal.tables
    waiting = measure_pending_work(connection, tables, request.now)
    if waiting.oldest_letter is None or waiting.oldest_letter <= LATE:
        return "", ""
    late = ngettext("${number} email is waiting.", "${number} emails are waiting.", waiting.letters)
    if waiting.worker_seen is None or waiting.worker_seen > WORKER_SILENT:
        return late, _("They cannot be sent: ${command} is not running.", mapping={"command": "portal worker"})
    return late, outbox.last_failure(connection, tables)


def _tabs(state: str | None) -> tuple[StateTab, ...]:
    named = [StateTab(label, f"/-/outbox?state={name}", name == state) for name, (label, _tone) in STATES.items()]
    return (StateTab(_("All"), "/-/outbox", state is None), *named)


def _letter(row: Any, request: Request) -> LetterShown:
    label, tone = STATES.get(row["state"], NOT_SENT_HERE)
    sends = request.registry.serving.sends_email or row["state"] != queue.WAITING
    return LetterShown(
        id=row["id"],
        to=row["recipient"],
        subject=row["subject"],
        at=moment(row["created"], request.reader),
        state=label if sends else NOT_SENT_HERE[0],
        tone=tone if sends else NOT_SENT_HERE[1],
        reason=request.reader.text(row["reason"]),
        url=f"/-/outbox?letter={row['id']}",
    )


def _deliveries(request: Request, state: str | None) -> Iterator[DeliveryShown]:
    tables = request.portal.tables
    if not tables.declaration.webhooks:
        return
    for row in newest_deliveries(request.connection, tables, PAGE, state):
        label, tone = STATES[row["state"]]
        is_there = row["kind"] != "deleted"
        yield DeliveryShown(
            id=row["id"],
            webhook=row["webhook"],
            event=row["type"],
            at=moment(row["created"], request.reader),
            state=label,
            tone=tone,
            reason=request.reader.text(row["reason"]),
            url=f"/{row['module']}/{row['record']}/" if is_there else "",
        )

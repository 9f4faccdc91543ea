"""Unused mail: staff read it, turn it into a record, or dismiss it."""

import logging
from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPConflict, HTTPSeeOther, HTTPServiceUnavailable
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.jobs.pending_work import measure_pending_work
from portal.mail.incoming.body import UnreadableMailError
from portal.mail.incoming.mail_rows import MailOutcome, MailRow, finish_mail, unused_mails
from portal.mail.incoming.mail_store import MailStore
from portal.mail.incoming.message import read_mail
from portal.mail.incoming.receive import Receiver
from portal.records.reading.records import Records
from portal.store.store import StoreError
from portal.texts import Words, _, translate
from portal.views.displays import moment
from portal.views.parts import Moment
from portal.views.wording import new_label
from portal.web import resources
from portal.web.addresses import record_address
from portal.web.flash import set_flash
from portal.web.health_probe import LATE
from portal.web.security import HANDLE_MAIL

log = logging.getLogger(__name__)

PAGE = 100
LONGEST_SHOWN = 20_000  # characters of a mail


@dataclass(frozen=True)
class MailShown:
    """An incoming mail that was not used; `url` opens it."""

    sender: str
    subject: str
    reason: str
    at: Moment
    url: str


@dataclass(frozen=True)
class InboxPage:
    """inbox.pt, for staff: the unused mails, and the one being read."""

    mails: tuple[MailShown, ...] = ()
    is_down: bool = False  # whether no mail could be received for long
    chosen: MailShown | None = None
    text: str = ""
    files: tuple[str, ...] = ()
    create_label: Words = ""  # “New ticket”; empty if the mail cannot become a record
    create_url: str = ""
    dismiss_url: str = ""


@view_config(context=resources.Inbox, name="", request_method="GET", renderer="inbox.pt", permission=HANDLE_MAIL)
def show_inbox(inbox: resources.Inbox, request: Request) -> Any:
    """`GET /-/inbox`: the unused mails, newest first, and the text of one of them."""
    rows = unused_mails(request.connection, request.portal.tables, PAGE)
    chosen = next((row for row in rows if str(row.id) == request.GET.get("mail", "")), None)
    page = InboxPage(mails=tuple(_shown(row, request) for row in rows), is_down=_is_down(request))
    return _with_mail(page, chosen, request) if chosen else page


def _is_down(request: Request) -> bool:
    waiting = measure_pending_work(request.connection, request.portal.tables, request.now)
    return (waiting.inbox_seen or 0) > LATE


@view_config(context=resources.UnusedMail, name="create", request_method="POST", permission=HANDLE_MAIL)
def create_from_mail(resource: resources.UnusedMail, request: Request) -> Response:
    """`POST /-/inbox/MAIL/create`: turns a kept mail into a record, owned by its sender if known."""
    store = MailStore(request.store, request.registry.scan)
    receiver = Receiver(request.connection, request.portal.tables, store, request.now)
    try:
        outcome = store.in_pauses(request.connection, lambda: receiver.receive_again(resource.mail, as_stranger=True))
    except UnreadableMailError:
        outcome = MailOutcome("kept")
    except StoreError as error:
        log.warning("Files cannot be stored: %s", error)
        raise HTTPServiceUnavailable(_("Files cannot be stored right now. Try again later.")) from None
    if outcome.place is None:
        raise HTTPConflict(_("No record can be created from this email."))
    place = record_address(*outcome.place)
    visible = request.policy.access(outcome.place[0]) is not None
    return set_flash(request, HTTPSeeOther(place if visible else "/-/inbox"), "created")


@view_config(context=resources.UnusedMail, name="dismiss", request_method="POST", permission=HANDLE_MAIL)
def dismiss_mail(resource: resources.UnusedMail, request: Request) -> Response:
    """`POST /-/inbox/MAIL/dismiss`: dismisses the mail; the next `portal files` removes its bytes."""
    finish_mail(
        request.connection, request.portal.tables, resource.mail.id, MailOutcome("dismissed", resource.mail.reason)
    )
    return HTTPSeeOther("/-/inbox")


def _with_mail(page: InboxPage, mail: MailRow, request: Request) -> InboxPage:
    declaration, address = request.portal.declaration, f"/-/inbox/{mail.id}"
    try:
        read = read_mail(_raw(mail, request))
        text, files = read.text[:LONGEST_SHOWN], tuple(file.name for file in read.files)
    except (UnreadableMailError, StoreError):
        read, text, files = None, "", ()
    creates = declaration.inbox.creates if declaration.inbox and read else ""
    creates = creates if request.policy.may(creates, "create") else ""
    return InboxPage(
        mails=page.mails,
        is_down=page.is_down,
        chosen=_shown(mail, request),
        text=text,
        files=files,
        create_label=new_label(Records(request.connection, request.policy, creates)) if creates else "",
        create_url=f"{address}/create" if creates else "",
        dismiss_url=f"{address}/dismiss",
    )


def _shown(mail: MailRow, request: Request) -> MailShown:
    sender = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender
    return MailShown(
        sender=sender,
        subject=mail.subject or _("(no subject)"),
        reason=translate(_(mail.reason), request.reader.language),
        at=moment(mail.received, request.reader),
        url=f"/-/inbox?mail={mail.id}",
    )


def _raw(mail: MailRow, request: Request) -> bytes:
    """The bytes of an unused mail to show. Raises StoreError."""
    return b"".join(request.store.read(mail.stored)) if mail.stored else b""

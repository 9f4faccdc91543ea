"""Queues the letters of a request, in its transaction; in development, the log shows them, without their links."""

import logging
from email.message import EmailMessage

from pyramid.request import Request

from portal.accounts.one_time_links import link_expiry
from portal.database.outbox import About, put_letter
from portal.mail.builder import Sender
from portal.mail.letter_text import hide_links, plain_text
from portal.web.addresses import own_address

log = logging.getLogger(__name__)


def letter_sender(request: Request) -> Sender:
    """The sender of this request's letters."""
    return Sender(request.portal.declaration, own_address(request), request.now)


def writes_links(request: Request) -> bool:
    """Whether a link can reach someone: through the mail server, or in development on the page of emails."""
    return bool(request.registry.serving.sends_email or request.portal.development)


def queue_letter(request: Request, letter: EmailMessage, link: str | None = None, account: int | None = None) -> None:
    """Queues `letter`, which is sent if the request succeeds; with a `link` (its token), only if that link exists, and
    until it expires; with an `account`, only if that still has access then.

    It may contain a one-time link and a customer's words: production logs none of it.
    """
    tables, about = request.portal.tables, About(account=account)
    until = None if link is None else link_expiry(tables, link)
    queued = put_letter(request.connection, tables, letter, request.now, about, ahead=True, until=until)
    if queued and request.portal.development:
        log.info("Letter to %s: %s\n%s", letter["To"], letter["Subject"], hide_links(plain_text(letter)))

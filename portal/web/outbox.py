"""Puts a letter into the outbox, in the transaction of its cause; in development it can be read in the log at once."""

import logging
from email.message import EmailMessage

from pyramid.request import Request

from portal.database.outbox import put
from portal.mail.letters import Sender, plain_text
from portal.web.serving import own_address

log = logging.getLogger(__name__)


def letter_sender(request: Request) -> Sender:
    """In whose name the letters of this request are written."""
    return Sender(request.portal.declaration, own_address(request), request.now)


def queue_letter(request: Request, letter: EmailMessage) -> None:
    """Queue `letter`: it is sent if the request succeeds. One-time links stand in letters: production logs none."""
    put(request.connection, request.portal.tables, letter, request.now)
    if request.portal.development:
        log.info("Letter to %s: %s\n%s", letter["To"], letter["Subject"], plain_text(letter))

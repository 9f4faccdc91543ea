"""Reads a letter back from the outbox: its text as the log and the outbox page show it."""

import re
from email.message import EmailMessage

from portal.mail.headers import parse_letter

# The tokens of links and of reply addresses.
TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}|(?<=\+)[a-z2-7]{36}(?=@)")
ONE_TIME_LINK = re.compile(r"/(?:password/[a-z]+|signup)/([A-Za-z0-9_-]{40,})")


def plain_text(letter: EmailMessage) -> str:
    """The plain-text part of a letter."""
    part = letter.get_body(("plain",))
    return part.get_content() if part else ""


def read_letter(message: str) -> str:
    """The text of a letter from the outbox."""
    return plain_text(parse_letter(message))


def one_time_token(text: str) -> str | None:
    """The token of the one-time link in the text of a letter; None if there is none."""
    link = ONE_TIME_LINK.search(text)
    return link[1] if link else None


def hide_links(text: str) -> str:
    """The text of a letter without the tokens of its links, which any reader could use."""
    return TOKEN.sub("…", text)

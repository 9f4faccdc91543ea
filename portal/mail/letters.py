"""The letters about accounts, in the recipient's language, as plain text and as HTML.

The caller queues a letter in its transaction (database/outbox.py). No letter holds a password.
"""

import datetime
import email
import email.policy
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import urlsplit

from babel import Locale
from chameleon import PageTemplateFile

from portal.accounts.people import Account
from portal.declaration.shapes import Declaration
from portal.fields.reader import Reader
from portal.texts import _

TOKEN = re.compile(r"/[A-Za-z0-9_-]{40,}")
HTML = PageTemplateFile(str(Path(__file__).parents[1] / "templates" / "letter.pt"))


@dataclass(frozen=True)
class Sender:
    """The portal that sends letters; `address` is its own, for links, without a last slash."""

    declaration: Declaration
    address: str
    now: datetime.datetime


@dataclass(frozen=True)
class Content:
    """The content of one letter; `button` leads to `address`, `notes` stand below it in small print."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str
    address: str
    notes: tuple[str, ...]


def password_reset(sender: Sender, account: Account, token: str) -> EmailMessage:
    """Holds the one-time link that sets a new password."""
    content = Content(
        _("Set a new password"),
        (_("Someone, probably you, asked for a new password for ${email}.", mapping={"email": account.email}),),
        _("Set a new password"),
        f"{sender.address}/password/reset/{token}",
        (
            _("The link works once and expires in an hour."),
            _("If you did not ask for it, ignore this email. Your password stays the same."),
        ),
    )
    return _letter(sender, account, content)


def password_changed(sender: Sender, account: Account) -> EmailMessage:
    """Says at once that the password was changed, in case it was someone else."""
    reader = _reader(sender, account)
    content = Content(
        _("Your password was changed"),
        (
            _("The password for ${email} was just changed.", mapping={"email": account.email}),
            _("All other devices have been logged out."),
        ),
        _("Open ${name}", mapping={"name": reader.text(sender.declaration.settings.name)}),
        f"{sender.address}/",
        (_("If this was not you, set a new password right away and let us know."),),
    )
    return _letter(sender, account, content)


def plain_text(letter: EmailMessage) -> str:
    """The text part of a letter, for the log and the page of the outbox."""
    part = letter.get_body(("plain",))
    return part.get_content() if part else ""


def read_letter(message: str) -> str:
    """The text of a letter from the outbox."""
    return plain_text(email.message_from_string(message, policy=email.policy.SMTP))


def hide_links(text: str) -> str:
    """The text of a letter without the tokens of its links, which whoever reads them could use."""
    return TOKEN.sub("/…", text)


def header_text(text: str) -> str:
    """`text` for a header: one line, and nothing in it that is read as an encoded word (RFC 2047).

    Python decodes "=?utf-8?b?…?=" when a header is set, and writes out what it holds: line breaks and headers too.
    """
    line = " ".join(text.split())
    return "".join(character for character in line if character.isprintable()).replace("=?", "= ?")


def _letter(sender: Sender, account: Account, content: Content) -> EmailMessage:
    reader = _reader(sender, account)
    settings = sender.declaration.settings
    name = reader.text(settings.name)
    paragraphs = [reader.text(paragraph) for paragraph in content.paragraphs]
    button = reader.text(content.button)
    notes = [reader.text(note) for note in content.notes]
    footer = [name, *([settings.support_address] if settings.support_address else [])]
    letter = EmailMessage(policy=email.policy.SMTP)
    domain = urlsplit(sender.address).hostname or "localhost"
    letter["From"] = _address(name, settings.support_address or f"portal@{domain}")
    letter["To"] = _address(account.name, account.email)
    subject = header_text(reader.text(content.subject))
    letter["Subject"] = subject
    letter["Date"] = sender.now
    letter["Message-ID"] = make_msgid(domain=domain)
    letter["Auto-Submitted"] = "auto-generated"
    lines = [*paragraphs, f"{button}:\n{content.address}", *notes, "\n".join(["-- ", *footer])]
    letter.set_content("\n\n".join(lines) + "\n")
    html = HTML(
        language=reader.language,
        direction=Locale.parse(reader.locale.language).text_direction,
        subject=subject,
        name=name,
        accent=settings.accent,
        paragraphs=paragraphs,
        button=button,
        address=content.address,
        notes=notes,
        footer=footer,
    )
    letter.add_alternative(html, subtype="html")
    return letter


def _reader(sender: Sender, account: Account) -> Reader:
    languages = sender.declaration.settings.languages
    return sender.declaration.reader(
        language=account.language if account.language in languages else languages[0], now=sender.now
    )


def _address(name: str, spec: str) -> Address:
    """A structured address: as text “victim, evil@e.com <a@b.com>” would be two recipients."""
    return Address(header_text(name), addr_spec=spec)

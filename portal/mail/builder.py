"""Builds every letter: the headers, the plain text and the HTML from one `LetterContent`.

To add a letter, write a function that takes the `Sender` and the `Account` of the recipient, puts its sentences, each
`_("…")`, into a `LetterContent` and returns `write_letter(sender, account, content)`, which translates them. The caller
queues it in the transaction of its cause: `queue_letter` in a view, `database/outbox.py` elsewhere.

No letter contains a password. What others typed appears only in `comments`, `facts` and `heading`, and only in letters
to people who may read it: nobody can make the portal send words of their own to a stranger.
"""

import datetime
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import urlsplit

from babel import Locale
from chameleon import PageTemplateFile

from portal.accounts.accounts import Account
from portal.colors import palette
from portal.declaration.declaration import Declaration
from portal.fields.reader import Reader
from portal.mail.headers import LETTER_POLICY, header_address, header_text
from portal.texts import Sentence, beginning

HTML = PageTemplateFile(str(Path(__file__).parents[1] / "templates" / "letter.pt"))
WIDTH = 72  # characters per line of quotes in the plain text
LONGEST_SUBJECT = 200  # characters


@dataclass(frozen=True)
class Sender:
    """The portal as the sender of letters; `address` is its own, for links, without a trailing slash."""

    declaration: Declaration
    address: str
    now: datetime.datetime

    @property
    def domain(self) -> str:
        """The host in the Message-IDs."""
        return urlsplit(self.address).hostname or "localhost"

    @property
    def name(self) -> str:
        """The name of the portal, in its default language."""
        return self.declaration.reader().text(self.declaration.settings.name)

    def name_to(self, account: Account) -> str:
        """The name of the portal in letters to an account."""
        return self.reader(account).text(self.declaration.settings.name)

    @property
    def inbox(self) -> str | None:
        """The address at which the portal receives mail; None if it receives none."""
        return self.declaration.inbox.address if self.declaration.inbox else None

    @property
    def mailbox(self) -> str:
        """The address that letters come from, and to which mail servers return what they cannot deliver."""
        return self.inbox or self.declaration.settings.support_address or f"portal@{self.domain}"

    def reader(self, account: Account) -> Reader:
        """The reader of letters to an account, with language and time zone."""
        languages = self.declaration.settings.languages
        language = account.reads if account.reads in languages else languages[0]
        return self.declaration.reader(language=language, now=self.now, person=account.person)


@dataclass(frozen=True)
class QuotedComment:
    """One comment: its author, their side, its time, its paragraphs, and its files as (name, size, address)."""

    from_staff: bool
    author: str
    when: str
    paragraphs: tuple[str, ...]
    files: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class LetterContent:
    """The content of one letter; the `button`, if any, leads to `address`.

    Sentences of the interface are translated when the letter is written; the rest is already in the recipient's
    language.
    """

    subject: str
    paragraphs: tuple[str, ...]
    button: str
    address: str
    notes: tuple[str, ...] = ()  # small print below the button
    heading: str = ""  # by default the subject
    eyebrow: str = ""  # the small line above the heading
    facts: tuple[tuple[str, str], ...] = ()  # labels and values
    comments: tuple[QuotedComment, ...] = ()
    reasons: tuple[str, ...] = ()  # why the recipient gets it, at the very end
    spell_out: bool = True  # whether the address also appears below the button


@dataclass(frozen=True)
class LetterThread:
    """Makes letters about one record a conversation in mail programs, and lets their reader unsubscribe.

    `reply_above`: the line above which to write a reply, with the sentence before it; empty if nobody reads replies.
    """

    message_id: str
    root: str  # the Message-ID that every letter of the thread refers to
    former_root: str = ""  # that of letters before the module was renamed
    own_mail: str = ""  # that of the mail by which the recipient began the conversation
    reply_to: str = ""
    reply_above: tuple[str, str] | None = None
    unsubscribe: tuple[str, str] | None = None  # label and address


def write_letter(
    sender: Sender, account: Account, content: LetterContent, thread: LetterThread | None = None
) -> EmailMessage:
    """The letter, ready to be sent."""
    reader = sender.reader(account)
    content = _translated(content, reader)
    subject = beginning(header_text(content.subject), LONGEST_SUBJECT)
    letter = EmailMessage(policy=LETTER_POLICY)
    letter["From"] = header_address(reader.text(sender.declaration.settings.name), sender.mailbox)
    letter["To"] = header_address(account.name, account.email)
    letter["Subject"] = subject
    letter["Date"] = sender.now
    letter["Message-ID"] = thread.message_id if thread else make_msgid(domain=sender.domain)
    letter["Auto-Submitted"] = "auto-generated"
    if thread:
        _add_thread(letter, thread)
    settings = sender.declaration.settings
    footer = [reader.text(settings.name), *([settings.support_address] if settings.support_address else [])]
    letter.set_content(_plain_text(content, thread, footer))
    html = HTML(
        language=reader.language,
        direction=Locale.parse(reader.locale.language).text_direction,
        subject=subject,
        name=reader.text(settings.name),
        accent=settings.accent,
        colors=palette(settings.accent),
        content=content,
        heading=content.heading or content.subject,
        preview=_preview(content),
        thread=thread,
        footer=footer,
        home=f"{sender.address}/",
    )
    letter.add_alternative(html, subtype="html")
    return letter


def _translated(content: LetterContent, reader: Reader) -> LetterContent:
    def in_words(text: str) -> str:
        return reader.text(text) if isinstance(text, Sentence) else text

    return replace(
        content,
        subject=in_words(content.subject),
        paragraphs=tuple(map(in_words, content.paragraphs)),
        button=in_words(content.button),
        notes=tuple(map(in_words, content.notes)),
    )


def _add_thread(letter: EmailMessage, thread: LetterThread) -> None:
    letter["In-Reply-To"] = thread.own_mail or thread.root
    letter["References"] = " ".join(filter(None, (thread.own_mail, thread.former_root, thread.root)))
    letter["X-Auto-Response-Suppress"] = "All"
    if thread.reply_to:
        letter["Reply-To"] = header_address("", thread.reply_to)
    if thread.unsubscribe:
        letter["List-Unsubscribe"] = f"<{thread.unsubscribe[1]}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _plain_text(content: LetterContent, thread: LetterThread | None, footer: Sequence[str]) -> str:
    blocks = []
    if thread and thread.reply_above:
        sentence, line = thread.reply_above
        blocks.append(f"{sentence}\n---- {line} ----")
    if content.heading:
        blocks.append("\n".join(filter(None, [content.eyebrow, content.heading])))
    blocks += content.paragraphs
    if content.facts:
        blocks.append("\n".join(_fact(label, value) for label, value in content.facts))
    blocks += [_quoted(comment) for comment in content.comments]
    if content.button:
        blocks.append(f"{content.button}:\n{content.address}")
    blocks += content.notes
    end = ["-- ", *content.reasons, *footer]
    if thread and thread.unsubscribe:
        end.append(": ".join(thread.unsubscribe))
    return "\n\n".join([*blocks, "\n".join(end)]) + "\n"


def _fact(label: str, value: str) -> str:
    return f"{label}:\n{textwrap.indent(value, '    ')}" if "\n" in value else f"{label}: {value}"


def _quoted(comment: QuotedComment) -> str:
    lines = [line for paragraph in comment.paragraphs for line in [*paragraph.split("\n"), ""]]
    lines += [", ".join(filter(None, file[:2])) for file in comment.files]
    wrapped = [part for line in lines for part in (textwrap.wrap(line, WIDTH, break_long_words=False) or [""])]
    return f"{comment.author}, {comment.when}:\n\n" + textwrap.indent("\n".join(wrapped).rstrip("\n"), "    ")


def _preview(content: LetterContent) -> str:
    """The preview text of a letter that inboxes show next to the subject: who wrote what, rather than a greeting."""
    if content.comments:
        last = content.comments[-1]
        text = f"{last.author}: {' '.join(last.paragraphs) or ', '.join(file[0] for file in last.files)}"
    else:
        text = " ".join(content.paragraphs) or " ".join(map(": ".join, content.facts))
    return beginning(text, LONGEST_SUBJECT)

"""One mail as bytes → what the portal needs of it, within bounds that are checked before anything is parsed.

The library's newer policy parses addresses and parameters whenever a header is read, and takes seconds for hostile
ones; here headers are read as text, and each that matters is parsed once, by the function made for it.
"""

import email
import email.policy
import hashlib
import itertools
import logging
import mimetypes
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from typing import Any

from portal.mail.incoming.delivery_report import DeliveryReport, read_delivery_report
from portal.mail.incoming.flowed import unflowed
from portal.mail.incoming.html_text import text_of_html
from portal.texts import _

LARGEST = 40_000_000  # bytes of one mail
LONGEST_HEADERS = 65_536  # bytes of all headers together
MOST_PARTS = 200  # parts and nested messages
MOST_ADDRESSES = 100  # recipients of one mail
LONGEST_NAME, LONGEST_ENDING = 150, 10  # characters of a file name before its ending, and of that
LONGEST_TEXT = 1_000_000  # characters of a text part that are looked at
ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f@<>()\[\]\\,;:\"]{1,64}@[A-Za-z0-9.-]{1,190}")
# How programs mark what no person wrote (RFC 3834, and the headers in use before it).
MACHINE_PRECEDENCE = ("bulk", "junk", "list", "auto_reply")
MACHINE_HEADERS = (
    "X-Autoreply", "X-Autorespond", "X-Autorespond-To", "X-Auto-Reply-From", "List-Id", "Feedback-ID", "X-ML-Name",
    "X-ML-Info",
)  # fmt: skip
MACHINE_SENDER = re.compile(
    r"(mailer-daemon|post_?master|([\w.]{1,40}[._-])?(no-?reply|do-?not-?reply)|bounces?)([+._-].*)?(@|\s|$)",
    re.IGNORECASE,
)
MACHINE_SUBJECT = re.compile(
    r"(auto(matic(ally)?)?[ -]?(reply|response|antwort)|out of (the )?office|abwesenheit|risposta automatica"
    r"|réponse automatique|respuesta automática|automatyczna odpowiedź|autosvar|away from)\b",
    re.IGNORECASE,
)
FAILED_CHECK = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)

log = logging.getLogger(__name__)


class UnreadableMailError(Exception):
    """A mail that is too large, too deep or not a mail; the message is one sentence for staff."""


@dataclass(frozen=True)
class MailFile:
    """A file in a mail; `content_id` is what the text calls a picture that stands within it, else ""."""

    name: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True)
class IncomingMail:
    """What the portal needs of one mail. Addresses are in lower case."""

    key: str  # the same for each copy of a mail
    message_id: str
    references: tuple[str, ...]  # the ids of the mails that it answers, the nearest first
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    files: tuple[MailFile, ...]
    automatic: bool  # written by a machine: nothing may answer it
    forged: bool  # the receiving server says that the sender is not who the mail names
    report: DeliveryReport | None = None  # a letter of ours that was not delivered


def read_mail(raw: bytes, envelope: tuple[str, ...] = ()) -> IncomingMail:
    """Reads one mail. `envelope`: the addresses that it was delivered to, as far as the transport tells.

    Raises UnreadableMailError.
    """
    _check_bounds(raw)
    try:
        return _read(email.message_from_bytes(raw, policy=email.policy.compat32), raw, envelope)
    except UnreadableMailError:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        MessageError,
        RecursionError,
    ) as error:
        log.info("A mail cannot be read: %r", error)
        raise UnreadableMailError(_("it cannot be read")) from error


def _check_bounds(raw: bytes) -> None:
    if len(raw) > LARGEST:
        raise UnreadableMailError(_("it is too large"))
    end = re.search(rb"\r?\n\r?\n", raw[: LONGEST_HEADERS + 4])
    if end is None and len(raw) > LONGEST_HEADERS:
        raise UnreadableMailError(_("its headers are too long"))
    lowered = raw.lower()
    if lowered.count(b"boundary=") + lowered.count(b"message/rfc822") > MOST_PARTS // 4:
        raise UnreadableMailError(_("it is nested too deeply"))
    if lowered.count(b"\ncontent-") > MOST_PARTS * 4:
        raise UnreadableMailError(_("it has too many parts"))


def _read(message: Message, raw: bytes, envelope: tuple[str, ...]) -> IncomingMail:
    name, sender = _sender(message)
    recipients = [address for header in RECIPIENT_HEADERS for _spoken, address in _addresses(message, header)]
    if len(recipients) > MOST_ADDRESSES:
        raise UnreadableMailError(_("it has too many recipients"))
    message_id = next(iter(_ids(message, "Message-ID")), "")
    body = _Body(message)
    return IncomingMail(
        key=_key(message, message_id, sender, raw),
        message_id=message_id,
        references=tuple(dict.fromkeys([*_ids(message, "In-Reply-To"), *reversed(_ids(message, "References"))])),
        sender=sender,
        sender_name=name,
        recipients=tuple(dict.fromkeys([address.lower() for address in (*envelope, *recipients)])),
        subject=" ".join(_text(message, "Subject").split()),
        text=body.text,
        files=tuple(body.files),
        automatic=_is_automatic(message, sender),
        forged=any(FAILED_CHECK.search(str(value)) for value in message.get_all("Authentication-Results", [])),
        report=read_delivery_report(
            raw, message_id, body.status, body.text, bool(MACHINE_SENDER.match(sender or name))
        ),
    )


def _sender(message: Message) -> tuple[str, str]:
    """The name and the address of the sender; no address for a report of a mail server, which may have none."""
    senders = _addresses(message, "From") or _addresses(message, "Sender")
    if not senders and _is_automatic(message, str(message.get("From", "")).strip()):
        return _decoded_name(str(message.get("From", ""))), ""
    if not senders:
        raise UnreadableMailError(_("it names no sender"))
    if len(senders) > 1:
        raise UnreadableMailError(_("it names several senders"))
    return senders[0]


RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "To", "Cc", "Resent-To")


def _key(message: Message, message_id: str, sender: str, raw: bytes) -> str:
    """The same for each copy of one mail, whatever the servers on its way wrote above it.

    Its id alone does not do: programs repeat theirs, and whoever knows one could keep a mail from being used.
    """
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1]
    facts = "\n".join((message_id, sender, str(message.get("Date", ""))))
    return hashlib.sha256(facts.encode("utf-8", "replace") + hashlib.sha256(body).digest()).hexdigest()


def _is_automatic(message: Message, sender: str) -> bool:
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    return (
        submitted not in ("no", "")
        or precedence in MACHINE_PRECEDENCE
        or any(message.get(header) for header in MACHINE_HEADERS)
        or str(message.get("Return-Path", "")).strip() == "<>"
        or message.get_content_type() == "multipart/report"
        or bool(MACHINE_SENDER.match(sender) or MACHINE_SUBJECT.match(_text(message, "Subject").strip()))
    )


def _text(message: Message, header: str) -> str:
    """A header as people read it; what cannot be decoded stays as it is written."""
    return _decoded_words(next(iter(_written(message, header)), ""))


def _decoded_words(written: str) -> str:
    try:
        decoded = str(make_header(decode_header(written)))
    except (MessageError, LookupError, ValueError):
        decoded = written
    return "".join(character if character.isprintable() else " " for character in decoded)


def _written(message: Message, header: str) -> list[str]:
    """The headers of a name as they are written. Bytes that are no ASCII, which programs write though none may, are
    read as UTF-8 where they are that, else as Windows has them.
    """
    values = [value for name, value in message.raw_items() if name.lower() == header.lower()]
    contents = [str(value).encode("ascii", "surrogateescape") for value in values]
    return [_read_as(content, "utf-8") for content in contents]


def _addresses(message: Message, header: str) -> list[tuple[str, str]]:
    """The (name, address) pairs of a header; what is no address is left out."""
    values = _written(message, header)
    if sum(value.count(",") for value in values) > MOST_ADDRESSES * 2 or any(value.count("(") > 50 for value in values):
        raise UnreadableMailError(_("it has too many recipients"))
    pairs = [(name, address.strip().lower()) for name, address in getaddresses(values)]
    return [(_decoded_name(name), address) for name, address in pairs if ADDRESS.fullmatch(address)]


def _decoded_name(name: str) -> str:
    return " ".join(_decoded_words(name).split())[:100]


def _ids(message: Message, header: str) -> list[str]:
    """The message ids in a header, with their brackets."""
    return re.findall(r"<[^<>\s\x00-\x1f\x7f]{1,250}>", " ".join(str(value) for value in message.get_all(header, [])))


class _Body:
    """The text, the files and the delivery status of a message, its parts visited in their order."""

    def __init__(self, message: Message) -> None:
        self.files: list[MailFile] = []
        self.status: Message | None = None
        self._parts = 0
        self._pictures: dict[str, str] = {}  # content id → name of the file
        self._texts: list[tuple[str, str]] = []  # (type, text)
        self._visit(message)
        self.text = "\n\n".join(filter(None, (self._shown(kind, text) for kind, text in self._texts)))

    def _visit(self, part: Message) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise UnreadableMailError(_("it has too many parts"))
        kind, is_file = part.get_content_type(), _is_file(part)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            self.status = part
        elif kind == "multipart/alternative" and not is_file:
            self._visit_alternatives(part)
        elif part.is_multipart() and kind != "message/rfc822":
            # What is signed, without the signature, which proves nothing once it stands apart.
            for child in itertools.islice(_children(part), 1 if kind == "multipart/signed" else None):
                self._visit(child)
        elif kind in ("text/plain", "text/html") and not is_file:
            self._texts.append((kind, _text_of(part)))
        else:
            self._add_file(part, kind)

    def _visit_alternatives(self, part: Message) -> None:
        """The plain text, if it says something, else the last alternative that is understood."""
        children = list(_children(part))
        plain = [child for child in children if child.get_content_type() == "text/plain" and _decoded(child).strip()]
        others = [
            child
            for child in children
            if child.get_content_type() in ("text/html", "multipart/related", "multipart/mixed")
        ]
        chosen = plain[:1] or others[-1:]
        for child in chosen:
            self._visit(child)
        for child in children:
            if child not in chosen and child.get_content_type() == "multipart/mixed":
                self._visit(child)
            elif child not in chosen and child.is_multipart():  # the pictures of the HTML text
                for nested in _children(child):
                    if not nested.is_multipart() and nested.get_content_maintype() != "text":
                        self._visit(nested)

    def _add_file(self, part: Message, kind: str) -> None:
        content = (
            part.get_payload(decode=True)
            if not part.is_multipart()
            else b"".join(c.as_bytes() for c in _children(part))
        )
        if not isinstance(content, bytes) or not content:
            return
        name = _safe_name(_file_name(part), kind, len(self.files) + 1)
        content_id = str(part.get("Content-ID", "")).strip().strip("<>")
        if content_id:
            self._pictures[content_id] = name
        self.files.append(MailFile(name, content, content_id))

    def _shown(self, kind: str, text: str) -> str:
        plain = text_of_html(text, self._pictures) if kind == "text/html" else text
        for content_id, name in self._pictures.items():
            plain = plain.replace(f"[cid:{content_id}]", f"[{name}]")
        return plain.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip("\n")


def _children(part: Message) -> Iterator[Message]:
    payload: Any = part.get_payload()
    yield from (child for child in payload if isinstance(child, Message)) if isinstance(payload, list) else ()


def _is_file(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).split(";")[0].strip().lower()
    return disposition == "attachment" or (disposition == "inline" and bool(_file_name(part)))


def _file_name(part: Message) -> str:
    """The declared name of a file, decoded (RFC 2231, and encoded words as many programs write them)."""
    name = part.get_filename() or ""
    try:
        return str(make_header(decode_header(name)))
    except (MessageError, LookupError, ValueError):
        return name


def _safe_name(name: str, kind: str, number: int) -> str:
    """A name that a file of the portal may have; a file without one is called by its type and its place."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(
        character for character in name if unicodedata.category(character)[0] not in "CZ" or character == " "
    )
    name = name.strip(". ")
    if not name:
        return f"attachment-{number}{'.eml' if kind == 'message/rfc822' else mimetypes.guess_extension(kind) or ''}"
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:LONGEST_NAME]}{dot}{ending[:LONGEST_ENDING]}" if dot else name[:LONGEST_NAME]


def _decoded(part: Message) -> str:
    """A text part as text, in the character set that it names, else in the one that fits."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return _read_as(content[: LONGEST_TEXT * 4], part.get_content_charset() or "utf-8")[:LONGEST_TEXT]


def _text_of(part: Message) -> str:
    """A text part as it was written, with a line for each paragraph."""
    text = _decoded(part)
    if str(part.get_param("format")).lower() == "flowed":
        return unflowed(text, str(part.get_param("delsp")).lower() == "yes")
    return text


def _read_as(content: bytes, charset: str) -> str:
    """Bytes as text in a character set, else as UTF-8, else as Windows has them."""
    for tried in (charset, "utf-8"):
        try:
            return content.decode(tried)
        except (LookupError, ValueError):
            continue
    return content.decode("windows-1252", "replace")

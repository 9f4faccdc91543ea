"""The body of a mail: the text that people read, its files, and the status of a letter of ours."""

import base64
import itertools
import mimetypes
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePath
from typing import Any

from portal.mail.incoming.character_sets import charset_of_html, decoded_text, decoded_words, written_headers
from portal.mail.incoming.flowed import unflowed
from portal.mail.incoming.html_text import text_of_html
from portal.texts import JOINERS, _

MOST_PARTS = 200  # parts and nested messages
LONGEST_NAME, LONGEST_ENDING = 150, 10  # characters of a file name before its ending, and of the ending
LONGEST_TEXT = 1_000_000  # characters of a text part, and of all of them, that are read
LONGEST_SUBJECT = 1_000  # characters of an attached mail's subject that are read
TEXTS = ("text/plain", "text/html")
# What Gmail writes into the plain text in place of a picture.
NAMED_PICTURE = re.compile(r"\[[^\W\d_]{3,20}: ([^\[\]\n]{1,200})\]")
# A picture inside the HTML itself instead of in a part of its own.
PICTURE = re.compile(rb"data:(image/(?:png|jpe?g|gif|webp|bmp));base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)


class UnreadableMailError(Exception):
    """A mail that is too large, too deeply nested or not a mail; the message is a sentence for staff."""


@dataclass(frozen=True)
class MailFile:
    """A file in a mail; `content_id` is the text's name for an inline picture, else ""."""

    name: str
    content: bytes
    content_id: str = ""


class Body:
    """The body of a mail: its text, files and delivery status, collected from its parts in order."""

    def __init__(self, message: Message) -> None:
        self.files: list[MailFile] = []
        self.status: Message | None = None
        self._parts = 0
        self._pictures: dict[str, str] = {}  # content id → name of the file
        self._same_name: dict[str, list[MailFile]] = {}  # the name in the mail → its files
        self._texts: list[tuple[str, str]] = []  # (type, text)
        self._visit(message)
        self.text = "\n\n".join(filter(None, (self._shown(kind, text) for kind, text in self._texts)))

    def _visit(self, part: Message) -> None:
        self._count_part()
        kind, is_file = part.get_content_type(), _is_file(part)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            self.status = part
        elif kind in TEXTS and not is_file:
            self._add_text(part, kind)
        elif kind.startswith("multipart/") and not part.is_multipart() and not is_file:  # its parts cannot be separated
            self._add_text(part, "text/plain")
        elif kind == "multipart/alternative" and not is_file:
            self._visit_alternatives(part)
        elif part.is_multipart() and kind != "message/rfc822":
            # The signed content, without the signature, which proves nothing on its own.
            for child in itertools.islice(_children(part), 1 if kind == "multipart/signed" else None):
                self._visit(child)
        else:
            self._add_file(part, kind)

    def _add_text(self, part: Message, kind: str) -> None:
        read = sum(len(text) for _kind, text in self._texts)
        self._texts.append((kind, self._text_of(part, kind)[: LONGEST_TEXT - read]))

    def _count_part(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise UnreadableMailError(_("it has too many parts"))

    def _visit_alternatives(self, part: Message) -> None:
        """Visits the plain text if it is not blank, else the last supported alternative; from others, only the files,
        such as pictures of the HTML text and meetings.
        """
        children = [(child.get_content_type(), child) for child in _children(part)]
        plain = [child for kind, child in children if kind == "text/plain" and self._text_of(child, kind).strip()]
        others = [child for kind, child in children if kind in ("text/html", "multipart/related", "multipart/mixed")]
        chosen = plain[:1] or others[-1:]
        for child in chosen:
            self._visit(child)
        for _kind, child in children:
            if child not in chosen:
                self._visit_files(child)

    def _visit_files(self, part: Message) -> None:
        """Collects the files in an alternative whose text is not used."""
        kind = part.get_content_type()
        if part.is_multipart() and kind != "message/rfc822":
            for child in _children(part):
                self._visit_files(child)
        elif _is_file(part) or part.get_content_maintype() != "text" or kind == "text/calendar":
            self._visit(part)
        elif kind == "text/html":
            self._text_of(part, kind)

    def _text_of(self, part: Message, kind: str) -> str:
        """A text part as written, with one line per paragraph; inline pictures become files."""
        content, charset = _content(part), part.get_content_charset() or ""
        if kind == "text/html":
            content, charset = PICTURE.sub(self._add_picture, content), charset or charset_of_html(content)
        text = decoded_text(content[: LONGEST_TEXT * 4], charset)[:LONGEST_TEXT]
        if str(part.get_param("format")).lower() == "flowed":
            return unflowed(text, str(part.get_param("delsp")).lower() == "yes")
        return text

    def _add_picture(self, match: re.Match[bytes]) -> bytes:
        """Adds a picture inside the HTML itself, and returns the address that an attached one would have."""
        self._count_part()
        kind = match[1].decode("ascii").lower()
        try:
            content = base64.b64decode(match[2] + b"==")
        except ValueError:
            content = b""
        if not content:
            return b""
        content_id = f"picture-{self._parts}"
        self._add(_safe_name("", kind, len(self.files) + 1), content, content_id)
        return f"cid:{content_id}".encode("ascii")

    def _add_file(self, part: Message, kind: str) -> None:
        content = _content(part) if not part.is_multipart() else b"".join(c.as_bytes() for c in _children(part))
        name = _file_name(part) or (_name_of_mail(part) if kind == "message/rfc822" else "")
        content_id = str(part.get("Content-ID", "")).strip().strip("<>")
        if not content and (not name or content_id):  # an empty file with a name is refused along with the others
            return
        self._add(_safe_name(name, kind, len(self.files) + 1), content, content_id)

    def _add(self, name: str, content: bytes, content_id: str) -> None:
        """Adds a file under a unique name: pasted pictures are all called image.png."""
        taken = {file.name for file in self.files}
        unused = next(candidate for candidate in _numbered(name) if candidate not in taken)
        file = MailFile(unused, content, content_id)
        self._same_name.setdefault(name, []).append(file)
        self.files.append(file)
        if content_id:
            self._pictures[content_id] = file.name

    def _shown(self, kind: str, text: str) -> str:
        plain = text_of_html(text, self._pictures) if kind == "text/html" else self._with_names_of_files(text)
        for content_id, name in self._pictures.items():
            plain = plain.replace(f"[cid:{content_id}]", f"[{name}]")
        return plain.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip("\n")

    def _with_names_of_files(self, text: str) -> str:
        """The plain text with its pictures named as `_add` has named their files, in order."""
        waiting = {name: [file for file in files if file.content_id] for name, files in self._same_name.items()}

        def named(match: re.Match[str]) -> str:
            files = waiting.get(match[1])
            return f"[{files.pop(0).name}]" if files else match[0]

        return NAMED_PICTURE.sub(named, text)


def _children(part: Message) -> Iterator[Message]:
    payload: Any = part.get_payload()
    yield from (child for child in payload if isinstance(child, Message)) if isinstance(payload, list) else ()


def _content(part: Message) -> bytes:
    """The decoded bytes of a part of a mail without subparts."""
    encoding = str(part.get("Content-Transfer-Encoding", ""))
    if encoding != encoding.strip():  # the library only knows the bare word
        part.replace_header("Content-Transfer-Encoding", encoding.strip())
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _is_file(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).split(";")[0].strip().lower()
    return disposition == "attachment" or (disposition == "inline" and bool(_file_name(part)))


def _file_name(part: Message) -> str:
    """The declared name of a file in a mail, decoded (RFC 2231, and encoded words, which many programs use)."""
    readable = Message()  # the same headers as text, even if programs did not encode them
    for header in ("Content-Disposition", "Content-Type"):
        for value in written_headers(part, header)[:1]:
            readable[header] = value
    name: Any = readable.get_param("filename", "", "Content-Disposition") or readable.get_param("name", "")
    if isinstance(name, tuple):
        charset, _language, letters = name
        return decoded_text(letters.encode("latin-1", "replace"), charset or "").strip()
    return decoded_words(name or "").strip()


def _name_of_mail(part: Message) -> str:
    """The name of an attached mail: its subject."""
    subjects = [subject for child in _children(part) for subject in written_headers(child, "Subject")]
    words = re.sub(r"[/\\:]", " ", decoded_words(subjects[0][:LONGEST_SUBJECT]) if subjects else "").split()
    return " ".join(words) + ".eml" if words else ""


def _numbered(name: str) -> Iterator[str]:
    """The name of a file in a mail, then those for further files with the same name: `image (2).png`."""
    path = PurePath(name)
    yield name
    yield from (f"{path.stem} ({number}){path.suffix}" for number in itertools.count(2))


def _safe_name(name: str, kind: str, number: int) -> str:
    """A name that the portal allows for a file in a mail; a file without one is named by its type and position."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(
        character for character in name if character in f" {JOINERS}" or unicodedata.category(character)[0] not in "CZ"
    )
    name = name.strip(". ")
    if not name:
        return f"attachment-{number}{'.eml' if kind == 'message/rfc822' else mimetypes.guess_extension(kind) or ''}"
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:LONGEST_NAME]}{dot}{ending[:LONGEST_ENDING]}" if dot else name[:LONGEST_NAME]

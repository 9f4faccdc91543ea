"""Writes the headers of letters, and reads them back from the outbox.

Python's own folding (3.11) loses spaces between words that are not ASCII, and the quotes around a name that contains a
word longer than a line or is folded a second time: its commas and brackets would then be read as further recipients
(cpython issue 92081). It also encodes other words longer than a line, which is not allowed in `List-Unsubscribe` and
`References`: mail programs then do not find the address. Here, text that is not ASCII is encoded as a whole, as is a
name longer than a line; other text is broken only at its spaces, and what was folded once stays unchanged.
"""

import email
from email.header import Header
from email.headerregistry import Address, AddressHeader, MessageIDHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import TYPE_CHECKING, Any

from portal.texts import fits_one_line

LINE = 76  # characters, of a line with an encoded word (RFC 2047)
LINE_BREAK = "\r\n"

if TYPE_CHECKING:
    Base = EmailPolicy[EmailMessage]
else:
    Base = EmailPolicy


def header_address(name: str, spec: str) -> Address:
    """An address for a letter's header: as plain text, “victim, evil@e.com <a@b.com>” would be two recipients."""
    return Address(header_text(name), addr_spec=spec)


def header_text(text: str) -> str:
    """`text` for a header: one line, without anything that would be read as an encoded word (RFC 2047).

    Python decodes "=?utf-8?b?…?=" when a header is set, and writes out its content, even line breaks and headers.
    """
    visible = "".join(character for character in text if fits_one_line(character) or character.isspace())
    return " ".join(visible.split()).replace("=?", "= ?")


class LetterPolicy(Base):
    """Python's policy for SMTP, with other folding of texts and addresses."""

    def fold(self, name: str, value: Any) -> str:
        """A header as lines."""
        text = str(value)
        if isinstance(value, AddressHeader):
            folded = f",{LINE_BREAK} ".join(_address(name, address) for address in value.addresses)
        elif isinstance(value, UnstructuredHeader | MessageIDHeader):
            folded = _broken_at_spaces(name, text) if text.isascii() else _encoded(name, text)
        else:
            return super().fold(name, value)
        return f"{name}: {folded}{LINE_BREAK}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """A header of a letter as lines, in bytes."""
        return self.fold(name, value).encode("ascii")


LETTER_POLICY = LetterPolicy(linesep=LINE_BREAK, refold_source="none")


def parse_letter(message: str) -> EmailMessage:
    """The letter with the source `message`, its headers as they were written."""
    return email.message_from_string(message, policy=LETTER_POLICY)


def _address(header: str, address: Address) -> str:
    if not address.display_name:
        return address.addr_spec
    mailbox = f"<{address.addr_spec}>"
    phrase = str(address).removesuffix(mailbox).rstrip()  # in quotes if needed, which are not broken
    if not phrase.isascii() or len(f"{header}: {phrase}") > LINE:
        phrase = _encoded(header, address.display_name)
    last_line = phrase.rpartition(LINE_BREAK)[2]
    fits = len(f"{header}: {last_line} {mailbox}") <= LINE
    return f"{phrase} {mailbox}" if fits else f"{phrase}{LINE_BREAK} {mailbox}"


def _encoded(header: str, text: str) -> str:
    return Header(text, "utf-8", LINE, header).encode(linesep=LINE_BREAK)


def _broken_at_spaces(header: str, text: str) -> str:
    first, *others = text.split(" ")
    parts, length = [first], len(f"{header}: {first}")
    for word in others:
        fits = length + 1 + len(word) <= LINE
        parts.append(f" {word}" if fits else f"{LINE_BREAK} {word}")
        length = length + 1 + len(word) if fits else 1 + len(word)
    return "".join(parts)

"""Decodes the bytes of mails: in the character set that they name, or the one that programs mean by that name."""

import codecs
import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from portal.texts import fits_one_line

# Programs often use more characters than the named set has; each of these is a superset of the named one.
MEANT = {
    "ascii": "windows-1252", "us-ascii": "windows-1252", "iso-8859-1": "windows-1252", "latin1": "windows-1252",
    "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-8859-9": "windows-1254",
    "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
}  # fmt: skip
# Python's own, which no mail uses; some take minutes for a megabyte.
NOT_OF_MAILS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
ESCAPED = "iso-2022"  # the prefix of character sets that encode everything in ASCII, with escapes
JAPANESE_ESCAPES = (b"\x1b$B", b"\x1b$@")


def decoded_text(content: bytes, charset: str) -> str:
    """Bytes decoded with a character set, else as UTF-8, else as Windows-1252. `charset` may be unknown, or ""."""
    named = charset.strip().strip("\"'").lower()
    if not named and any(escape in content for escape in JAPANESE_ESCAPES):
        named = "iso-2022-jp"
    if named.startswith(ESCAPED) and (text := _decoded(content, named, "replace")) is not None:
        return text  # as UTF-8, its escapes would be no error, and the whole text would be lost
    utf_8_first = named in ("", "ascii", "us-ascii")  # what claims to be ASCII and is not is seldom anything else
    tried = ("utf-8", MEANT.get(named, named)) if utf_8_first else (MEANT.get(named, named), "utf-8")
    for name in tried:
        text = _decoded(content, name)
        if text is not None:
            return text.removeprefix("\ufeff")
    return content.decode("windows-1252", "replace")


def _decoded(content: bytes, charset: str, errors: str = "strict") -> str | None:
    try:
        known = codecs.lookup(charset).name not in NOT_OF_MAILS
        return content.decode(charset, errors) if known else None
    except (LookupError, ValueError):
        return None


def decoded_words(header: str) -> str:
    """A header with its encoded words (RFC 2047) decoded; what cannot be decoded stays as written."""
    try:
        words = decode_header(header)
    except (MessageError, LookupError, ValueError):
        words = [(header, None)]
    plain = "ascii" if header.isascii() else "raw-unicode-escape"  # the library's form of parts that are not encoded
    decoded = "".join(_decoded_word(word, charset, plain) for word, charset in words)
    return "".join(character if fits_one_line(character) else " " for character in decoded)


def _decoded_word(word: str | bytes, charset: str | None, plain: str) -> str:
    if isinstance(word, str):
        return word
    return decoded_text(word, charset) if charset else word.decode(plain, "replace")


def written_headers(message: Message, header: str) -> list[str]:
    """The headers of a mail with a name, their bytes decoded. Those that are not ASCII, which programs write although
    they must not, are read as UTF-8 if valid, else as Windows-1252."""
    values = [value for name, value in message.raw_items() if name.lower() == header.lower()]
    contents = [str(value).encode("ascii", "surrogateescape") for value in values]
    return [decoded_text(content, "utf-8") for content in contents]


def charset_of_html(content: bytes) -> str:
    """The character set that an HTML text declares, else ""."""
    named = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", content[:4_096], re.IGNORECASE)
    return named[1].decode("ascii") if named else ""

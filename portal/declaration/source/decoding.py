"""Decodes the bytes of a file into text, or says in one sentence why they are not text, with the place."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

from portal.declaration.source.problems import KeyPath
from portal.declaration.source.syntax_errors import LineAndColumn, what_is_not_yaml
from portal.declaration.source.text_lines import LINE_BREAK

LARGEST_FILE = 16_000_000
MOST_TAG_LINES = 100
# The first bytes of pictures, archives (including word processor files) and PDF.
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"SQLite ")
_ENCODINGS = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
)
# The parser compares each of these lines with all previous ones: a megabyte of them would take minutes.
_TAG_LINE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%TAG")
# What YAML considers not printable (YAML 1.2 §5.1): binary files, and stray bytes.
_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableError(Exception):
    """The file cannot be read from `place` on."""

    def __init__(self, place: LineAndColumn, message: str, path: KeyPath = ()) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.path = path


def decode(raw: bytes) -> str:
    """The bytes of a YAML file as text. Raises UnreadableError."""
    if len(raw) > LARGEST_FILE:
        raise UnreadableError((1, 1), "the file is larger than 16 MB")
    mark, encoding = next(((mark, name) for mark, name in _ENCODINGS if raw.startswith(mark)), (b"", "utf-8"))
    raw = raw[len(mark) :]
    if wrong := _not_text(raw, encoding):
        raise UnreadableError((1, 1), wrong)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding)
        raise UnreadableError(_end(before), _wrong_byte(raw, error.start, encoding)) from None
    if control := _CONTROL.search(text):
        character = f"U+{ord(control.group()):04X}"
        wrong = f"the character {character} is not allowed in YAML: remove it, or save the file as UTF-8"
        raise UnreadableError(_end(text[: control.start()]), wrong)
    if "%TAG" in text and len(_TAG_LINE.findall(text)) > MOST_TAG_LINES:
        raise UnreadableError((1, 1), '"%TAG" is not used here: remove these lines')
    if (trace := what_is_not_yaml(text)) is not None:
        raise UnreadableError(*trace)
    return text


def _wrong_byte(raw: bytes, place: int, encoding: str) -> str:
    """The sentence for a byte that is invalid in `encoding`: most such files are in the old encoding of Windows."""
    wrong = f"the byte 0x{raw[place]:02X} is not {encoding[:6].upper()}: save it as UTF-8"
    character = raw[place : place + 1].decode("cp1252", "ignore")
    if encoding != "utf-8" or not character.isalpha():
        return wrong
    return (
        f'{wrong} (in Windows-1252 it is "{character}": choose UTF-8 in "Save as" of your editor, or run'
        " iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW)"
    )


def _not_text(raw: bytes, encoding: str) -> str | None:
    """Why this is not a text file at all, or None."""
    if encoding != "utf-8":
        return None
    beginning = raw[:1000]
    zeros = beginning.count(0)
    if zeros > 3 and zeros >= len(beginning) // 2 - 1 and not beginning.startswith(_BINARY):
        return "this file is in UTF-16 or UTF-32: save it as UTF-8"
    controls = sum(byte < 32 and byte not in b"\t\n\r" for byte in beginning)
    if beginning.startswith(_BINARY) or controls > max(3, len(beginning) // 20):
        return "this is not a text file: it looks like a picture, an archive or a document of another program"
    return None


def _end(text: str) -> LineAndColumn:
    """The place in the decoded file just after `text`."""
    lines = LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1

"""The type of a file, from its bytes and its name together: neither alone can be trusted."""

from pathlib import PurePath
from typing import BinaryIO

from portal.lazy import LazyModule

puremagic = LazyModule("puremagic")  # 1.4 MB that only files need
HEAD = 64 * 1024  # bytes that are examined
UNKNOWN = "application/octet-stream"
TEXT = {".txt": "text/plain", ".log": "text/plain", ".csv": "text/csv", ".md": "text/markdown"}
# What a browser may show in its own viewer, under a sandboxing policy. Everything else is downloaded.
SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}


def media_type(source: BinaryIO, name: str) -> str:
    """The media type of `source` with the file name `name`; the position of `source` is kept."""
    position = source.tell()
    head = source.read(HEAD)
    source.seek(position)
    ending = PurePath(name).suffix.lower()
    try:
        guess = puremagic.from_string(head, mime=True, filename=name) if head else ""
    except (puremagic.PureError, ValueError):
        guess = ""
    if guess:
        return guess
    return TEXT.get(ending, UNKNOWN) if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    """Whether bytes of a file are UTF-8 without control characters; the last character may be cut off."""
    return is_utf8(head) and not any(character < 32 and character not in b"\t\n\r\f" for character in head)


def is_utf8(head: bytes) -> bool:
    """Whether a text file that begins like this is UTF-8; the last character may be cut off."""
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

"""Plain text with clickable addresses, and the pictures of a mail in their original places.

Addresses are http, https, mailto, bare email addresses, and text that begins with www.; nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from portal.texts import UNSPACED

# Ends an address: spaces, quotes, and Chinese and Japanese punctuation, which has no spaces around it.
ENDS = r"\s<>\"“”«»\x00-\x1f\u200b\u3000-\u3020\uff01-\uff0f\uff1a-\uff1f\uff5b-\uff65"
LABEL = rf"(?:(?!{UNSPACED.pattern})[\w-])+"
ADDRESS = re.compile(
    rf"(?:(?<![\w.+/-])|(?<={UNSPACED.pattern}))"
    rf"(?:(?:https?://|mailto:)[^{ENDS}]+|[A-Za-z0-9][\w.+-]{{0,63}}@{LABEL}(?:\.{LABEL})+|www\.[\w-]+\.[^{ENDS}]+)",
    re.IGNORECASE,
)
CLOSING = {")": "(", "]": "[", "}": "{"}
PUNCTUATION = ".,;:!?'’*_…"

# The addresses of files and of their previews, by the names of the files.
Pictures = Mapping[str, tuple[str, str]]


class Piece(NamedTuple):
    """A part of a text. `url`: where it leads, if it is a link; `picture`: the preview shown instead of it."""

    text: str
    url: str = ""
    picture: str = ""


def linked_text(text: str) -> tuple[Piece, ...]:
    """The pieces of a text, of which addresses are links; joined, they are the original text."""
    return tuple(piece for piece in _pieces(text) if piece.text)


def with_pictures(text: str, pictures: Pictures) -> tuple[Piece, ...]:
    """Like `linked_text`, with pictures where their names are in brackets: `[photo.jpg]`."""
    if not pictures or "[" not in text:
        return linked_text(text)
    names = re.compile(r"\[(" + "|".join(map(re.escape, pictures)) + r")\]")
    parts = names.split(text)  # text, name, text, name, … text
    pieces: list[Piece] = []
    for index, part in enumerate(parts):
        if index % 2:
            url, preview = pictures[part]
            pieces.append(Piece(part, url, picture=preview))
        else:
            pieces += linked_text(part)
    return tuple(pieces)


def _pieces(text: str) -> Iterator[Piece]:
    end = 0
    for match in ADDRESS.finditer(text):
        address = _without_punctuation(match[0])
        if url := _url(address):
            yield Piece(text[end : match.start()])
            yield Piece(address, url)
            end = match.start() + len(address)
    yield Piece(text[end:])


def _without_punctuation(address: str) -> str:
    """An address in a text without the punctuation of the sentence around it: “(see https://a.example/b).”"""
    surplus = {last: address.count(last) - address.count(first) for last, first in CLOSING.items()}
    end = len(address)
    while end and (address[end - 1] in PUNCTUATION or surplus.get(address[end - 1], 0) > 0):
        if address[end - 1] in CLOSING:
            surplus[address[end - 1]] -= 1
        end -= 1
    return address[:end]


def _url(address: str) -> str:
    """Where an address in a text leads; empty if it leads nowhere."""
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() in ("http", "https"):
        try:
            return address if urlsplit(address).hostname else ""
        except ValueError:
            return ""
    if colon and scheme.lower() == "mailto":
        return address if "@" in rest.strip("@") else ""
    return f"mailto:{address}" if "@" in address else f"https://{address}"

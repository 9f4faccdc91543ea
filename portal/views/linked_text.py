"""Addresses in plain text that can be clicked: http, https, mailto, and bare email addresses; nothing else is one."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

ADDRESS = re.compile(
    r"(?<![\w.+/-])"
    r"(?:(?:https?://|mailto:)[^\s<>\"“”«»\x00-\x1f]+|[A-Za-z0-9][\w.+-]{0,63}@[\w-]+(?:\.[\w-]+)+)",
    re.IGNORECASE,
)
CLOSING = {")": "(", "]": "[", "}": "{"}
PUNCTUATION = ".,;:!?'’*_…"


class Piece(NamedTuple):
    """A part of a text; `url` is empty where it is no link."""

    text: str
    url: str = ""


def linked_text(text: str) -> tuple[Piece, ...]:
    """`text` in pieces, which joined are the text again."""
    return tuple(piece for piece in _pieces(text) if piece.text)


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
    """The address without what ends the sentence around it: “(see https://a.example/b).”"""
    surplus = {last: address.count(last) - address.count(first) for last, first in CLOSING.items()}
    end = len(address)
    while end and (address[end - 1] in PUNCTUATION or surplus.get(address[end - 1], 0) > 0):
        if address[end - 1] in CLOSING:
            surplus[address[end - 1]] -= 1
        end -= 1
    return address[:end]


def _url(address: str) -> str:
    """Where the address leads; empty where it leads nowhere."""
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() in ("http", "https"):
        try:
            return address if urlsplit(address).hostname else ""
        except ValueError:
            return ""
    if colon and scheme.lower() == "mailto":
        return address if "@" in rest.strip("@") else ""
    return f"mailto:{address}"

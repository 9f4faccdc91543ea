"""Sanitized HTML as nodes, for a template that is not HTML."""

import re
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup

Node = str | dict[str, Any]  # a text, or {"tag", "href", "body": its nodes}

DEEPEST = 12  # nesting levels; what is nested deeper goes into the last one
WITHOUT_END = {"br", "hr", "img"}
INLINE = {
    "a", "abbr", "b", "br", "cite", "code", "del", "em", "i", "img", "ins", "kbd", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "u",
}  # fmt: skip
SPACE = re.compile(r"[ \t\r\n\f]+")  # not non-breaking spaces


def html_nodes(html: Markup) -> list[Node]:
    """The nodes of HTML from nh3, in which every element is closed."""
    parser = _Nodes()
    parser.feed(html)
    parser.close()
    return parser.root


class _Nodes(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root: list[Node] = []
        self._open: list[tuple[str, list[Node]]] = [("", self.root)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts, (_parent, around) = dict(attrs), self._open[-1]
        body: list[Node] = [facts.get("alt") or ""] if tag == "img" else []
        if len(self._open) <= DEEPEST:
            around.append({"tag": tag, "href": facts.get("href") or "", "body": body})
        else:
            body = around
        if tag not in WITHOUT_END:
            self._open.append((tag, body))

    def handle_endtag(self, tag: str) -> None:
        if len(self._open) > 1 and tag not in WITHOUT_END:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        parent, body = self._open[-1]
        if any(tag == "pre" for tag, _body in self._open):
            body.append(data)
            return
        begins_line = not _is_inline(body[-1]) if body else parent not in INLINE
        text = SPACE.sub(" ", data)
        if text := text.lstrip(" ") if begins_line else text:
            body.append(text)


def _is_inline(node: Node) -> bool:
    return isinstance(node, str) or node["tag"] in INLINE - {"br"}

"""The text of an HTML mail: paragraphs as lines, quoted blocks with ">" as in plain mails, pictures by name."""

import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser

BLOCKS = {
    "address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"}
UNSEEN = {"head", "script", "style", "title", "template", "noscript", "svg", "math"}
DEEPEST_QUOTE = 20
ITEM = "- "  # before items of an unordered list
LISTS = ("ol", "ul")
NESTED = ("blockquote", "pre", "sup")
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NUMBER = re.compile(r"[0-9]{1,6}")
COMMENT = re.compile(r"<!--(?:-?>|.*?-->)", re.DOTALL)


def text_of_html(html: str, pictures: Mapping[str, str]) -> str:
    """`html` as plain text. `pictures`: file names by content id, shown in brackets in place of the pictures."""
    reader = _Reader(pictures)
    reader.feed(_without_unfinished(html))
    reader.close()
    return reader.text()


def _without_unfinished(html: str) -> str:
    """`html` without comments and unfinished tags: the library would look for the end of each again and again, which
    would take hours for a hostile mail."""
    commented, end, rest = html.rpartition("-->")
    tags, end, rest = (COMMENT.sub("", f"{commented}{end}") + rest.replace("<!--", "")).rpartition(">")
    return f"{tags}{end}{rest.replace('<', '&lt;')}"


class _Reader(HTMLParser):
    def __init__(self, pictures: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.pictures = pictures
        self.lines: list[str] = []
        self.line: list[str] = []
        self.has_text = False  # whether the line has any: looking for it would take minutes for a hostile mail's cells
        self.unseen = 0
        self.depth: Counter[str] = Counter()  # how many elements of NESTED are open
        self.numbers: list[int | None] = []  # for each open list, the number of its next item, if it is ordered
        self.item = ""  # the mark of the item that begins on this line
        self.link = ""
        self.link_start = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in UNSEEN:
            self.unseen += 1
        if tag in BLOCKS and not self._begins_item():  # a paragraph in an item goes next to its mark
            is_empty_line = tag == "br" and not self.has_text
            self._end_line(paragraph=tag in PARAGRAPHS or is_empty_line)
        if tag in NESTED:
            self.depth[tag] += 1
        elif tag in LISTS:
            self._begin_list(tag, attributes.get("start") or "")
        elif tag == "li":
            self._begin_item()
        elif tag in ("td", "th") and self.has_text:
            self.line.append("\t")
        elif tag == "img":
            self._add_picture(attributes.get("src") or "", attributes.get("alt") or "")
        elif tag == "a":
            self.link, self.link_start = attributes.get("href") or "", len(self.line)

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        if tag in BLOCKS:
            self._end_line(paragraph=tag in PARAGRAPHS)
        if tag in NESTED:
            self.depth[tag] = max(0, self.depth[tag] - 1)
        elif tag in LISTS and self.numbers:
            self.numbers.pop()
        elif tag == "a" and self.link:
            self._end_link()

    def handle_data(self, data: str) -> None:
        if self.unseen:
            return
        if self.depth["pre"]:
            first, *others = data.split("\n")
            self._add(first)
            for line in others:
                self._end_line()
                self._add(line)
        else:
            words = " ".join(data.replace("\xa0", " ").split())
            words = words.translate(RAISED) if self.depth["sup"] else words  # 10² is not 102
            before = " " if data[:1].isspace() and self.line else ""
            after = " " if words and data[-1:].isspace() else ""
            self._add(f"{before}{words}{after}")

    def text(self) -> str:
        """The text read so far."""
        self._end_line()
        while self.lines and not self.lines[-1].strip("> "):
            self.lines.pop()
        return "\n".join(self.lines).strip("\n")

    def _add(self, text: str) -> None:
        self.line.append(text)
        self.has_text = self.has_text or bool(text.strip())

    def _add_picture(self, source: str, alternative: str) -> None:
        name = self.pictures.get(source.removeprefix("cid:"))
        if name or any(map(str.isalnum, alternative)):
            self._add(f"[{name or alternative}]")
        else:  # an emoji as a picture
            self._add(alternative.strip())

    def _begin_list(self, tag: str, start: str) -> None:
        first = int(start) if NUMBER.fullmatch(start) else 1
        self.numbers.append(first if tag == "ol" else None)

    def _begin_item(self) -> None:
        number = self.numbers[-1] if self.numbers else None
        self.item = ITEM if number is None else f"{number}. "
        if number is not None:
            self.numbers[-1] = number + 1
        self._add(self.item)

    def _begins_item(self) -> bool:
        return bool(self.item) and len(self.line) <= 2 and "".join(self.line).strip() == self.item.strip()

    def _end_link(self) -> None:
        """Adds the address of a link in an HTML mail, unless that is its text."""
        shown, target = "".join(self.line[self.link_start :]).strip(), self.link
        if target.startswith("mailto:"):
            target = target.removeprefix("mailto:").partition("?")[0]
        elif not target.startswith(("http://", "https://")):
            target = ""
        if target and target.rstrip("/") not in (shown, shown.rstrip("/")):
            self._add(f" <{target}>")
        self.link = ""

    def _end_line(self, paragraph: bool = False) -> None:
        text = "".join(self.line)
        text = text.rstrip() if self.depth["pre"] else re.sub(" {2,}", " ", text).strip()
        self.line, self.has_text, self.link_start, self.item = [], False, 0, ""
        mark = "> " * min(self.depth["blockquote"], DEEPEST_QUOTE)
        if text:
            self.lines.append(f"{mark}{text}")
        if paragraph and self.lines and self.lines[-1].strip("> "):
            self.lines.append(mark.rstrip())

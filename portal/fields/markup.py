"""Safe HTML for the fields markdown and html: renders, sanitizes, and extracts words.

Loaded when first used: portals without such fields do not need its libraries.
"""

import html
import re
from collections.abc import Callable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from portal.fields.linked_text import linked_text

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# Other elements in people's HTML; a tag with any other name is text: “<anna@acme.example>”.
OTHER_ELEMENTS = {
    "article", "aside", "base", "big", "body", "button", "center", "col", "colgroup", "details", "embed", "figure",
    "font", "footer", "form", "head", "header", "html", "iframe", "input", "label", "link", "main", "meta", "nav",
    "noscript", "object", "option", "picture", "script", "section", "select", "source", "strike", "style", "summary",
    "svg", "textarea", "time", "title", "tt", "video", "wbr",
}  # fmt: skip
MARKUP = re.compile(
    rf"<(?:!|/?(?:{'|'.join(sorted(TAGS | OTHER_ELEMENTS))})(?=[\s/>]))|&(?:#\d+|#x[0-9a-f]+|[a-z]+\d*);", re.IGNORECASE
)
SCHEMES = {"http", "https", "mailto", "tel"}
TAG = re.compile("<[^>]*>")
# For many tags, an HTML parser searches all open elements: the work grows with the square of the depth.
DEEPEST = 250
TAG_BEGINS = re.compile("<(/?)([a-zA-Z][a-zA-Z0-9]*)")
WITHOUT_END = ("br", "hr", "img")
ENDED_BY_NEXT = ("p", "li", "dt", "dd")
ENDED_BY_PARENT = (*ENDED_BY_NEXT, "td", "th", "tr", "thead", "tbody", "tfoot")
PARENTS = ("ul", "ol", "dl", "table", "tr", "thead", "tbody", "tfoot")
# A picture of this host, by the address of a file: no export or list that each reader's browser would load.
OWN_PICTURE = re.compile(
    r"/(?![/\\])[^\x00-\x20\\?#]*(?:/files/\d+(?:/preview)?|\.(?:png|jpe?g|gif|webp))", re.ASCII | re.IGNORECASE
)
RENDERER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def _link_addresses(state: StateCore) -> None:
    """Turns addresses in the texts of rendered Markdown into links, except within links and code."""
    for block in state.tokens:
        inside, tokens = 0, list[Token]()
        for token in block.children or ():
            inside += (token.type == "link_open") - (token.type == "link_close")
            tokens += [token] if inside or token.type != "text" else _with_links(token, state.md.normalizeLink)
        block.children = tokens


def _with_links(token: Token, address: Callable[[str], str]) -> Iterator[Token]:
    for piece in linked_text(token.content):
        if piece.url:
            yield Token("link_open", "a", 1, attrs={"href": address(piece.url)})
        yield Token("text", "", 0, content=piece.text)
        if piece.url:
            yield Token("link_close", "a", -1)


RENDERER.core.ruler.push("addresses", _link_addresses)


def rendered(text: str) -> str:
    """Markdown as HTML, not yet sanitized."""
    return RENDERER.render(text)


def as_markup(text: str) -> str:
    """HTML unchanged; plain text as HTML with the same lines and paragraphs."""
    if MARKUP.search(text):
        return text
    paragraphs = re.split(r"\n\s*\n", html.escape(text, quote=False))
    lines = [paragraph.strip().replace("\n", "<br>") for paragraph in paragraphs]
    return "".join(f"<p>{line}</p>" for line in lines) if "\n" in text else lines[0]


def sanitized(markup: str) -> str:
    """`markup` without scripts, styles, forms, frames, and images that are no files of this site: others would learn
    who reads it."""
    return nh3.clean(
        _shallow(markup),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=SCHEMES,
        link_rel="noopener",
        strip_comments=True,
    )


def _shallow(markup: str) -> str:
    """`markup` with nothing nested deeper than DEEPEST: anything deeper becomes text.

    An element counts until its own end tag, in the right place, so that a parser never has more of them open.
    """
    opened: list[str] = []
    for tag in TAG_BEGINS.finditer(markup):
        name = tag[2].lower()
        if tag[1] and name in PARENTS:
            _end_parent(name, opened)
        elif opened and name == opened[-1] and (tag[1] or name in ENDED_BY_NEXT):
            opened.pop()
        if not tag[1] and name not in WITHOUT_END:
            opened.append(name)
        if len(opened) > DEEPEST:
            return markup[: tag.start()] + html.escape(markup[tag.start() :])
    return markup


def _end_parent(name: str, opened: list[str]) -> None:
    """Removes the HTML element `name`, and those in it without their own end tags; does nothing if another is open."""
    depth = len(opened)
    while depth and opened[depth - 1] != name and opened[depth - 1] in ENDED_BY_PARENT:
        depth -= 1
    if depth and opened[depth - 1] == name:
        del opened[depth - 1 :]


def _attribute(tag: str, name: str, value: str) -> str | None:
    return None if tag == "img" and name == "src" and not OWN_PICTURE.fullmatch(value) else value


def without_markup(markup: str) -> str:
    """The words of `markup`, on one line."""
    # Without attributes, there is no ">" inside a tag.
    text = nh3.clean(_shallow(markup), tags=TAGS, attributes={}, link_rel=None)
    return " ".join(html.unescape(TAG.sub(_space, text)).split())


def _space(tag: re.Match[str]) -> str:
    """What separates words in HTML without its tags: a space for blocks, nothing for inline elements (bold letters)."""
    inline = ("a", "abbr", "b", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s", "small", "span")
    return "" if tag[0].strip("</>").lower() in (*inline, "strong", "sub", "sup", "u") else " "

"""Fast drawing: cells of tables from markup that is reused, menus and unused filters from a cache.

A list shows two hundred values of a handful of kinds. The macro of a kind runs once, with placeholders for what differs
from record to record; its later values replace the placeholders, escaped. The cache holds kinds only (their icons and
tones come from the declaration), nothing of a record or of a person.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from markupsafe import Markup, escape

# Private-use characters in place of what differs between values of one kind. A value that holds one is drawn as it is:
# placeholders are looked for in the markup of the kind, never in a value.
BORDER = "\uf8d0"
PLACEHOLDERS = {"text": "\uf8d1", "url": "\uf8d2", "iso": "\uf8d3", "note": "\uf8d4", "short": "\uf8d5"}
MOST_KINDS = 5_000  # cached

Kind = tuple[Any, ...]
Pieces = tuple[tuple[str, str], ...]  # markup, and the placeholder behind it: a name of PLACEHOLDERS or ""
NOT_REUSABLE: Pieces = ()  # in the place of the pieces of a kind whose values are drawn one by one


class Shown(Protocol):
    """The attributes of views.displays.Value that are drawn here."""

    @property
    def macro(self) -> str: ...
    @property
    def reusable(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def iso(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def short(self) -> str: ...
    @property
    def tone(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def matches(self) -> tuple[tuple[str, bool], ...]: ...


class ColumnShown(Protocol):
    """The attributes of views.pages.Column that are drawn here."""

    @property
    def classes(self) -> str: ...
    @property
    def cell_label(self) -> Any: ...


class CellTemplates:
    """The cache of the drawn kinds, for all portals and languages of one process."""

    def __init__(self) -> None:
        self._cache: dict[Kind, Any] = {}

    def pieces(self, kind: Kind, draw: Callable[[], str]) -> Pieces:
        """The pieces of a kind; `draw` draws it with placeholders."""
        return self._cached(kind, lambda: tuple(_split(draw())))

    def whole(self, kind: Kind, draw: Callable[[], str]) -> Markup:
        """The markup of what always looks the same."""
        return self._cached(kind, lambda: Markup(draw()))  # noqa: S704 what a template drew

    def _cached(self, kind: Kind, make: Callable[[], Any]) -> Any:
        cached = self._cache.get(kind)
        if cached is None:
            if len(self._cache) >= MOST_KINDS:
                self._cache.clear()
            cached = self._cache[kind] = make()
        return cached


def _split(markup: str) -> Iterator[tuple[str, str]]:
    names, start = {character: name for name, character in PLACEHOLDERS.items()}, 0
    for place, character in enumerate(markup):
        if character in names:
            yield markup[start:place], names[character]
            start = place + 1
    yield markup[start:], ""


class CellRenderer:
    """Draws the cells, menus and filters of one page; `page`: what their markup depends on too, icons and languages."""

    def __init__(self, templates: CellTemplates, draw: Callable[..., str], page: tuple[str, ...]) -> None:
        self._templates, self._draw, self._page = templates, draw, page
        self._pieces_of_page: dict[Kind, Pieces] = {}

    def cells(self, columns: Sequence[ColumnShown], values: Sequence[Shown]) -> Markup:
        """The cells of a row."""
        line = Line()
        for column, value in zip(columns, values, strict=True):
            self._cell(line, column, value)
        return line.markup()

    def _cell(self, line: "Line", column: ColumnShown, value: Shown) -> None:
        label = column.cell_label
        kind = (value.macro, column.classes, label, bool(value.url), bool(value.note), value.tone, value.icon)
        pieces = self._pieces_of_page.get(kind)
        if pieces is None and not value.reusable:
            pieces = self._pieces_of_page[kind] = NOT_REUSABLE
        elif pieces is None:
            pieces = self._pieces(kind, column.classes, value, label)
        if pieces is NOT_REUSABLE:
            line.add(self._macro(column.classes, value, label))
            return
        for markup, slot in pieces:
            line.add(markup)
            if slot == "text" and value.matches:
                self._matches(line, value)
            elif slot:
                line.add_text(getattr(value, slot))

    def _matches(self, line: "Line", value: Shown) -> None:
        """A text in which what was searched for is marked."""
        (before, _text), (after, _end) = self._pieces(("matched",), "", Matched())
        for text, matched in value.matches:
            line.add(before if matched else "")
            line.add_text(text)
            line.add(after if matched else "")

    def menu(self, items: tuple[Any, ...]) -> Markup:
        """Items of the menu: each is the same for all people of a profile, but for how much is new to them."""
        if len(items) > 1 and any(item.new for item in items):
            return Markup("").join(self.menu((item,)) for item in items)
        return self._templates.whole(("menu", *self._page, items), lambda: self._draw("menu.pt", items=items))

    def _pieces(self, kind: Kind, classes: str, value: Shown, label: Any = "") -> Pieces:
        pieces = self._pieces_of_page.get(kind)
        if pieces is None:
            template = CellTemplate(kind[0], value)
            draw = lambda: self._macro(classes, template, label)  # noqa: E731
            pieces = self._pieces_of_page[kind] = self._templates.pieces((*self._page, *kind), draw)
        return pieces

    def filter(self, state: Any, form: str) -> Markup:
        """The filter of a column; one that is not used looks the same for everyone."""
        if state.used or state.error:
            return Markup(self._draw("filter.pt", filter=state, form=form))  # noqa: S704 what the template drew
        return self._templates.whole(
            ("filter", *self._page, state, form), lambda: self._draw("filter.pt", filter=state, form=form)
        )

    def _macro(self, classes: str, value: Any, label: Any = "") -> str:
        name = "cell.pt" if classes else "value.pt"
        return self._draw(name, value=value, classes=classes, label=label, compact=True).strip()


class Line:
    """Markup and text in turn. All texts are escaped in one call, since each call has its cost."""

    def __init__(self) -> None:
        self._parts = [""]

    def add(self, markup: str) -> None:
        """Add markup of a template."""
        self._parts[-1] += markup

    def add_text(self, text: str) -> None:
        """Add a text, which will be escaped."""
        self._parts += (text, "")

    def markup(self) -> Markup:
        """The markup of the whole line."""
        texts = self._parts[1::2]
        escaped = str(escape(BORDER.join(texts))).split(BORDER)
        whole = len(escaped) == max(len(texts), 1)  # unless one of them holds a border
        self._parts[1::2] = escaped[: len(texts)] if whole else [str(escape(text)) for text in texts]
        return Markup("".join(self._parts))  # noqa: S704 pieces of the template, and escaped texts


class CellTemplate:
    """A value of one kind with placeholders for what differs."""

    matches, reusable = (), True

    def __init__(self, name: str, value: Shown) -> None:
        self.macro, self.tone, self.icon = name, value.tone, value.icon
        self.text, self.iso = PLACEHOLDERS["text"], PLACEHOLDERS["iso"]
        self.url, self.note = value.url and PLACEHOLDERS["url"], value.note and PLACEHOLDERS["note"]
        self.short = PLACEHOLDERS["short"]


class Matched:
    """The value of the macro that marks a match."""

    macro, text, url, iso, note, short, tone, icon, matches, reusable = "matched", "", "", "", "", "", "", "", (), True

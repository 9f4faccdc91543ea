"""The cells of tables, drawn with displays.pt once per kind and then only filled in; the menu, drawn once.

A list shows two hundred values of a handful of kinds. The macro of a kind is run once with marks in the place of what
differs from record to record; later values of that kind are put in the place of the marks, escaped. What is kept are
the kinds alone (their icons and tones are the declaration's own), nothing of a record or of a person.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from markupsafe import Markup, escape

# What differs between two values of one kind. No text that people type holds these characters on its own account; one
# that did would only be drawn as it is, for marks are looked for in the kind, never in a value.
BORDER = "\uf8d0"
MARKS = {"text": "\uf8d1", "url": "\uf8d2", "iso": "\uf8d3", "note": "\uf8d4"}
MOST_KINDS = 5_000

Kind = tuple[Any, ...]
Pieces = tuple[tuple[str, str], ...]  # markup, and what comes behind it: a name of MARKS or ""


class Shown(Protocol):
    """As much of views.displays.Value as is drawn."""

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
    def tone(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def matches(self) -> tuple[tuple[str, bool], ...]: ...


class CellTemplates:
    """What is known of the kinds that have been drawn, for all portals and languages of one process."""

    def __init__(self) -> None:
        self._known: dict[Kind, Any] = {}

    def pieces(self, kind: Kind, draw: Callable[[], str]) -> Pieces:
        """The pieces of a kind; `draw` draws it with marks."""
        return self._kept(kind, lambda: tuple(_cut(draw())))

    def whole(self, kind: Kind, draw: Callable[[], str]) -> Markup:
        """What always looks the same."""
        return self._kept(kind, lambda: Markup(draw()))  # noqa: S704 what a template drew

    def _kept(self, kind: Kind, make: Callable[[], Any]) -> Any:
        known = self._known.get(kind)
        if known is None:
            if len(self._known) >= MOST_KINDS:
                self._known.clear()
            known = self._known[kind] = make()
        return known


def _cut(drawn: str) -> Iterator[tuple[str, str]]:
    names, start = {mark: name for name, mark in MARKS.items()}, 0
    for place, character in enumerate(drawn):
        if character in names:
            yield drawn[start:place], names[character]
            start = place + 1
    yield drawn[start:], ""


class CellRenderer:
    """Draws what is alike on many pages. `page`: what a drawing depends on besides its value: icons and languages."""

    def __init__(self, sketches: CellTemplates, draw: Callable[..., str], page: tuple[str, ...]) -> None:
        self._sketches, self._draw, self._page = sketches, draw, page
        self._here: dict[Kind, Pieces] = {}

    def cells(self, columns: Sequence[Any], values: Sequence[Shown]) -> Markup:
        """The cells of a row."""
        line = Line()
        for column, value in zip(columns, values, strict=True):
            self._cell(line, column.classes, value)
        return line.drawn()

    def _cell(self, line: "Line", classes: str, value: Shown) -> None:
        if not value.reusable:
            line.add(self._macro(classes, value))
            return
        kind = (value.macro, classes, bool(value.url), bool(value.note), value.tone, value.icon)
        for markup, slot in self._pieces(kind, classes, value):
            line.add(markup)
            if slot == "text" and value.matches:
                self._matches(line, value)
            elif slot:
                line.add_text(getattr(value, slot))

    def _matches(self, line: "Line", value: Shown) -> None:
        """A text with what was searched for marked in it."""
        mark = Matched()
        (before, _text), (after, _end) = self._pieces(("matched",), "", mark)
        for text, matched in value.matches:
            line.add(before if matched else "")
            line.add_text(text)
            line.add(after if matched else "")

    def menu(self, items: tuple[Any, ...]) -> Markup:
        """Items of the menu, the same for everybody of a profile."""
        return self._sketches.whole(("menu", *self._page, items), lambda: self._draw("menu.pt", items=items))

    def _pieces(self, kind: Kind, classes: str, value: Shown) -> Pieces:
        pieces = self._here.get(kind)
        if pieces is None:
            sketch = CellTemplate(kind[0], value)
            draw = lambda: self._macro(classes, sketch)  # noqa: E731
            pieces = self._here[kind] = self._sketches.pieces((*self._page, *kind), draw)
        return pieces

    def filter(self, state: Any, form: str) -> Markup:
        """The filter of a column; one that nobody uses looks the same for everybody."""
        if state.used or state.error:
            return Markup(self._draw("filter.pt", filter=state, form=form))  # noqa: S704 what the template drew
        return self._sketches.whole(
            ("filter", *self._page, state, form), lambda: self._draw("filter.pt", filter=state, form=form)
        )

    def _macro(self, classes: str, value: Any) -> str:
        name = "cell.pt" if classes else "value.pt"
        return self._draw(name, value=value, classes=classes, compact=True).strip()


class Line:
    """Markup and text in turn. The texts are escaped all at once, for what that takes is each call."""

    def __init__(self) -> None:
        self._parts = [""]

    def add(self, markup: str) -> None:
        """What a template drew."""
        self._parts[-1] += markup

    def add_text(self, text: str) -> None:
        """What people see as it is."""
        self._parts += (text, "")

    def drawn(self) -> Markup:
        """The whole line."""
        texts = self._parts[1::2]
        escaped = str(escape(BORDER.join(texts))).split(BORDER)
        whole = len(escaped) == max(len(texts), 1)  # unless one of them holds a border
        self._parts[1::2] = escaped[: len(texts)] if whole else [str(escape(text)) for text in texts]
        return Markup("".join(self._parts))  # noqa: S704 pieces of the template, and escaped texts


class CellTemplate:
    """A value of some kind with marks in the place of what differs."""

    matches, reusable = (), True

    def __init__(self, name: str, value: Shown) -> None:
        self.macro, self.tone, self.icon = name, value.tone, value.icon
        self.text, self.iso = MARKS["text"], MARKS["iso"]
        self.url, self.note = value.url and MARKS["url"], value.note and MARKS["note"]


class Matched:
    """A piece of text for which somebody searched."""

    macro, text, url, iso, note, tone, icon, matches, reusable = "matched", "", "", "", "", "", "", (), True

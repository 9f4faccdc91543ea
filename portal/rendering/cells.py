"""Fast drawing: table rows from reused markup, menus and unused filters from a cache.

A list shows two hundred values of a handful of kinds. The macro of a kind runs once, with placeholders for what differs
between records; each value then replaces the placeholders, escaped. The cache contains only kinds (their icons and
tones come from the declaration), nothing about a record or a person.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup, escape

from portal.views.displays import Value
from portal.views.forms.form_page import Widget
from portal.views.lists.columns import Column
from portal.views.lists.list_rows import ListRow

# Private-use characters as placeholders for what differs between values of one kind. A value that contains one is drawn
# unchanged: placeholders are looked for in the markup of the kind, never in a value.
BORDER = "\uf8d0"
PLACEHOLDERS = {"text": "\uf8d1", "url": "\uf8d2", "iso": "\uf8d3", "note": "\uf8d4", "short": "\uf8d5"}
# … and between rows: the cells, which are not text, go here.
ROW_PLACEHOLDERS = {"id": "\uf8d1", "title": "\uf8d2", "cells": "\uf8d3"}
# … and in the inputs of a form field with one input, or with several.
FIELD_PLACEHOLDERS = {"value": "\uf8d1"} | {str(number): chr(0xF8D2 + number) for number in range(10)}
MOST_KINDS = 5_000  # cached

CellKind = tuple[Any, ...]
Pieces = tuple[tuple[str, str], ...]  # markup, and the placeholder behind it: a name of PLACEHOLDERS or ""
MATCHED = Value(display="matched")  # for the macro that marks a match


class CellTemplates:
    """The cache of drawn kinds, for all portals and languages of one process."""

    def __init__(self) -> None:
        self._cache: dict[CellKind, Any] = {}

    def pieces(self, kind: CellKind, placeholders: Mapping[str, str], draw: Callable[[], str]) -> Pieces:
        """The pieces of a kind; `draw` draws the kind with placeholders."""
        return self._cached(kind, lambda: tuple(_split(draw(), placeholders)))

    def whole(self, kind: CellKind, draw: Callable[[], str]) -> Markup:
        """The markup of something that always looks the same."""
        return self._cached(kind, lambda: Markup(draw()))  # noqa: S704 what a template drew

    def _cached(self, kind: CellKind, make: Callable[[], Any]) -> Any:
        cached = self._cache.get(kind)
        if cached is None:
            if len(self._cache) >= MOST_KINDS:
                self._cache.clear()
            cached = self._cache[kind] = make()
        return cached


def _split(markup: str, placeholders: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names, start = {character: name for name, character in placeholders.items()}, 0
    for place, character in enumerate(markup):
        if character in names:
            yield markup[start:place], names[character]
            start = place + 1
    yield markup[start:], ""


class CellRenderer:
    """Draws the cells, menus and filters of one page; `page`: what else their markup depends on, icons and language."""

    def __init__(self, templates: CellTemplates, draw: Callable[..., str], page: tuple[str, ...]) -> None:
        self._templates, self._draw, self._page = templates, draw, page

    def rows(self, columns: Sequence[Column], rows: Sequence[ListRow], choosing: str) -> Markup:
        """The rows of a table; `choosing`: the id of the form for the chosen records, or empty."""
        line, of_columns = MarkupLine(), [(column, dict[CellKind, Pieces]()) for column in columns]
        pieces = {unread: self._row_pieces(unread, choosing) for unread in {row.unread for row in rows}}
        for row in rows:
            for markup, slot in pieces[row.unread]:
                if slot == "cells":
                    line.add(markup)
                    self._cells(line, of_columns, row.cells)
                else:
                    line.add(markup, str(getattr(row, slot)) if slot else "")
        return line.markup()

    def _row_pieces(self, unread: bool, choosing: str) -> Pieces:
        row = SimpleNamespace(unread=unread, **ROW_PLACEHOLDERS)
        draw = lambda: self._draw("row.pt", row=row, choosing=choosing).strip()  # noqa: E731
        return self._templates.pieces(("row", *self._page, unread, choosing), ROW_PLACEHOLDERS, draw)

    def _cells(
        self, line: "MarkupLine", of_columns: Sequence[tuple[Column, dict[CellKind, Pieces]]], values: Sequence[Value]
    ) -> None:
        """The cells of a row; the pieces of each column's kinds are looked up once for the page."""
        parts = line.parts
        for (column, known), value in zip(of_columns, values, strict=True):
            macro = value.display if value.text else value.macro
            kind = (macro, value.tone, value.icon, bool(value.url), bool(value.note))
            pieces = known.get(kind)
            if pieces is None:
                pieces = known[kind] = self._cell_pieces(column, value)
            if not pieces:
                line.add(self._macro(column.classes, value, column.cell_label))
                continue
            for markup, slot in pieces:
                if slot == "text" and value.matches:
                    line.add(markup)
                    self._matches(line, value)
                else:
                    parts += (markup, getattr(value, slot) if slot else "")

    def _cell_pieces(self, column: Column, value: Value) -> Pieces:
        """The pieces of a kind; none if its values are drawn one by one."""
        if not value.reusable:
            return ()
        label = column.cell_label
        kind = (value.macro, column.classes, label, bool(value.url), bool(value.note), value.tone, value.icon)
        return self._pieces(kind, column.classes, value, label)

    def _matches(self, line: "MarkupLine", value: Value) -> None:
        """A text with its matches of the search marked."""
        (before, _text), (after, _end) = self._pieces(("matched",), "", MATCHED)
        for text, matched in value.matches:
            line.add(before if matched else "", text)
            line.add(after if matched else "")

    def menu(self, items: tuple[Any, ...]) -> Markup:
        """Menu items: each is the same for all people with a profile, except for the number of new records."""
        parts = [tuple(part) for _new, part in groupby(items, attrgetter("new"))]
        if len(parts) > 1:
            return Markup("".join(map(self.menu, parts)))  # noqa: S704 what the template drew
        return self._templates.whole(("menu", *self._page, items), lambda: self._draw("menu.pt", items=items))

    def _pieces(self, kind: CellKind, classes: str, value: Value, label: Any = "") -> Pieces:
        draw = lambda: self._macro(classes, _with_placeholders(kind[0], value), label)  # noqa: E731
        return self._templates.pieces((*self._page, *kind), PLACEHOLDERS, draw)

    def filter(self, state: Any, form: str) -> Markup:
        """The filter of a column; an unused one looks the same for everyone."""
        if state.used or state.error:
            return Markup(self._draw("filter.pt", filter=state, form=form))  # noqa: S704 what the template drew
        return self._templates.whole(
            ("filter", *self._page, state, form), lambda: self._draw("filter.pt", filter=state, form=form)
        )

    def field(self, widget: Widget) -> Markup | None:
        """A form field: reused markup with its values filled in; None if it has to be drawn from scratch."""
        if not widget.reusable:
            return None
        texts, line = widget.texts, MarkupLine()
        draw = lambda: self._draw("field.pt", widget=widget.filled_in(FIELD_PLACEHOLDERS)).strip()  # noqa: E731
        for markup, slot in self._templates.pieces(("field", *self._page, widget.kind), FIELD_PLACEHOLDERS, draw):
            line.add(markup, texts[slot] if slot else "")
        return line.markup()

    def _macro(self, classes: str, value: Any, label: Any) -> str:
        name = "cell.pt" if classes else "value.pt"
        return self._draw(name, value=value, classes=classes, label=label, compact=True).strip()


class MarkupLine:
    """Alternating markup and text. All texts are escaped in one call, since each call has a cost."""

    def __init__(self) -> None:
        self.parts: list[str] = []  # a text after each piece of markup

    def add(self, markup: str, text: str = "") -> None:
        """Adds markup from a template, and the text after it, which will be escaped."""
        self.parts += (markup, text)

    def markup(self) -> Markup:
        """The markup of the whole line."""
        parts, texts = self.parts, self.parts[1::2]
        escaped = str.split(escape(BORDER.join(texts)), BORDER)  # not Markup.split: it makes each part Markup
        if len(escaped) != len(texts):  # one of them contains a border, or there is none
            escaped = [str(escape(text)) for text in texts]
        parts[1::2] = escaped
        return Markup("".join(parts))  # noqa: S704 pieces of the template, and escaped texts


def _with_placeholders(display: str, value: Value) -> Value:
    """A value of one kind of cell, with placeholders for what differs between values."""
    return Value(
        display=display,
        tone=value.tone,
        icon=value.icon,
        text=PLACEHOLDERS["text"],
        iso=PLACEHOLDERS["iso"],
        url=value.url and PLACEHOLDERS["url"],
        note=value.note and PLACEHOLDERS["note"],
        short=PLACEHOLDERS["short"],
    )

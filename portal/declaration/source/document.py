"""The content of one YAML file, and the place of each part. Made by yaml_reader.py."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from portal.declaration.source.nodes import Node, YamlMark
from portal.declaration.source.problems import KeyPath, Problem, RelatedPlace
from portal.declaration.source.syntax_errors import LineAndColumn
from portal.declaration.source.text_lines import LINE_BREAK


@dataclass(frozen=True)
class Document:
    """The content of a file: `data` is dicts with text keys, lists and scalars; None if nothing could be read."""

    file: str
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None
    text: str = ""

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file, without line breaks."""
        return LINE_BREAK.split(self.text)

    def place(self, path: KeyPath, key: bool = False) -> LineAndColumn:
        """Line and column, from 1, of a value, or of its key.

        If nothing is written at `path`, the place is that of the nearest parent, or of its key if it has one.
        """
        node, mark = self.root, None
        if node is None:
            return 1, 1
        for part in path:
            child = node.children.get(part)
            if child is None:
                return place_of(mark or node.mark)
            node, mark = child, node.keys.get(part)
        return place_of(mark if key and mark is not None else node.mark)

    def has(self, path: KeyPath) -> bool:
        """Whether something is written at `path`."""
        return self.node(path) is not None

    def value(self, path: KeyPath) -> Any:
        """The data at `path`; None if nothing is written."""
        value = self.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def source_text(self, path: KeyPath) -> str | None:
        """The source text of the scalar at `path` (`1.10`, `No`); None for anything else."""
        node = self.node(path)
        return node.source_text if node is not None else None

    def node(self, path: KeyPath) -> Node | None:
        """The node at `path`; None if nothing is written."""
        node = self.root
        for part in path:
            if node is None:
                return None
            node = node.children.get(part)
        return node

    def problem(
        self,
        path: KeyPath,
        message: str,
        key: bool = False,
        warning: bool = False,
        related: tuple[RelatedPlace, ...] = (),
    ) -> Problem:
        """A problem with the value at `path`, or with its key."""
        return Problem(self.file, *self.place(path, key), path, message, warning, related)  # fmt: skip


def place_of(mark: YamlMark) -> LineAndColumn:
    """Line and column, from 1, of a mark in a YAML file."""
    return mark.line + 1, mark.column + 1

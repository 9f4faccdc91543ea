"""The parts of a YAML file while it is read: a Node per value with its place, and the open collections.

Only used by the reader. Nothing here knows YAML's events, files or limits.
"""

from typing import Any, Protocol

from portal.declaration.source.problems import KeyPath, ProblemText, quoted_name

MERGE = "<<"


class YamlMark(Protocol):
    """A place from YAML's parser, all counted from 0: `index` counts characters from the start."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def index(self) -> int: ...


class ReportProblem(Protocol):
    """Reports what is wrong at a mark; `first` is where a name was first used."""

    def __call__(self, mark: YamlMark, path: KeyPath, message: str, first: YamlMark | None = None) -> None: ...


class Node:
    """The place of one value, the source text of a scalar, and the nodes below a list or mapping."""

    __slots__ = ("children", "height", "keys", "mark", "plain", "size", "source_text")

    def __init__(self, mark: YamlMark, source_text: str | None = None, plain: bool = False) -> None:
        self.mark = mark
        self.source_text = source_text
        self.plain = plain
        self.children: dict[str | int, Node] = _NO_CHILDREN
        self.keys: dict[str | int, YamlMark] = _NO_CHILDREN
        self.size = 1  # values from here down, including those reached through aliases
        self.height = 0  # levels below this one

    def count(self, child: "Node") -> None:
        """Adds the size and height of a child to its node."""
        self.size += child.size
        self.height = max(self.height, child.height + 1)


# Scalars are most of a file and have no children: they share one empty mapping that is never changed.
_NO_CHILDREN: dict[Any, Any] = {}


class Collection(Protocol):
    """A list or mapping whose end has not been read yet."""

    node: Node
    anchor: str | None
    value: Any

    def take(self, node: Node, value: Any) -> None: ...

    def current(self) -> KeyPath: ...

    def close(self) -> None: ...


class OpenList:
    """A list of the YAML file that is being read."""

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.value: list[Any] = []
        node.children = {}

    def take(self, node: Node, value: Any) -> None:
        """Takes the next item of a list in the file."""
        self.node.children[len(self.value)] = node
        self.node.count(node)
        self.value.append(value)

    def current(self) -> KeyPath:
        """The last part of the path of the next item."""
        return (len(self.value),)

    def close(self) -> None:
        """Does nothing for a list."""


class OpenMapping:
    """A mapping that is being read: it takes a key and a value in turn."""

    def __init__(self, node: Node, anchor: str | None, report: ReportProblem) -> None:
        self.node = node
        self.anchor = anchor
        self.value: dict[str, Any] = {}
        node.children = {}
        node.keys = {}
        self._report = report
        self._key: Node | None = None
        self._is_kept = True
        self._merged: list[tuple[Node, dict[str, Any]]] = []
        self._merges: dict[str | int, YamlMark] = {}

    def take(self, node: Node, value: Any) -> None:
        """The next key, or the value of the key before."""
        if self._key is None:
            self._key = node
            self._is_kept = (
                self._is_meant(node, value) if node.source_text is None else self._is_new(node, node.source_text)
            )
            return
        key, self._key = self._key, None
        self.node.count(node)
        if key.plain and key.source_text == MERGE:
            self._merge(node, value)
        elif self._is_kept and key.source_text is not None:
            self.value[key.source_text] = value
            self.node.children[key.source_text] = node

    def current(self) -> KeyPath:
        """The last part of the path of the next value; empty if a key is next."""
        return () if self._key is None or self._key.source_text is None else (self._key.source_text,)

    def close(self) -> None:
        """Puts the merged keys before the mapping's own, which win."""
        if not self._merged:
            return
        value: dict[str, Any] = {}
        children: dict[str | int, Node] = {}
        keys: dict[str | int, YamlMark] = {}
        for node, merged in self._merged:
            for name in merged:
                value.setdefault(name, merged[name])
                children.setdefault(name, node.children[name])
                keys.setdefault(name, node.keys[name])
        self.value = value | self.value
        self.node.children = children | self.node.children
        self.node.keys = keys | self.node.keys

    def _is_new(self, key: Node, name: str) -> bool:
        names: dict[str | int, YamlMark] = self._merges if key.plain and name == MERGE else self.node.keys
        if (first := names.get(name)) is not None:
            sentence = f"{quoted_name(name)} appears twice (first in line {first.line + 1})"
            self._report(key.mark, (name,), ProblemText(sentence, "repeated"), first)
            return name != MERGE and self.value.get(name) is None  # if a line appears twice, the second has the value
        names[name] = key.mark
        return True

    def _is_meant(self, key: Node, value: Any) -> bool:
        """Whether a key that is not text shows which one is meant, its first: then that one is not also missing."""
        if isinstance(value, dict) and key.mark.index == self.node.mark.index + 1:  # {{ name }}
            self._report(self.node.mark, (), 'a text that begins with "{" needs quotes')
        else:
            self._report(key.mark, (), "a list or a mapping cannot be a key: write a text before the colon")
        while isinstance(value, list | dict):
            value = next(iter(value), None)
        if not isinstance(value, str) or value in self.node.keys:
            return False
        key.source_text = value
        self.node.keys[value] = key.mark
        return True

    def _merge(self, node: Node, value: Any) -> None:
        pairs = [(node, value)]
        if isinstance(value, list):
            pairs = [(node.children[index], item) for index, item in enumerate(value)]
        for source, merged in pairs:
            if isinstance(merged, dict):
                self._merged.append((source, merged))
            else:
                self._report(source.mark, (MERGE,), '"<<" takes a mapping or a list of mappings')


def copy_data(value: Any) -> Any:
    """A deep copy of lists and mappings, so that a value behind an alias can be changed in one place only."""
    if isinstance(value, dict):
        return {name: copy_data(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copy_data(item) for item in value]
    return value

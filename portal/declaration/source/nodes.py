"""The parts of a YAML file while it is read: where each one stands, and the lists and mappings that are still open.

Used by the reader alone. A Node keeps places, an open collection gathers values until its end; neither knows YAML's
events, files or limits.
"""

from collections.abc import Callable
from typing import Any, Protocol

from yaml import Mark

from portal.declaration.source.problems import quoted

MERGE = "<<"
Report = Callable[[Mark, tuple[str | int, ...], str], None]


class Node:
    """The place of one value, the source text of a scalar, and the nodes below a list or mapping."""

    __slots__ = ("children", "height", "keys", "mark", "plain", "size", "written")

    def __init__(self, mark: Mark, written: str | None = None, plain: bool = False) -> None:
        self.mark = mark
        self.written = written
        self.plain = plain
        self.children: dict[str | int, Node] = _NOTHING
        self.keys: dict[str, Mark] = _NOTHING
        self.size = 1  # values from here down, those reached through aliases included
        self.height = 0  # levels below this one

    def hold(self, child: "Node") -> None:
        self.size += child.size
        self.height = max(self.height, child.height + 1)


# Scalars are most of a file and have nothing below them: they share one empty mapping, which nobody fills.
_NOTHING: dict[Any, Any] = {}


class Collection(Protocol):
    """A list or mapping whose end has not come yet."""

    node: Node
    anchor: str | None
    value: Any

    def take(self, node: Node, value: Any) -> None: ...

    def current(self) -> tuple[str | int, ...]: ...

    def close(self) -> None: ...


class OpenList:
    """A list that is being read."""

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.value: list[Any] = []
        node.children = {}

    def take(self, node: Node, value: Any) -> None:
        """The next item."""
        self.node.children[len(self.value)] = node
        self.node.hold(node)
        self.value.append(value)

    def current(self) -> tuple[str | int, ...]:
        """The part of a path that leads to what comes next."""
        return (len(self.value),)

    def close(self) -> None:
        """Nothing is left to be done at a list's end."""


class OpenMapping:
    """A mapping that is being read: it takes a key and a value by turns."""

    def __init__(self, node: Node, anchor: str | None, report: Report) -> None:
        self.node = node
        self.anchor = anchor
        self.value: dict[str, Any] = {}
        node.children = {}
        node.keys = {}
        self._report = report
        self._key: Node | None = None
        self._keep = True
        self._merged: list[tuple[Node, dict[str, Any]]] = []
        self._merges: dict[str, Mark] = {}

    def take(self, node: Node, value: Any) -> None:
        """The next key, or the value of the key that came before."""
        if self._key is None:
            self._key = node
            self._keep = self._is_new(node)
            return
        key, self._key = self._key, None
        self.node.hold(node)
        if key.plain and key.written == MERGE:
            self._merge(node, value)
        elif self._keep and key.written is not None:
            self.value[key.written] = value
            self.node.children[key.written] = node

    def current(self) -> tuple[str | int, ...]:
        """The part of a path that leads to what comes next; nothing where a key comes next."""
        return () if self._key is None or self._key.written is None else (self._key.written,)

    def close(self) -> None:
        """Puts what was merged before the mapping's own keys, which win."""
        if not self._merged:
            return
        value: dict[str, Any] = {}
        children: dict[str | int, Node] = {}
        keys: dict[str, Mark] = {}
        for node, merged in self._merged:
            for name in merged:
                value.setdefault(name, merged[name])
                children.setdefault(name, node.children[name])
                keys.setdefault(name, node.keys[name])
        self.value = value | self.value
        self.node.children = children | self.node.children
        self.node.keys = keys | self.node.keys

    def _is_new(self, key: Node) -> bool:
        name = key.written
        if name is None:
            self._report(key.mark, (), "a list or a mapping cannot be a name: write a text before the colon")
            return False
        names = self._merges if key.plain and name == MERGE else self.node.keys
        if (first := names.get(name)) is not None:
            self._report(key.mark, (name,), f"{quoted(name)} stands twice (first in line {first.line + 1})")
            return False
        names[name] = key.mark
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


def copied(value: Any) -> Any:
    """The same lists and mappings anew, so that what an alias repeats can be changed in one place alone."""
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value

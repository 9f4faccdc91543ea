"""The tree of a `json` field on its page: values with parts can be folded."""

from typing import Any, NamedTuple

from portal.fields.json import Bare, tree_of
from portal.texts import Words, ngettext

OPEN_LEVELS, OPEN_PARTS = 2, 20  # small parts are initially open


class JsonNode(NamedTuple):
    """One value in the tree of a `json` field, below its name, or its place in a list from 1."""

    name: str
    text: str = ""
    bare: bool = False  # a number, true, false or null
    parts: tuple[Any, ...] = ()
    size: Words = ""  # “3 entries”, for values with parts
    open: bool = False


def json_nodes(text: str) -> tuple[JsonNode, ...]:
    """The outermost values of a `json` field's tree, in `text`, which the field has accepted."""
    root = _node("", tree_of(text), 0)
    return root.parts or (root,)


def _node(name: str, tree: Any, level: int) -> JsonNode:
    if isinstance(tree, str):
        return JsonNode(name, tree, isinstance(tree, Bare))
    named = tree.items() if isinstance(tree, dict) else ((str(place), part) for place, part in enumerate(tree, 1))
    parts = tuple(_node(name, part, level + 1) for name, part in named)
    size = ngettext("${number} entry", "${number} entries", len(parts))
    return JsonNode(name, parts=parts, size=size, open=level < OPEN_LEVELS and len(parts) <= OPEN_PARTS)

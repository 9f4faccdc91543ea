"""`json`: structured data, stored as it was typed, and shown as a tree."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from portal.conditions import is_nothing
from portal.fields.longtext import LongTextLike
from portal.fields.reader import Reader
from portal.fields.refused import Refused, storable
from portal.fields.text import at_most
from portal.texts import _, ngettext

DEEPEST = 32  # levels
# Messages of Python's parser, and ours.
_SENTENCES = (
    ("Expecting ',' delimiter", _("Line ${line}, column ${column}: a comma or a closing bracket is missing.")),
    ("Expecting ':' delimiter", _("Line ${line}, column ${column}: a colon is missing.")),
    ("Expecting property name", _("Line ${line}, column ${column}: a name in double quotes is missing.")),
    ("Expecting value", _("Line ${line}, column ${column}: a value is missing.")),
    ("Illegal trailing comma", _("Line ${line}, column ${column}: this comma is one too many.")),
    ("Extra data", _("Line ${line}, column ${column}: nothing may follow the end of the data.")),
    ("Unterminated string", _("Line ${line}, column ${column}: the closing quote of this text is missing.")),
)
_OTHERS = _("Line ${line}, column ${column}: this is not JSON.")


class Bare(str):
    """A number, true, false or null in JSON, as it was written."""

    __slots__ = ()


Tree = dict[str, Any] | list[Any] | str


class Json(LongTextLike):
    """Structured data, shown as a tree."""

    type: Literal["json"]
    takes_mapping: ClassVar[bool] = True
    takes_list: ClassVar[bool] = True
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "json"
    display: ClassVar[str] = "json"
    sortable: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"max_length": 60}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (' "text" ', '"text"', '"text"'),
        ("1.10", "1.10", "1.10"),
        ('{"Größe": [1, 2.50, null],\r\n "b": "x"}', '{"Größe": [1, 2.50, null],\n "b": "x"}',
         '{"Größe": [1, 2.50, null],\n "b": "x"}'),
        ("", None, ""),
    )  # fmt: skip
    rejects: ClassVar[tuple[str, ...]] = (
        "{", "[1, 2,]", "{'a': 1}", '{"a" 1}', '{"a": 1} 2', '"abc', "NaN", '{"a": 1, "a": 2}', "[" * 60, "text",
        "[" * 100_000, '"' + "x" * 60 + '"', '"\x00"', '"\\ud800"', "1\x002",
    )  # fmt: skip

    def check(self, text: str) -> str:
        """The text as it was typed. Raises Refused with line and column of the first mistake."""
        lines = "\n".join(at_most(text, self.max_length).splitlines())
        tree_of(lines)
        return lines

    def default_value(self, raw: Any, reader: Reader) -> str | None:
        """From a text, or the structure itself in the YAML."""
        if is_nothing(raw):
            return None
        return self.parse(raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False), reader)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """None: the same value may be written in several ways."""
        return ()

    def texts(self, value: Any) -> Iterable[str]:
        """Names, texts and numbers, without punctuation."""
        return () if value is None else _leaves(tree_of(value))


def tree_of(text: str) -> Tree:
    """The content of a `json` field's `text`: mappings, lists, texts, and `Bare` values. Raises Refused."""
    _check_depth(text)
    try:
        return _build(
            json.loads(text, object_pairs_hook=_pairs, parse_float=Bare, parse_int=Bare, parse_constant=_none)
        )
    except json.JSONDecodeError as error:
        sentence = next((ours for theirs, ours in _SENTENCES if error.msg.startswith(theirs)), _OTHERS)
        raise Refused(sentence % {"line": error.lineno, "column": error.colno}) from None


def _check_depth(text: str) -> None:
    """Raises Refused if JSON is nested too deep: Python's parser would exhaust the stack."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise Refused(ngettext("Use at most ${number} level.", "Use at most ${number} levels.", DEEPEST))
        elif character in "]}":
            depth -= 1


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, value in pairs:
        if name in names:
            raise Refused(_("“${name}” appears twice in the same object.", mapping={"name": name[:80]}))
        names[storable(name)] = value
    return names


def _none(constant: str) -> Any:
    raise Refused(_("“${value}” is not a number.", mapping={"value": constant}))


def _build(value: Any) -> Tree:
    if isinstance(value, dict):
        return {name: _build(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_build(part) for part in value]
    if isinstance(value, str):
        return storable(value)
    return Bare("null" if value is None else str(value).lower())


def _leaves(tree: Tree) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, part in tree.items():
            yield from filter(None, (name, *_leaves(part)))
    elif isinstance(tree, list):
        for part in tree:
            yield from _leaves(part)
    elif tree and tree != Bare("null"):
        yield tree

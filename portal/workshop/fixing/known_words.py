"""The words that a declaration can contain: those of the language, and the names of the folder itself."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin
from zoneinfo import available_timezones

from portal.conditions import OPERATORS, SPECIAL
from portal.declaration.checks.appearance import TONES, known_icons
from portal.declaration.read_modules import TOP_LEVEL_KEYS
from portal.declaration.shape_keys import keys_of
from portal.declaration.shapes import ACTIONS
from portal.declaration.source.document import Document
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.texts import catalog

LONGEST = 60
_OTHERS = ("true", "false", "buttons", "activity", "attachments", "comment", "nothing", "id")


@cache
def words_of_the_language() -> frozenset[str]:
    """Keys, field types, fixed values, actions, operators and special words."""
    shapes = list(_shapes(Shape))
    keys = {key for shape in shapes for key in keys_of(shape)}
    values = {
        str(value) for shape in shapes for info in shape.model_fields.values() for value in _literals(info.annotation)
    }
    return frozenset({*keys, *values, *Field.types, *ACTIONS, *OPERATORS, *SPECIAL, *TONES, *TOP_LEVEL_KEYS, *_OTHERS})


@cache
def everyday_words() -> frozenset[str]:
    """English words that are not typos: those of the language, of the interface's sentences, and of the icons."""
    sources = (*words_of_the_language(), *known_icons(), *catalog("it").sentences)
    return frozenset(word for source in sources for word in declared_words(str(source)))


def declared_words(text: str) -> list[str]:
    """The words of a declared name or sentence in lower case: `due_date` has two."""
    return re.findall(r"[^\W\d_]+", text.casefold())


def names_of(documents: Iterable[Document]) -> set[str]:
    """Every key and every short text in the files, and the names of the profiles."""
    names: set[str] = set()
    for document in documents:
        names.add(document.file.rpartition("/")[2].removesuffix(".yaml"))
        names.update(name for name in _texts(document.data) if len(name) <= LONGEST)
    return names


def words_of_key(key: str) -> frozenset[str]:
    """The many words that only fit the value of one particular key."""
    if key == "icon":
        return known_icons()
    return frozenset(available_timezones()) if key == "time_zone" else frozenset()


def _shapes(shape: type[Shape]) -> Iterator[type[Shape]]:
    yield shape
    for inner in shape.__subclasses__():
        yield from _shapes(inner)


def _literals(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
        return
    for part in get_args(annotation):
        yield from _literals(part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
        yield from re.findall(r"[A-Za-z_][\w-]*", value) if "." in value or value[:1] in "$-" else ()

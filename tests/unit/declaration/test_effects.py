"""Everything that the language accepts has an effect outside `portal/declaration/`."""

import ast
import functools
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from portal.declaration import home_shapes, layout_shapes, shapes
from portal.declaration.shape_keys import keys_of
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.views.administration.rights_in_words import ACTION_LABELS
from portal.workshop.differences import ACTION_PHRASES
from tests.source_code import PORTAL, nodes_of, python_files

# Keys that only affect the resolved declaration.
RESOLVED = {"Profile.extends", "Rollup.includes_unseen", "SignUp.approve"}
# Values that mean the absence of the others.
ABSENCES = {"Transition.ask: optional", "Profile.second_factor: optional"}


def test_every_key_has_an_effect():
    words = words_outside()
    offenders = [
        f"{shape.__name__}.{key}"
        for shape, key in keys_of_the_language()
        if not {key, f"{key}_"} & words and f"{shape.__name__}.{key}" not in RESOLVED
    ]
    assert offenders == [], "nothing outside of declaration/ reads these keys"


def test_every_listed_value_has_an_effect():
    words = words_outside()
    offenders = [
        f"{shape.__name__}.{key}: {value}"
        for shape, key in keys_of_the_language()
        for value in values_of(annotation_of(shape, key))
        if value not in words
    ]
    assert sorted({*offenders} - ABSENCES) == [], "nothing outside of declaration/ compares with these values"


def test_every_word_under_can_has_an_effect():
    assert sorted({*shapes.ACTIONS} - words_outside()) == []


@pytest.mark.parametrize("words", [ACTION_PHRASES, ACTION_LABELS], ids=["diff", "rights"])
def test_every_word_under_can_is_put_into_words(words):
    assert sorted(words.keys() ^ {*shapes.ACTIONS}) == []


@functools.cache
def words_outside() -> set[str]:
    """Attributes and texts in the code outside the declaration, and every word of the templates."""
    words: set[str] = set()
    for path in python_files():
        if path.is_relative_to(PORTAL / "declaration"):
            continue
        for node in nodes_of(path):
            if isinstance(node, ast.Attribute):
                words.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    for path in PORTAL.rglob("*.pt"):
        words.update(re.findall(r"[a-z_]+", path.read_text(encoding="utf-8")))
    return words


def keys_of_the_language() -> Iterator[tuple[type[Shape], str]]:
    for shape in {**vars(shapes), **vars(layout_shapes), **vars(home_shapes)}.values():
        if isinstance(shape, type) and issubclass(shape, Shape) and shape not in (Shape, Field):
            yield from ((shape, key) for key in keys_of(shape))
    for field_type in set(Field.types.values()):
        yield from ((field_type, key) for key in keys_of(field_type))


def annotation_of(shape: type[Shape], key: str) -> Any:
    return next(info.annotation for name, info in shape.model_fields.items() if key in (name, info.alias))


def values_of(annotation: Any) -> Iterator[str]:
    """The values that a key lists by name; the names of types are not among them."""
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str) and value not in Field.types)
    for argument in get_args(annotation):
        yield from values_of(argument)

"""Which keys of the language the shapes have, and which shape is where."""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.texts import Text

# Attributes that the engine sets; they are not keys of the language.
INTERNAL = {
    "Module": ("name", "builtin"),
    "Access": ("module", "readable"),
    "FormLayout": ("files",),
    "Transition": ("name",),
    "Profile": ("name", "labeled", "modules_from_first_day"),
    "Button": ("name",),
}


@cache
def internal_keys(shape: type[Shape]) -> list[str]:
    """The names that the shape accepts and that are not keys of the language."""
    own = ("name",) if issubclass(shape, Field) else INTERNAL.get(shape.__name__, ())
    return [*own, *(name for name, info in shape.model_fields.items() if info.alias not in (None, name))]


@cache
def keys_of(shape: type[Shape]) -> list[str]:
    """The keys of the language that the shape has."""
    internal = internal_keys(shape)
    keys = [info.alias or name for name, info in shape.model_fields.items()]
    return [name for name in keys if name not in internal]


def key_info(shape: type[Shape], key: str) -> FieldInfo:
    """What pydantic knows about a key of the language: its annotation with metadata, and whether it is required."""
    return next(info for name, info in shape.model_fields.items() if key == (info.alias or name))


@cache
def text_keys(shape: type[Shape]) -> frozenset[str]:
    """The keys of the shape that hold a text for people."""
    fields = shape.model_fields.items()
    return frozenset(name for name, info in fields if Text in (info.annotation, *get_args(info.annotation)))


def shape_at(shape: type[Shape], loc: tuple[Any, ...]) -> type[Shape]:
    """The shape below `shape` at the keys of `loc`, as far as the annotations say."""
    skip = 0  # parts of `loc` that are keys of a mapping or indexes of a list
    for part in loc:
        if skip:
            skip -= 1
            continue
        annotation = next(
            (info.annotation for name, info in shape.model_fields.items() if part in (name, info.alias)), None
        )
        inner, skip = _inner(annotation)
        shape = inner or shape
    return shape


@cache
def shapes_below(shape: type[Shape]) -> dict[str, type[Shape]]:
    """The keys of a shape whose value can only be a mapping with its own keys."""
    below: dict[str, type[Shape]] = {}
    for name, info in shape.model_fields.items():
        kinds = [kind for kind in get_args(info.annotation) or (info.annotation,) if kind is not type(None)]
        if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], Shape):
            below[info.alias or name] = kinds[0]
    return below


@cache
def entries_below(shape: type[Shape]) -> dict[str, type[Shape]]:
    """The keys of a shape whose value is a mapping of names to entries of one shape, with that shape."""
    below: dict[str, type[Shape]] = {}
    for name, info in shape.model_fields.items():
        for kind in (info.annotation, *get_args(info.annotation)):
            if get_origin(kind) is dict and get_args(kind)[0] is str and (inner := _inner(kind)[0]) is not None:
                below[info.alias or name] = inner
    return below


def shape_in(annotation: Any) -> type[Shape] | None:
    """The first shape inside the annotation of a key."""
    return _inner(annotation)[0]


def _inner(annotation: Any, depth: int = 0) -> tuple[type[Shape] | None, int]:
    """The first shape inside an annotation, and the number of mappings and lists around it."""
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Shape):
        return annotation, depth
    deeper = depth + (get_origin(annotation) in (dict, tuple, list))
    for argument in get_args(annotation):
        shape, at = _inner(argument, deeper)
        if shape:
            return shape, at
    return None, 0


def has_keys_of(shape: type[Shape], entry: Any) -> bool:
    """Whether a misplaced entry looks like one of `shape`: a mapping, most of whose keys are keys of the shape."""
    if not isinstance(entry, Mapping) or not entry:
        return False
    known = sum(key in keys_of(shape) for key in entry)
    return known * 2 > len(entry)


def value_of_key(field: Field, name: str) -> Any:
    """A key of a field that only some types have; None for the others. Raises KeyError for a key that no type has."""
    if name not in _keys_of_fields():
        raise KeyError(name)
    return getattr(field, name) if name in type(field).model_fields else None


@cache
def _keys_of_fields() -> frozenset[str]:
    return frozenset(name for kind in Field.types.values() for name in kind.model_fields)

"""The language as a JSON Schema without the names of any folder, generated from the shapes.

Draft 7, which every editor supports. A schema knows less than `portal check`, and never refuses what that accepts: a
text may be written as a number, a single item without brackets.
"""

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import available_timezones

from babel.core import get_global
from pydantic import WithJsonSchema

from portal.conditions import OPERATORS
from portal.declaration.checks.appearance import TONES, known_icons
from portal.declaration.layout_shapes import DetailLayout
from portal.declaration.name_rules import BUILT_IN, LONGEST_NAME, NAME, RESERVED_FIELDS, SYSTEM_COLUMNS
from portal.declaration.shape_keys import key_info, keys_of, shape_in
from portal.fields.base import Field
from portal.fields.base_shape import Names, OneOrSeveral, Option, Shape
from portal.texts import Text
from portal.workshop.schema.descriptions import DESCRIPTIONS, description_of, description_of_type

Schema = dict[str, Any]
SCALAR = ["string", "number", "boolean"]  # a number in place of a text is used as written
TEXT: Schema = {
    "type": [*SCALAR, "object"],
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"},
    "additionalProperties": {"type": SCALAR},
}
NAME_PATTERN = f"^{NAME.pattern}$"
PATH_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
REFERENCE = r"^(?=.*\{number)[^{}]*(\{(number(:0\d{1,2})?|year)\}[^{}]*)*$"
OPENS = r"^[a-z][a-z0-9_]*(/create)?$"


def names_schema(reserved: Iterable[str] = ()) -> Schema:
    """The JSON Schema of declared names."""
    return {"pattern": NAME_PATTERN, "maxLength": LONGEST_NAME, "not": {"enum": sorted(reserved)}}


def ref(name: str) -> Schema:
    """A JSON Schema that refers to the definition with this name."""
    return {"$ref": f"#/$defs/{name}"}


class LanguageSchema:
    """Collects the definitions that the schema of one file needs, in `definitions`."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def defined(self, shape: type[Shape]) -> Schema:
        """A reference to the schema of a shape."""
        own = shape.__module__.startswith("portal.")
        name = shape.__name__ if own else f"{shape.__module__}.{shape.__name__}"
        if name not in self.definitions:
            self.definitions[name] = {}  # shapes may contain each other
            self.definitions[name] = self._shape(shape)
        return ref(name)

    def _shape(self, shape: type[Shape]) -> Schema:
        keys = keys_of(shape)
        required = [key for key in keys if key_info(shape, key).is_required()]
        return {
            "type": "object",
            "properties": {key: self.key(shape, key) for key in keys},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }

    def key(self, shape: type[Shape], key: str) -> Schema:
        """The schema of one key of a shape."""
        if (shape, key) == (DetailLayout, "related"):
            shape_of_items = shape_in(key_info(shape, key).annotation)
            schema: Schema = {"type": "array", "items": _by_kind(self.schema_of(shape_of_items, ()), {"type": SCALAR})}
        elif key == "options" and issubclass(shape, Field):
            schema = self._options()
        elif key == "fields" and issubclass(shape, Field):
            schema = self.fields(columns=True)
        elif key == "type" and issubclass(shape, Field):
            schema = {}
        else:
            info = key_info(shape, key)
            schema = self.schema_of(info.annotation, tuple(info.metadata))
        description = description_of(shape, key)
        return {"description": description, **schema} if description else schema

    def schema_of(self, annotation: Any, metadata: tuple[Any, ...]) -> Schema:
        """The schema of what an annotation allows."""
        if get_origin(annotation) is Annotated:
            inner, *beside = get_args(annotation)
            return self.schema_of(inner, (*beside, *metadata))
        own = next((extra.json_schema for extra in metadata if isinstance(extra, WithJsonSchema)), None)
        if own is not None:
            return dict(own)
        kind = next((extra.kind for extra in metadata if isinstance(extra, Names)), None)
        if kind is not None and (named := self._named(kind)) is not None:
            return named
        return self._schema_of_type(annotation, metadata)

    def _schema_of_type(self, annotation: Any, metadata: tuple[Any, ...]) -> Schema:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (Union, UnionType):
            return self._union([part for part in arguments if part is not NoneType], metadata)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return self._list(arguments[0], metadata)
        if origin is dict:
            return self._mapping(arguments[0], arguments[1], metadata)
        if isinstance(annotation, type) and issubclass(annotation, Shape):
            return self.defined(annotation)
        return _scalar(annotation, metadata)

    def _union(self, parts: list[Any], metadata: tuple[Any, ...]) -> Schema:
        """A schema that depends on the kind of the written value, so that an editor says what is wrong with it."""
        if len(parts) == 1:
            return self.schema_of(parts[0], metadata)
        schemas = [self.schema_of(part, metadata) for part in parts]
        shapes = [schema for schema in schemas if "$ref" in schema or schema.get("type") in ("object", "array")]
        others = [schema for schema in schemas if schema not in shapes]
        scalar = next((schema for schema in others if len(others) == 1 or schema is TEXT), None) or _one_scalar(others)
        return _by_kind(shapes[0], scalar) if shapes else scalar

    def _list(self, item: Any, metadata: tuple[Any, ...]) -> Schema:
        items = self.schema_of(item, ())
        shortest = {"minItems": bound} if (bound := _bound(metadata, "min_length")) else {}
        several: Schema = {"type": "array", "items": items, **shortest}
        alone = any(isinstance(extra, OneOrSeveral) for extra in metadata)
        return {"if": {"type": "array"}, "then": several, "else": {"type": SCALAR, **items}} if alone else several

    def _mapping(self, key: Any, value: Any, metadata: tuple[Any, ...]) -> Schema:
        if value is Field:
            return self.fields()
        names = {"propertyNames": self.schema_of(key, ())} if get_origin(key) is Literal else {}
        shortest = {"minProperties": bound} if (bound := _bound(metadata, "min_length")) else {}
        return {"type": "object", "additionalProperties": self.schema_of(value, ()), **names, **shortest}

    # -- fields -----------------------------------------------------------------------------------------------------

    def fields(self, columns: bool = False) -> Schema:
        """A mapping of names to fields, those of a module or the columns of lines."""
        reserved = ("id", *SYSTEM_COLUMNS) if columns else (*BUILT_IN, *RESERVED_FIELDS, *SYSTEM_COLUMNS)
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": names_schema(reserved),
            "additionalProperties": self.field(columns),
        }

    def field(self, columns: bool = False) -> Schema:
        """One field: the name of its type, or a mapping."""
        name = "column" if columns else "field"
        if name not in self.definitions:
            self.definitions[name] = {}
            types = {kind: shape for kind, shape in Field.types.items() if shape.can_be_column or not columns}
            descriptions = {kind: description_of_type(shape) for kind, shape in types.items()}
            short = [kind for kind, shape in types.items() if not _needs_more(shape)]
            long = {
                "required": ["type"],
                "properties": {"type": {"description": DESCRIPTIONS["Field.type"], **described(types, descriptions)}},
                "allOf": [
                    {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": self.defined(shape)}
                    for kind, shape in types.items()
                ],
            }
            self.definitions[name] = _by_kind({"type": "object", **long}, described(short, descriptions))
        return ref(name)

    def _options(self) -> Schema:
        if "options" not in self.definitions:
            self.defined(Option)
            option = {**self.definitions["Option"]}
            option.pop("required")
            keyed = {
                "if": {"anyOf": [{"required": [key]} for key in option["properties"]]},
                "then": option,
                "else": TEXT,
            }
            self.definitions["options"] = _by_kind(
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": [*SCALAR, "null", "object"],
                 "if": {"type": "object"}, "then": keyed}},
                {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": SCALAR}},
            )  # fmt: skip
        return ref("options")

    # -- names ------------------------------------------------------------------------------------------------------

    def _named(self, kind: str) -> Schema | None:
        """The schema of a kind of name that is the same in every folder, or None."""
        if kind == "icon":
            self.definitions.setdefault("icon", {"enum": sorted(known_icons())} if known_icons() else {"type": SCALAR})
            return ref("icon")
        if kind == "time zone":
            self.definitions.setdefault("time zone", {"enum": sorted(available_timezones())})
            return ref("time zone")
        if kind in ("condition", "form condition"):
            return self.condition()
        named: dict[str, Schema] = {
            "tone": {"enum": list(TONES)},
            "currency": {"enum": sorted(get_global("all_currencies"))},
            "reference": {"type": SCALAR, "pattern": REFERENCE},
            "path": {"type": "string", "pattern": PATH_PATTERN},
            "target": {"type": "string", "pattern": OPENS},
            "value": {},
        }
        return named.get(kind)

    def condition(self) -> Schema:
        """A condition on unknown fields."""
        if "condition" not in self.definitions:
            group = {"if": {"type": "array", "contains": {"type": "object"}},
                     "then": {"items": ref("condition")}, "else": comparison()}  # fmt: skip
            self.definitions["condition"] = {
                "type": "object",
                "properties": {"any": group},
                "propertyNames": {"pattern": PATH_PATTERN},
                "additionalProperties": comparison(),
            }
        return ref("condition")


def comparison(value: Schema | None = None) -> Schema:
    """The JSON Schema of what follows the name of a field in a condition; `value` is the schema of one value."""
    value = value or {"type": SCALAR}
    several = {"type": "array", "items": value}
    one = {"if": {"type": "null"}, "else": value}
    single = {"type": SCALAR}
    operators: dict[str, Schema] = {operator: single for operator in OPERATORS}
    operators |= {
        "not": {"if": {"type": "array"}, "then": several, "else": one},
        "empty": {"type": "boolean"},
        "within": {"type": "string", "pattern": r"^\s*\d{1,5}\s*(minute|hour|day|week|month|year)s?\s*$"},
    }
    described_operators = {
        name: {"description": DESCRIPTIONS[f"condition.{name}"], **schema} for name, schema in operators.items()
    }
    mapping = {"properties": described_operators, "additionalProperties": False, "minProperties": 1}
    return {"if": {"type": "object"}, "then": mapping,
            "else": {"if": {"type": "array"}, "then": several, "else": one}}  # fmt: skip


def described(names: Iterable[str], descriptions: Mapping[str, str]) -> Schema:
    """A JSON Schema for one of `names`, each with its meaning."""
    names = list(names)
    return {"enum": names, "enumDescriptions": [descriptions.get(name, "") for name in names]}


def _one_scalar(schemas: list[Schema]) -> Schema:
    """One JSON Schema for several schemas of scalars: all their values, else any scalar."""
    values = [_values_of_schema(schema) for schema in schemas]
    return {"enum": [value for listed in values for value in listed]} if all(values) else {"type": SCALAR}


def _values_of_schema(schema: Schema) -> list[Any]:
    """The values that a schema lists; true and false for a boolean."""
    return [True, False] if schema.get("type") == "boolean" else schema.get("enum", [])


def _by_kind(collection: Schema, scalar: Schema) -> Schema:
    kind = "array" if collection.get("type") == "array" else "object"
    if scalar.get("type") == "array":
        return {"if": {"type": "array"}, "then": scalar, "else": collection}
    return {"if": {"type": kind}, "then": collection, "else": scalar}


def _scalar(annotation: Any, metadata: tuple[Any, ...]) -> Schema:
    if annotation is Any:
        return {}
    if annotation is Text:
        return TEXT
    if annotation is bool:
        return {"type": "boolean"}
    bounds = {
        json: bound
        for json, name in (("minimum", "ge"), ("maximum", "le"))
        if (bound := _bound(metadata, name)) is not None
    }
    if annotation is int:
        return {"type": ["integer", "string"], "pattern": "^[+-]?[0-9]+$", **bounds}
    pattern = _bound(metadata, "pattern")
    return {"type": SCALAR, **({"pattern": pattern} if pattern else {})}


def _bound(metadata: tuple[Any, ...], name: str) -> Any:
    """The bounds in a JSON Schema that pydantic's `Field(ge=…)` and the like add to an annotation."""
    return next((getattr(extra, name) for extra in metadata if hasattr(extra, name)), None)


def _needs_more(shape: type[Field]) -> bool:
    """Whether a field of this type has required keys, so that the JSON Schema refuses the type's name alone."""
    return any(info.is_required() for name, info in shape.model_fields.items() if name not in ("name", "type"))

"""What the names of a folder add to the schema of the language: the fields of this module, the states of that one.

A narrowing is a schema in addition to the general one for the same part (`allOf`), and contains only names.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import StrictBool

from portal.declaration.home_shapes import Home
from portal.declaration.layout_shapes import DetailLayout
from portal.declaration.shape_keys import key_info, keys_of, shape_in
from portal.declaration.shapes import ACTIONS, EVENTS, Module
from portal.declaration.value_types import FormRow, LayoutRow
from portal.fields.base import Field
from portal.fields.base_shape import Names, Shape
from portal.workshop.schema.descriptions import ACTION_DESCRIPTIONS
from portal.workshop.schema.folder_names import FieldNames, FolderNames, Labels, ModuleNames
from portal.workshop.schema.language_schema import SCALAR, LanguageSchema, Schema, comparison, described, ref

NEEDED_KEYS = {"comment": "comments", "attach": "attachments", "watch": "watchers"}  # required in a module, by action


@dataclass(frozen=True)
class Around:
    """What is around a narrowed key: the module whose names it uses, the module of its conditions, its field."""

    module: ModuleNames | None = None
    compared: ModuleNames | None = None
    field: FieldNames | None = None


class Narrowing:
    """Narrows the parts of one file; frequent schemas become definitions of `language`."""

    def __init__(self, language: LanguageSchema, names: FolderNames) -> None:
        self._language = language
        self._names = names

    def shape(self, shape: type[Shape], around: Around) -> Schema:
        """The keys of a shape whose values are names; {} if there are none."""
        keys = {key: narrow for key in keys_of(shape) if (narrow := self._key(shape, key, around))}
        return {"properties": keys} if keys else {}

    def module(self, module: ModuleNames) -> Schema:
        """The narrowing of one module, with its fields."""
        around = Around(module, module)
        fields = {
            name: {"description": _hover(field.label, field.type), **self.field(field, module)}
            for name, field in module.fields.items()
        }
        narrowed = self.shape(Module, around)
        narrowed["properties"]["fields"] = {"properties": fields, "additionalProperties": self._any_field(module)}
        return narrowed

    def field(self, field: FieldNames, module: ModuleNames) -> Schema:
        """The narrowing of one declared field, by its type."""
        target = self._names.modules.get(field.targets[0]) if len(field.targets) == 1 else None
        kind = Field.types.get(field.type)
        if kind is None:
            return self._any_field(module)
        narrowed = self.shape(kind, Around(module, target, field))
        if field.columns:
            columns = dataclasses.replace(module, fields=field.columns, builtin={}, name=f"{module.name}.{field.name}")
            inner = {name: self.field(column, columns) for name, column in field.columns.items()}
            narrowed.setdefault("properties", {})["fields"] = {"properties": inner}
        return {"if": {"properties": {"type": {"const": field.type}}}, "then": narrowed} if narrowed else {}

    def _any_field(self, module: ModuleNames) -> Schema:
        """A field that did not exist when the names were read."""
        name = f"{module.name}: new field"
        self._language.definitions.setdefault(name, self.shape(Field, Around(module, None)))
        return ref(name)

    def _key(self, shape: type[Shape], key: str, around: Around) -> Schema:
        if shape is Module and key == "fields" or (issubclass(shape, Field) and key == "fields"):
            return {}
        if shape is DetailLayout and key == "related":
            related = self._related(around.module) if around.module else {}
            return {"items": related} if related else {}
        if shape is Home and key == "panels":
            return {"items": self._panels()}
        info = key_info(shape, key)
        return self._of(info.annotation, tuple(info.metadata), around)

    def _of(self, annotation: Any, metadata: tuple[Any, ...], around: Around) -> Schema:
        if get_origin(annotation) is Annotated:
            inner, *beside = get_args(annotation)
            return self._of(inner, (*beside, *metadata), around)
        kind = next((extra.kind for extra in metadata if isinstance(extra, Names)), None)
        if kind is not None:
            return self._named(kind, around)
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is dict:
            return self._mapping(arguments[0], arguments[1], around)
        if isinstance(annotation, type) and origin is None and issubclass(annotation, Shape):
            return self.shape(annotation, around)
        inner = [part for part in arguments if part not in (NoneType, Ellipsis)]
        if len(inner) == 1 and origin is not tuple:
            return self._of(inner[0], (), around)
        parts = [narrow for part in inner if (narrow := self._of(part, (), around))]
        return self._by_kind(annotation, parts) if parts else {}

    def _by_kind(self, annotation: Any, parts: list[Schema]) -> Schema:
        """The narrowed schema for a list, of its items, one of which may be written alone; for a union, of the part for
        the kind of value."""
        if get_origin(annotation) is tuple or annotation in (LayoutRow, FormRow):
            return {"if": {"type": "array"}, "then": {"items": parts[0]}, "else": parts[0]}
        if StrictBool in get_args(annotation):
            return {"if": {"type": "string"}, "then": parts[0]}
        return {"if": {"type": "object"}, "then": parts[-1]} if shape_in(annotation) is not None else parts[0]

    def _mapping(self, key: Any, value: Any, around: Around) -> Schema:
        names, values = self._of(key, (), around), self._of(value, (), around)
        return {**({"propertyNames": names} if names else {}), **({"additionalProperties": values} if values else {})}

    # -- names ------------------------------------------------------------------------------------------------------

    def _named(self, kind: str, around: Around) -> Schema:
        """The schema of a name of this kind; {} if any name will do."""
        names, module = self._names, around.module
        if kind == "module":
            return _one_of(_labels(names.modules))
        if kind == "profile":
            return _one_of(names.profiles)
        if kind == "button":
            return _one_of(names.buttons)
        if kind == "menu entry":
            return _one_of({**names.buttons, **_labels(names.modules)})
        if kind == "target":
            forms = {f"{name}/create": f"New: {module.label}" for name, module in names.modules.items()}
            return _one_of({**_labels(names.modules), **forms})
        if kind == "event":
            events = {f"{name}.{event}": module.label for name, module in names.modules.items() for event in EVENTS}
            return _one_of(events)
        return self._named_in(kind, module, around) if module is not None else {}

    def _named_in(self, kind: str, module: ModuleNames, around: Around) -> Schema:
        if kind in ("condition", "form condition"):
            compared = module if kind == "form condition" else around.compared
            return self.condition(compared) if compared else {}
        if kind == "value":
            return _value(around.field) if around.field else {}
        if kind == "column":
            return _one_of(_labels(around.field.columns)) if around.field else {}
        return self._of_module(kind, module)

    def _of_module(self, kind: str, module: ModuleNames) -> Schema:
        """A definition shared by all places in a module."""
        name = f"{module.name}: {kind}"
        if name not in self._language.definitions:
            schemas = {"values": _values, "labels": _option_labels, "action": self._actions}
            schema = schemas[kind](module) if kind in schemas else _names_of_module(kind, module)
            self._language.definitions[name] = schema
        return ref(name) if self._language.definitions[name] else {}

    def _actions(self, module: ModuleNames) -> Schema:
        words = [word for word in ACTIONS if NEEDED_KEYS.get(word, "fields") in module.keys]
        known = {
            word: ACTION_DESCRIPTIONS[word] for word in words if word != "grant" or module.name == self._names.people
        }
        return described([*known, *module.transitions], {**known, **module.transitions})

    def _related(self, here: ModuleNames) -> Schema:
        """A module that links here, by its name or along with its columns."""
        linking = {
            name: module
            for name, module in self._names.modules.items()
            if any(here.name in field.targets for field in module.fields.values())
        }
        if not linking:
            return {}
        known = _one_of(_labels(linking))
        columns = [
            {
                "if": {"properties": {"module": {"const": name}}},
                "then": {"properties": {"columns": {"items": self._of_module("field", module)}}},
            }
            for name, module in linking.items()
        ]
        return {"if": {"type": "object"}, "then": {"properties": {"module": known}, "allOf": columns}, "else": known}

    def _panels(self) -> Schema:
        """A panel, with the fields of the module that it names."""
        kinds = ("chart", "list", "notices")
        modules = self._names.modules
        named: Schema = {"properties": {kind: _one_of(_labels(modules)) for kind in kinds}}
        of_modules = [
            {
                "if": {"anyOf": [{"properties": {kind: {"const": name}}, "required": [kind]} for kind in kinds]},
                "then": {
                    "properties": {
                        "where": self.condition(module),
                        **{key: self._of_module("field", module) for key in ("by", "of")},
                    }
                },
            }
            for name, module in modules.items()
        ]
        return {"if": {"type": "object"}, "then": {**named, "allOf": of_modules}}

    # -- conditions -------------------------------------------------------------------------------------------------

    def condition(self, module: ModuleNames) -> Schema:
        """A condition on the records of a module."""
        name = f"{module.name}: condition"
        if name not in self._language.definitions:
            self._language.definitions[name] = {}
            lines = {field.name: _comparison(field) for field in module.everything.values()}
            group = {"type": "array", "minItems": 1, "items": ref(name)}
            if "any" in lines:
                group = {"if": {"type": "array", "contains": {"type": "object"}}, "then": group, "else": lines["any"]}
            self._language.definitions[name] = {
                "properties": {**lines, "any": group},
                "patternProperties": dict(self._paths(module)),
                "additionalProperties": False,
            }
        return ref(name)

    def _paths(self, module: ModuleNames) -> Iterable[tuple[str, Schema]]:
        """Patterns for paths through the links of a module."""
        for field in module.everything.values():
            target = self._names.modules.get(field.targets[0]) if len(field.targets) == 1 else None
            if target is not None:
                yield f"^{field.name}\\.({'|'.join(target.everything)})(\\.|$)", {}
            elif field.type in ("lookup", "") or field.targets:
                yield f"^{field.name}\\.", {}


def _names_of_module(kind: str, module: ModuleNames) -> Schema:
    fields, everything = _labels(module.fields), _labels(module.everything)
    descending = {f"-{name}": f"{label}, descending" for name, label in everything.items()}
    links = {name: field for name, field in module.everything.items() if field.targets}
    if kind == "state":
        return {"enum": list(dict.fromkeys(module.states))} if module.states else {}
    if kind == "path":
        return {"pattern": f"^({'|'.join(everything)})(\\.|$)", "examples": list(links)}  # editors offer these
    names: dict[str, Labels] = {
        "field": everything,
        "own field": fields,
        "form field": {**everything, "attachments": "Attachments"},
        "sort field": {**everything, **descending},
        "asked field": {"comment": "Comment", **fields},
        "link": _labels(links),
        "unique within": {
            "organization": "Company",
            **_labels({name: links[name] for name in links if name in fields}),
        },
        "tab": module.tabs,
    }
    return _one_of(names.get(kind, {}))  # other kinds are the same in every folder


def _value(field: FieldNames) -> Schema:
    """The narrowed schema of a value that a field may have."""
    if field.type == "choice" and field.options:
        return {"enum": [*field.option_values, "nothing"]}
    return {"enum": [True, False, "true", "false", "nothing"]} if field.type == "boolean" else {}


def _values(module: ModuleNames) -> Schema:
    values = {name: _value(field) for name, field in module.fields.items()}
    return {"properties": values, "additionalProperties": False}


def _option_labels(module: ModuleNames) -> Schema:
    with_options = {name: field for name, field in module.everything.items() if field.options}
    return {
        "properties": {name: {"propertyNames": {"enum": list(field.options)}} for name, field in with_options.items()},
        "propertyNames": {"enum": list(module.everything)},
    }


def _comparison(field: FieldNames) -> Schema:
    if not field.options:
        return {}
    values: Schema = {"enum": list(dict.fromkeys([*field.option_values, "nothing", ""]))}
    other_field = {"type": "string", "pattern": r"^\$"}
    schema = comparison({"if": other_field, "then": {"type": SCALAR}, "else": values})
    schema["then"] = {"properties": {"not": schema["then"]["properties"]["not"]}}
    return schema


def _labels(named: Mapping[str, Any]) -> Labels:
    return {name: entry.label for name, entry in named.items()}


def _hover(label: str, kind: str) -> str:
    return f"{label} ({kind})" if kind else label


def _one_of(names: Labels) -> Schema:
    return described(names, names) if names else {}

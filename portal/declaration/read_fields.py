"""Reads the fields of modules.yaml: each entry becomes the object of its type, or a problem with its place."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.name_rules import BUILT_IN, SYSTEM_COLUMNS, as_name, reserved_field, wrong_name
from portal.declaration.shape_keys import has_keys_of, keys_of, shape_at
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import ProblemText
from portal.declaration.source.suggestions import did_you_mean
from portal.declaration.synonyms import intended_key, intended_type
from portal.declaration.validation import named_entries, validate, without_internal
from portal.declaration.validation_sentences import unknown_key_sentence
from portal.fields.base import Field
from portal.packages import left_out


def read_fields(draft: DeclarationDraft, entries: Any, module: str, at: Cursor) -> dict[str, Field]:
    """The fields of a module; those that cannot be understood are noted as broken."""
    fields: dict[str, Field] = {}
    for name, entry in named_entries(entries, at, "names to field types").items():
        before = len(draft.problems)
        if _is_key_of_module(name, entry):
            at[name].key.wrong(ProblemText(f'"{name}" belongs beside fields:, not under it', "below fields"))
            draft.broken_fields.add((module, name))
            continue
        if problem := wrong_name(name) or reserved_field(name):
            at[name].key.wrong(problem)
            draft.broken_fields.add((module, as_name(name)))
            draft.misnamed_fields.append(module)
        field = None if name in BUILT_IN else _read_field(name, entry, at[name])
        if len(draft.problems) > before:
            draft.broken_fields.add((module, name))
        if field is not None:
            fields[name] = field
    return fields


def _is_key_of_module(name: str, entry: Any) -> bool:
    """Whether a key of the module is misplaced among its fields: its value neither is nor has a type."""
    if name not in keys_of(Module) or entry is None:
        return False
    if isinstance(entry, str):
        return intended_type(entry) is None
    if not isinstance(entry, Mapping):
        return True
    if any(_means_type(key) for key in entry):
        return False
    shape = shape_at(Module, (name,))
    if shape is Module:  # a text, possibly in several languages
        return not any(key in _keys_of_fields() for key in entry)
    return has_keys_of(shape, entry)


@cache
def _keys_of_fields() -> frozenset[str]:
    return frozenset(key for kind in Field.types.values() for key in keys_of(kind))


def _read_field(name: str, entry: Any, at: Cursor) -> Field | None:
    """Reads a field, from the name of a type or a mapping with the key `type`."""
    if isinstance(entry, str):
        entry = {"type": entry}
    if not isinstance(entry, Mapping):
        at.key.wrong("must be the type of the field, or a mapping with type:")
        return None
    type_name = entry.get("type")
    if type_name is None:
        _report_missing_type(entry, at)
        return None
    if not isinstance(type_name, str) or type_name not in Field.types:
        at.inner("type").wrong(_unknown_type(type_name, at))
        return None
    shape = Field.types[type_name]
    if "multiple" in entry and f"{type_name}s" in Field.types:
        at["multiple"].key.wrong(f'no key "multiple" here: a field with several has the type {type_name}s')
        return None
    entry = without_internal(shape, entry, at)
    entry = _as_written({**entry, "name": name}, shape, at)
    if "fields" in shape.model_fields and isinstance(entry.get("fields"), Mapping | list):
        columns = _columns(named_entries(entry["fields"], at["fields"], "names to field types"), at["fields"])
        if len(columns) < len(entry["fields"]):
            return None
        entry["fields"] = columns
    result = validate(shape, entry, at)
    return result[0] if result else None


def _report_missing_type(entry: Mapping[str, Any], at: Cursor) -> None:
    for key in entry:
        if key not in keys_of(Field) and _means_type(key):
            at[key].key.wrong(unknown_key_sentence(key, ["type"]))
            return
    named = next((key for key in entry if key in Field.types), None)
    at.key.wrong('the "type" of the field is missing' + (f": write type: {named}" if named else ""))


def _means_type(key: str) -> bool:
    return intended_key(re.split("[:=]", key)[0], ["type"]) is not None


def _unknown_type(name: Any, at: Cursor) -> str:
    if not isinstance(name, str):
        return "must be the name of a field type, such as text"
    for reason in left_out(name):
        return reason
    key, colon, rest = name.partition(":")
    if colon and rest.strip() in Field.types and key == "type":
        return 'write a space after the ":" of "type:"'
    if at.document.has(("modules", name)):
        return f'no field type "{name[:80]}", but a module: write {{type: link, to: {name[:80]}}}'
    words = name.split()
    if len(words) > 1 and (named := next((word for word in words if word in Field.types), None)):
        return f'no field type "{name[:80]}": a field with more than a type is written as {{type: {named}, …}}'
    return f'no field type "{name[:80]}"{did_you_mean(intended_type(name))}'


def _columns(entries: Mapping[str, Any], at: Cursor) -> dict[str, Field]:
    """Reads the columns of a `lines` field."""
    columns: dict[str, Field] = {}
    for name, entry in entries.items():
        if problem := wrong_name(name) or _reserved_column(name):
            at[name].key.wrong(problem)
            continue
        column = _read_field(name, entry, at[name])
        if column is not None and not column.can_be_column:
            at[name].wrong(f"a field of type {column.type} cannot be a column of lines")
        elif column is not None:
            columns[name] = column
    return columns


def _reserved_column(name: str) -> str | None:
    if name == "id" or name in SYSTEM_COLUMNS:
        return f'"{name}" cannot be the name of a column: the table of the rows has one of that name already'
    return None


def _as_written(entry: dict[str, Any], shape: type[Field], at: Cursor) -> dict[str, Any]:
    """The entry of a field with names of options, and a default that is text, as they are written: 1.10 is not 1.1."""
    options, default = entry.get("options"), entry.get("default")
    if isinstance(options, list):
        entry["options"] = _items_as_written(options, at["options"])
    if isinstance(default, int | float) and shape.textual:
        entry["default"] = at["default"].source_text
    if isinstance(default, list) and shape.textual:
        entry["default"] = _items_as_written(default, at["default"])
    return entry


def _items_as_written(items: list[Any], at: Cursor) -> list[Any]:
    texts = (at[index].source_text for index in range(len(items)))
    # An empty text without quotes means that a value is missing after a dash.
    return [
        item if text is None or (item is None and not text) else text for item, text in zip(items, texts, strict=True)
    ]

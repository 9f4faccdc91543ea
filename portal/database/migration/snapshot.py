"""The declaration as the database remembers it: what was last applied, as plain JSON, kept in portal_schema.

Only what decides about tables, values and the search index is kept. From it old fields are made again, so that their
values can be read; comparing two of these tells what changed without asking the real database.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from portal.database.schema.tables import Tables, author_columns
from portal.database.search.backlog import searched
from portal.declaration.shapes import Declaration, Module
from portal.fields.base import Field
from portal.fields.links import join_name
from portal.texts import Text

Remembered = dict[str, Any]
NOTHING: Remembered = {"own": {}, "modules": {}}

# Keys that change what people see, but neither a column nor a value.
_NOT_KEPT = {"help", "placeholder", "show_when", "where", "default", "read_only", "index", "tone", "icon", "on_delete"}


def describe(tables: Tables) -> Remembered:
    """What is remembered of a declaration when it has been applied."""
    own = {table.name: sorted(table.c.keys()) for table in own_tables(tables)}
    modules = {name: _module(tables.declaration, module, tables) for name, module in tables.declaration.modules.items()}
    return json.loads(json.dumps({"own": own, "modules": modules}))


def own_tables(tables: Tables) -> list[sa.Table]:
    """The portal's own tables, in the order in which they can be made."""
    own = [table for table in tables.metadata.tables.values() if table.name.startswith("portal_")]
    return sa.schema.sort_tables(own)


def last_applied(connection: sa.Connection, tables: Tables) -> Remembered | None:
    """What was last applied to this database; None for one that never was a portal's."""
    if not sa.inspect(connection).has_table(tables.schema.name):
        return None
    newest = sa.select(tables.schema.c["description"]).order_by(tables.schema.c["id"].desc()).limit(1)
    return connection.execute(newest).scalar()


def stored_fields(module: Module) -> dict[str, Field]:
    """The fields that hold something in the database, with the two built-in ones whose column depends on `people`."""
    persons = {name: module.builtin[name] for name in ("created_by", "modified_by")}
    return persons | {name: field for name, field in module.fields.items() if field.stored and _is_kept(field)}


def _is_kept(field: Field) -> bool:
    return not field.computed and bool(target(field) or field.columns())


def columns(field: Field) -> list[sa.Column[Any]]:
    """The columns of a field."""
    return author_columns(field) if field.name in ("created_by", "modified_by") else field.columns()


def target(field: Field) -> str | None:
    """The module to which the join table of a field leads; None where the field has no join table."""
    return field.to[0] if field.multiple and getattr(field, "to", ()) else None


def storage(field: Field) -> list[list[str]]:
    """How a field is kept, [] for not at all; two fields with the same answer can read each other's values."""
    kept = []
    for column in columns(field):
        kept.append([column.name, repr(column.type), *(key.target_fullname for key in column.foreign_keys)])
    if goal := target(field):
        kept.append(["join", goal])
    # One column of text may hold a text, or several values packed into one.
    return [*kept, [type(field).load.__qualname__, type(field).store.__qualname__]] if kept else []


def made_again(entry: Mapping[str, Any]) -> Field | None:
    """The field that an entry remembers; None where this version of the portal no longer understands it."""
    try:
        return Field.types[entry["type"]].model_validate(entry)
    except (KeyError, ValidationError):
        return None


def _module(declaration: Declaration, module: Module, tables: Tables) -> dict[str, Any]:
    return {
        "formerly": module.formerly,
        "fields": {name: _plain(field) for name, field in stored_fields(module).items()},
        "indexes": {
            str(index.name): [bool(index.unique), *index.columns.keys()]
            for index in sorted(tables.module(module.name).indexes, key=lambda index: str(index.name))
        },
        "search": searched(declaration, module),
    }


def _plain(value: Any) -> Any:
    """A part of the declaration as JSON holds it, without what it has by default."""
    if isinstance(value, BaseModel):
        known = type(value).model_fields
        # A field's label is for the eye alone; an option's label is what imports read and what the search finds.
        left = _NOT_KEPT | {"label"} if "type" in known else _NOT_KEPT
        kept = {name: getattr(value, name) for name in known if name not in left}
        return {name: _plain(item) for name, item in kept.items() if _matters(name, item, known[name].default)}
    if isinstance(value, Text):
        return dict(value.by_language) or value.plain
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _matters(name: str, value: Any, default: Any) -> bool:
    return name in ("type", "name") or value != default


@dataclass(frozen=True)
class Renames:
    """What bears a new name: new name → old one, for modules and for the fields of each (newly named) module."""

    modules: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.modules or self.fields)


def find_renames(old: Remembered, declaration: Declaration) -> Renames:
    """The renames that `formerly` asks for and that have not been done yet."""
    formerly = {name: module.formerly for name, module in declaration.modules.items()}
    modules, fields = renamed_names(old["modules"], formerly), {}
    for name, module in declaration.modules.items():
        before = old["modules"].get(modules.get(name, name))
        if before:
            found = renamed_names(before["fields"], {key: field.formerly for key, field in module.fields.items()})
            fields |= {name: found} if found else {}
    return Renames(modules, fields)


def renamed_names(known: Collection[str], formerly: Mapping[str, str | None]) -> dict[str, str]:
    """New name → old name. `formerly` may stay in the files for ever: it counts while the old name is the one known."""
    found: dict[str, str] = {}
    for name, was in formerly.items():
        if was in known and was not in formerly and name not in known and was not in found.values():
            found[name] = was
    return found


def with_new_names(old: Remembered, renames: Renames) -> Remembered:
    """What is remembered, in the names that hold after the renames."""
    names = {was: name for name, was in renames.modules.items()}
    modules = {}
    for was, module in old["modules"].items():
        name = names.get(was, was)
        fields = {before: after for after, before in renames.fields.get(name, {}).items()}
        kept = {
            fields.get(key, key): _with_targets({**entry, "name": fields.get(key, key)}, names)
            for key, entry in module["fields"].items()
        }
        modules[name] = {**module, "fields": kept}
    return {**old, "modules": modules}


def _with_targets(entry: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**entry, "to": [names.get(goal, goal) for goal in entry["to"]]} if "to" in entry else entry


def known_columns(known: Remembered, other: Remembered) -> dict[str, set[str]]:
    """The tables of modules with the columns of those fields that `other` does not have, or has otherwise."""
    found: dict[str, set[str]] = {}
    for name, module in known["modules"].items():
        found[name] = set()
        same = other["modules"].get(name, {"fields": {}})["fields"]
        for key, entry in module["fields"].items():
            if same.get(key) == entry:
                continue
            found[name] |= column_names(entry)
            remembered = made_again(entry)
            if remembered and target(remembered):
                found[join_name(name, key)] = set()
    return found


def column_names(entry: Mapping[str, Any]) -> set[str]:
    """The names of the columns of a remembered field."""
    remembered = made_again(entry)
    return {column.name for column in columns(remembered)} if remembered else {entry["name"]}

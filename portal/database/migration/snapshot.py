"""Snapshots of a declaration: what was applied last, as plain JSON in portal_schema.

A snapshot holds only what decides about tables, values and the search index. Old fields are rebuilt from it, so that
their values can be read; comparing two snapshots shows what changed without a look at the real tables.
"""

import datetime
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from portal.database.schema.tables import Tables, author_columns
from portal.database.search.contents import rows_description, searched_description
from portal.declaration.shapes import Declaration, Module, fields_with_rows
from portal.fields.base import Field
from portal.fields.links import is_rows, join_name
from portal.texts import Text

Snapshot = dict[str, Any]
EMPTY: Snapshot = {"own": {}, "modules": {}}
NOTHING_LEFT: dict[str, Any] = {"modules": [], "fields": {}, "aside": {}}

# Keys that change what people see, but neither a column nor a value.
_LEFT_OUT = {
    "help", "placeholder", "show_when", "required_when", "where", "default", "read_only", "index", "tone", "icon",
    "on_delete",
}  # fmt: skip


def take_snapshot(tables: Tables) -> Snapshot:
    """The snapshot of the declaration of `tables`."""
    own = {table.name: sorted(table.c.keys()) for table in sorted_system_tables(tables)}
    modules = {name: _module_entry(module, tables) for name, module in tables.declaration.stored.items()}
    return json.loads(json.dumps({"own": own, "modules": modules}))


def sorted_system_tables(tables: Tables) -> list[sa.Table]:
    """The system tables, in the order in which they can be created."""
    system = [table for table in tables.metadata.tables.values() if table.name.startswith("portal_")]
    return sa.schema.sort_tables(system)


def last_applied(connection: sa.Connection, tables: Tables) -> Snapshot | None:
    """The snapshot that was saved last; None for a database that never was a portal's."""
    if not sa.inspect(connection).has_table(tables.schema.name):
        return None
    newest = sa.select(tables.schema.c["description"]).order_by(tables.schema.c["id"].desc()).limit(1)
    return connection.execute(newest).scalar()


def save_snapshot(connection: sa.Connection, tables: Tables, snapshot: Snapshot) -> None:
    """Makes `snapshot` the one that was applied last, unless it is already."""
    if last_applied(connection, tables) == snapshot:
        return
    connection.execute(sa.delete(tables.schema))
    now = datetime.datetime.now(datetime.UTC)
    connection.execute(sa.insert(tables.schema).values(applied=now, description=snapshot))


def applied_at(connection: sa.Connection, tables: Tables) -> datetime.datetime | None:
    """When a plan was applied last that changed something."""
    return connection.execute(sa.select(sa.func.max(tables.schema.c["applied"]))).scalar()


def declared_part(snapshot: Snapshot) -> Snapshot:
    """What `take_snapshot` takes, without what only the database knows: its history, and what was left in it."""
    return {"own": snapshot["own"], "modules": snapshot["modules"]}


def left_of(snapshot: Snapshot) -> dict[str, Any]:
    """What the declaration no longer has and the database still holds, because dropping it would lose data.

    `modules`, and `fields` by module: removed ones. `aside`: module → field → the type that it had, of fields with
    values that did not fit their new type; see aside.py.
    """
    return NOTHING_LEFT | snapshot.get("left", {})


def stored_fields(module: Module) -> dict[str, Field]:
    """The fields with a place in the database, and the two built-in ones whose column depends on `people:`."""
    authors = {name: module.builtin[name] for name in ("created_by", "modified_by") if name in module.builtin}
    stored = {name: field.as_stored for name, field in module.fields.items() if not field.virtual}
    return authors | {name: field for name, field in stored.items() if _has_place(field)}


def _has_place(field: Field) -> bool:
    return bool(join_target(field) or field.columns())


def columns(field: Field) -> list[sa.Column[Any]]:
    """The columns of a field."""
    return author_columns(field) if field.name in ("created_by", "modified_by") else field.columns()


def join_target(field: Field) -> str | None:
    """The module to which the join table of a field leads; None for a field without a join table."""
    return field.targets[0] if field.in_join_table else None


def storage_of(field: Field) -> list[list[str]]:
    """How the values of a field are stored, [] for not at all; two fields of equal storage read each other's values."""
    storage: list[list[str]] = []
    for column in columns(field):
        storage.append([column.name, repr(column.type), *(key.target_fullname for key in column.foreign_keys)])
    if target := join_target(field):
        storage.append(["join", target])
    # A column of text may hold one text, or several values packed into one.
    return [*storage, [type(field).load.__qualname__, type(field).store.__qualname__]] if storage else []


def rebuild_field(entry: Mapping[str, Any]) -> Field | None:
    """The field of an entry of a snapshot; None if this version of the portal no longer understands it."""
    try:
        return Field.types[entry["type"]].model_validate(entry)
    except (KeyError, ValidationError):
        return None


def _module_entry(module: Module, tables: Tables) -> dict[str, Any]:
    declaration = tables.declaration
    return {
        "formerly": module.formerly,
        "fields": {name: _plain(field) for name, field in stored_fields(module).items()},
        "indexes": {
            str(index.name): [bool(index.unique), *index.columns.keys()]
            for index in sorted(tables.module(module.name).indexes, key=lambda index: str(index.name))
        },
        "search": rows_description(module) if is_rows(module.name) else searched_description(declaration, module),
    }


def _plain(value: Any) -> Any:
    """A part of the declaration as JSON, without default values."""
    if isinstance(value, BaseModel):
        known = type(value).model_fields
        # A field's label is only shown; an option's label is read by imports and found by the search.
        left_out = _LEFT_OUT | {"label"} if "type" in known else _LEFT_OUT
        items = {name: getattr(value, name) for name in known if name not in left_out}
        return {name: _plain(item) for name, item in items.items() if _matters(name, item, known[name].default)}
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
    """Renames: new name → old name, of modules and of the fields of each module (under its new name)."""

    modules: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.modules or self.fields)

    def new_field_names(self, module: str) -> dict[str, str]:
        """Old name → new name, of the fields of a module under its new name."""
        return {before: after for after, before in self.fields.get(module, {}).items()}


def find_renames(connection: sa.Connection, old: Snapshot, declaration: Declaration) -> Renames:
    """The renames that `formerly` declares and that are not done yet, and renames that the declaration has undone."""
    formerly = {name: module.formerly for name, module in declaration.modules.items() if module.table is None}
    history = history_of(old)
    late = {
        name
        for name, before in _late_renames(old["modules"], left_of(old)["modules"], formerly)
        if not has_rows(connection, name)
    }
    known = {name: entry for name, entry in old["modules"].items() if name.partition("$")[0] not in late}
    modules = renamed_names(known, formerly, history["modules"])
    modules |= _renamed_rows(known, declaration, modules, history["modules"])
    fields: dict[str, dict[str, str]] = {}
    for name, module in declaration.stored.items():
        old_name = modules.get(name, name)
        before = old["modules"].get(old_name)
        if before:
            formerly = {key: field.formerly for key, field in module.fields.items()}
            renamed = renamed_names(before["fields"], formerly, history["fields"].get(old_name, {}))
            left_fields = left_of(old)["fields"].get(old_name, ())
            for key, left in _late_renames(before["fields"], left_fields, formerly):
                if _is_empty(connection, old_name, before["fields"][key]):
                    renamed[key] = left
            fields |= {name: renamed} if renamed else {}
    return Renames(modules, fields)


def _renamed_rows(
    known: Collection[str], declaration: Declaration, modules: Mapping[str, str], history: Mapping[str, str]
) -> dict[str, str]:
    """The tables of rows whose `lines` field, or its module, has another name: new name → old name."""
    formerly: dict[str, str | None] = {}
    for module, lines in fields_with_rows(declaration.modules.values()):
        before = modules.get(module.name, module.name)
        names = [lines.name] if lines.formerly in (None, *module.fields) else [str(lines.formerly), lines.name]
        former = (join_name(before, name) for name in names)
        formerly[join_name(module.name, lines.name)] = next((name for name in former if name in known), None)
    return renamed_names(known, formerly, history)


def _late_renames(
    known: Collection[str], left: Collection[str], formerly: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    """Those whose `formerly` was written after their first migration: what they held is left under the old name."""
    for name, before in formerly.items():
        if before in left and before not in formerly and name in known:
            yield name, str(before)


def has_rows(connection: sa.Connection, table: str) -> bool:
    """Whether a table of the database has any row."""
    return connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).first() is not None


def _is_empty(connection: sa.Connection, module: str, entry: Mapping[str, Any]) -> bool:
    """Whether no record has a value of a field."""
    field = rebuild_field(entry)
    if field is None:
        return False
    if join_target(field):
        source = sa.table(join_name(module, field.name), sa.column("record"))
        return connection.execute(sa.select(source.c["record"]).limit(1)).first() is None
    name = columns(field)[0].name
    source = sa.table(module, sa.column(name))
    return connection.execute(sa.select(source.c[name]).where(source.c[name].is_not(None)).limit(1)).first() is None


def renamed_names(
    known: Collection[str], formerly: Mapping[str, str | None], history: Mapping[str, str]
) -> dict[str, str]:
    """New name → old name.

    `known`: the names in the last snapshot. `formerly`: the declared names and what each was called before; it may stay
    in the files for ever, and counts only while the old name is known. `history`: renames that were done, new name →
    old name: a declared name that is found there is the old one back again.
    """
    renamed: dict[str, str] = {}
    for name, before in formerly.items():
        if before is None or before not in known or before in formerly:
            continue
        if name not in known and before not in renamed.values():
            renamed[name] = before
    for name in formerly:
        if name in known or name in renamed:
            continue
        gone = (later for later in known if later not in formerly and later not in renamed.values())
        later = next((later for later in gone if name in earlier_names(later, history)), None)
        if later is not None:
            renamed[name] = later
    return renamed


def earlier_names(name: str, history: Mapping[str, str]) -> list[str]:
    """What something was called before, the latest name first."""
    names: list[str] = []
    while name in history and history[name] not in names:
        name = history[name]
        names.append(name)
    return names


def history_of(snapshot: Snapshot) -> dict[str, Any]:
    """The renames that were done, see done_renames.py; from a snapshot without a history what its `formerly` tell."""
    if "history" in snapshot:
        return snapshot["history"]
    modules = snapshot["modules"].items()
    return {
        "modules": {name: module["formerly"] for name, module in modules if module.get("formerly")},
        "fields": {name: _formerly(module["fields"]) for name, module in modules},
        "options": {
            name: {key: _formerly(entry["options"]) for key, entry in module["fields"].items() if "options" in entry}
            for name, module in modules
        },
    }


def _formerly(entries: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry["formerly"] for name, entry in entries.items() if entry.get("formerly")}


def with_new_names(old: Snapshot, renames: Renames) -> Snapshot:
    """The snapshot under the names that hold after the renames."""
    names = {before: after for after, before in renames.modules.items()}
    modules = {}
    for before, module in old["modules"].items():
        if before in renames.modules:
            continue  # an empty module whose name the other one takes
        name = names.get(before, before)
        field_names = renames.new_field_names(name)
        fields = {
            field_names.get(key, key): _with_targets({**entry, "name": field_names.get(key, key)}, names)
            for key, entry in module["fields"].items()
            if key not in field_names.values()  # an empty field whose name the other one takes
        }
        modules[name] = {**module, "fields": fields}
    return {**old, "modules": modules, "left": _left_with_new_names(left_of(old), names, renames)}


def _left_with_new_names(left: Mapping[str, Any], names: Mapping[str, str], renames: Renames) -> dict[str, Any]:
    fields, aside = {}, {}
    for before, field_list in left["fields"].items():
        name = names.get(before, before)
        fields[name] = [renames.new_field_names(name).get(field, field) for field in field_list]
    for before, types in left["aside"].items():
        name = names.get(before, before)
        aside[name] = {renames.new_field_names(name).get(field, field): type_ for field, type_ in types.items()}
    return {"modules": [names.get(name, name) for name in left["modules"]], "fields": fields, "aside": aside}


def _with_targets(entry: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**entry, "to": [names.get(target, target) for target in entry["to"]]} if "to" in entry else entry


def changed_columns(snapshot: Snapshot, other: Snapshot) -> dict[str, set[str]]:
    """The tables of modules, each with the columns of those fields that `other` has not, or has with other keys."""
    by_table: dict[str, set[str]] = {}
    for name, module in snapshot["modules"].items():
        by_table[name] = set()
        same = other["modules"].get(name, {"fields": {}})["fields"]
        for key, entry in module["fields"].items():
            if same.get(key) == entry:
                continue
            by_table[name] |= column_names(entry)
            field = rebuild_field(entry)
            if field and join_target(field):
                by_table[join_name(name, key)] = set()
    return by_table


def column_names(entry: Mapping[str, Any]) -> set[str]:
    """The names of the columns of a field in a snapshot."""
    field = rebuild_field(entry)
    return {column.name for column in columns(field)} if field else {entry["name"]}

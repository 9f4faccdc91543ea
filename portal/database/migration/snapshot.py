"""Snapshots of a declaration: what was last applied, as plain JSON in portal_schema.

A snapshot only has what affects tables, values and the search index. Old fields are rebuilt from it, so that their
values can be read; comparing two snapshots shows what changed without reading the real tables.
"""

import datetime
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from portal.database.schema.tables import Tables, columns_of, sorted_system_tables, stored_fields
from portal.database.search.index_description import rows_description, searched_description
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.table_names import is_rows, join_name
from portal.texts import Text

Snapshot = dict[str, Any]
EMPTY: Snapshot = {"own": {}, "modules": {}}
NOTHING_LEFT: dict[str, Any] = {"modules": [], "fields": {}, "aside": {}}

# Keys that change what people see, but no column or value.
_LEFT_OUT = {
    "help", "placeholder", "show_when", "required_when", "where", "default", "read_only", "read_only_when", "index",
    "tone", "icon", "on_delete", "pause", "stop", "suggestions",
}  # fmt: skip


def take_snapshot(tables: Tables) -> Snapshot:
    """The snapshot of the declaration of `tables`."""
    own = {table.name: sorted(table.c.keys()) for table in sorted_system_tables(tables)}
    modules = {name: _module_entry(module, tables) for name, module in tables.declaration.stored.items()}
    return json.loads(json.dumps({"own": own, "modules": modules}))


def last_applied(connection: sa.Connection, tables: Tables) -> Snapshot | None:
    """The last saved snapshot; None for a database that never belonged to a portal."""
    if not sa.inspect(connection).has_table(tables.schema.name):
        return None
    newest = sa.select(tables.schema.c["description"]).order_by(tables.schema.c["id"].desc()).limit(1)
    return connection.execute(newest).scalar()


def save_snapshot(connection: sa.Connection, tables: Tables, snapshot: Snapshot) -> None:
    """Saves `snapshot` as the last applied one, unless it already is."""
    if last_applied(connection, tables) == snapshot:
        return
    connection.execute(sa.delete(tables.schema))
    now = datetime.datetime.now(datetime.UTC)
    connection.execute(sa.insert(tables.schema).values(applied=now, description=snapshot))


def applied_at(connection: sa.Connection, tables: Tables) -> datetime.datetime | None:
    """When a plan that changed something was last applied."""
    return connection.execute(sa.select(sa.func.max(tables.schema.c["applied"]))).scalar()


def declared_part(snapshot: Snapshot) -> Snapshot:
    """The part made by `take_snapshot`, without what only the database knows: its history, and what was left in it."""
    return {"own": snapshot["own"], "modules": snapshot["modules"]}


def left_behind(snapshot: Snapshot) -> dict[str, Any]:
    """What a snapshot says is no longer declared but still in the database, because dropping it would lose data.

    `modules`, and `fields` by module: removed ones. `aside`: module → field → its former type, for fields with values
    that did not fit their new type; see values_set_aside.py.
    """
    return NOTHING_LEFT | snapshot.get("left", {})


def storage_of(field: Field) -> list[list[str]]:
    """How the values of a field are stored, [] if not at all; fields with equal storage read each other's values."""
    storage: list[list[str]] = []
    for column in columns_of(field):
        storage.append([column.name, repr(column.type), *(key.target_fullname for key in column.foreign_keys)])
    if field.in_join_table:
        storage.append(["join", field.targets[0]])
    # A text column may hold one text, or several values packed into one.
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
        "fields": {name: _as_json(field) for name, field in stored_fields(module).items()},
        "indexes": {
            str(index.name): [bool(index.unique), *index.columns.keys()]
            for index in sorted(tables.module(module.name).indexes, key=lambda index: str(index.name))
        },
        "search": rows_description(module) if is_rows(module.name) else searched_description(declaration, module),
    }


def _as_json(value: Any) -> Any:
    """A part of the declaration for the snapshot: JSON, without default values."""
    if isinstance(value, BaseModel):
        known = type(value).model_fields
        # A field's label is only shown; imports read an option's label, and the search finds it.
        left_out = _LEFT_OUT | {"label"} if "type" in known else _LEFT_OUT
        items = {name: getattr(value, name) for name in known if name not in left_out}
        always = ("type", "name")
        return {name: _as_json(item) for name, item in items.items() if name in always or item != known[name].default}
    if isinstance(value, Text):
        return dict(value.by_language) or value.plain
    if isinstance(value, Mapping):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def changed_columns(snapshot: Snapshot, other: Snapshot) -> dict[str, set[str]]:
    """The tables in a snapshot, with the columns of fields that the snapshot `other` lacks or stores differently."""
    by_table: dict[str, set[str]] = {}
    for name, module in snapshot["modules"].items():
        by_table[name] = set()
        same = other["modules"].get(name, {"fields": {}})["fields"]
        for key, entry in module["fields"].items():
            if same.get(key) == entry:
                continue
            by_table[name] |= column_names_of_entry(entry)
            field = rebuild_field(entry)
            if field and field.in_join_table:
                by_table[join_name(name, key)] = set()
    return by_table


def column_names_of_entry(entry: Mapping[str, Any]) -> set[str]:
    """The names of the columns of a field in a snapshot."""
    field = rebuild_field(entry)
    return {column.name for column in columns_of(field)} if field else {entry["name"]}


def had_formula(snapshot: Snapshot, module: str, field: str) -> bool:
    """Whether a field of a snapshot is a formula."""
    return field in snapshot["modules"].get(module, {"search": {}})["search"].get("formulas", {})

"""Modules that use the tables of a database: types from the columns and sample values, links from foreign keys.

The tables stay in place: each module has `table:`. Nothing is written to the database.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.schema.inspection import InspectedTable, inspect_table
from portal.texts import plural
from portal.workshop.outlines.column_values import PLAIN_NOTATION, ColumnValues
from portal.workshop.outlines.guess_types import MONEY, MOST_OPTIONS, UNIQUE_TYPES, Guess, guess, year
from portal.workshop.outlines.naming import field_name, link_name, module_name, snake
from portal.workshop.outlines.outline import Outline, OutlineField, OutlineModule

SAMPLED = 2_000  # rows sampled from each table
OURS = ("portal_", "sqlite_", "pg_")
WITHOUT_LOOK = {"boolean": "boolean", "date": "date", "datetime": "datetime", "moment": "datetime", "time": "time"}
MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?$")
FROM_TEXT = ("email", "url", "phone", "choice", "text", "longtext")
ON_SQLITE = ("date", "datetime", "time")  # stored as text


@dataclass(frozen=True)
class Table:
    """A table: its columns, and the targets of its foreign keys, by column."""

    inspected: InspectedTable
    links: dict[str, str]
    types: dict[str, Any]
    unique: frozenset[str]
    dates_are_texts: bool  # SQLite has no date types


def outline_of_database(engine: sa.Engine, origin: str) -> Outline:
    """The outline of all tables of a database except the portal's own, ordered by name."""
    with reading(engine) as connection:
        inspector = sa.inspect(connection)
        names = sorted(name for name in inspector.get_table_names() if not name.startswith(OURS))
        tables = {name: _table(inspector, name) for name in names}
        modules: dict[str, str] = {}
        for name in tables:
            modules[name] = module_name(name, modules.values())
        outlined = [_module(connection, table, modules) for table in tables.values()]
    return Outline([module for module in outlined if module.fields], read_only=True, origin=origin)


def _table(inspector: sa.Inspector, name: str) -> Table:
    links = {}
    for key in inspector.get_foreign_keys(name):
        target = key["referred_table"]
        # A link in the portal is a row's key in one column: SQLite names no column if the key is meant.
        primary = inspector.get_pk_constraint(target) if inspector.has_table(target) else None
        key_of_target = list(primary.get("constrained_columns") or []) if primary else []
        is_key = len(key_of_target) == 1 and key["referred_columns"] in (key_of_target, [])
        if is_key and len(key["constrained_columns"]) == 1 and not key.get("referred_schema"):
            links[key["constrained_columns"][0]] = target
    types = {column["name"]: column["type"] for column in inspector.get_columns(name)}
    single = [constraint["column_names"] for constraint in inspector.get_unique_constraints(name)]
    unique = frozenset(columns[0] for columns in single if len(columns) == 1 and columns[0])
    return Table(inspect_table(inspector, name), links, types, unique, inspector.dialect.name == "sqlite")


def _module(connection: sa.Connection, table: Table, modules: dict[str, str]) -> OutlineModule:
    inspected = table.inspected
    source = sa.table(inspected.name, *map(sa.column, inspected.columns))
    rows = connection.execute(sa.select(sa.func.count()).select_from(source)).scalar_one()
    module = OutlineModule(modules[inspected.name], inspected.name, keys={"table": inspected.name}, rows=rows)
    module.notes.append(f"table {inspected.name}: {plural(rows, 'row')}")
    if not inspected.key:
        module.notes.append("look: it has no primary key; name the columns that tell its rows apart")
        module.keys["key"] = next(iter(inspected.columns))
    values = _look(connection, table, source)
    for name, kind in inspected.columns.items():
        taken = {field.name for field in module.fields}
        if kind == "binary":
            module.left_out.append((name, "binary values are not shown"))
        elif [name] == list(inspected.key) and kind == "integer" and name not in table.links:
            module.left_out.append((name, "the key: it is the reference"))
        else:
            field = _field(table, module.name, values[name], taken, modules)
            if field.type == "choice":
                field = _with_all_options(connection, source, field)
            module.fields.append(field)
    module.joins = bool(module.fields) and len(module.fields) == len(table.links) == len(inspected.key)
    return module


def _look(connection: sa.Connection, table: Table, source: sa.TableClause) -> dict[str, ColumnValues]:
    """Sample values of a table in the database, by column."""
    names = [name for name, kind in table.inspected.columns.items() if kind != "binary"]
    values = {name: ColumnValues(name) for name in table.inspected.columns}
    texts = [sa.cast(source.c[name], sa.Text()).label(name) for name in names]
    for row in connection.execute(sa.select(*texts).limit(SAMPLED)).mappings() if texts else ():
        for name in names:
            values[name].add("" if row[name] is None else str(row[name]))
    return values


def _field(
    table: Table, module: str, values: ColumnValues, taken: Collection[str], modules: dict[str, str]
) -> OutlineField:
    column = values.header
    name, linked = field_name(column, module, taken), table.links.get(column)
    if linked in modules:
        reason = f"the foreign key to {linked}"
        name = link_name(name, taken)
        return OutlineField(name, "link", {"to": modules[linked]}, column, reason, values.filled)
    guessed = _guess(table, column, values)
    keys = {key: value for key, value in guessed.keys.items() if key != "unique"}
    if column in table.unique and guessed.type in UNIQUE_TYPES:
        keys["unique"] = True
    reason = guessed.reason if guessed.type != "text" else ""
    return OutlineField(name, guessed.type, keys, column, reason.partition("; each")[0], values.filled)


def _guess(table: Table, column: str, values: ColumnValues) -> Guess:
    kind = table.inspected.columns[column]
    if kind == "datetime" and values.filled and all(MIDNIGHT.search(value) for value in values.counts):
        return Guess("date", reason="every time is midnight")
    if kind in WITHOUT_LOOK:
        return Guess(WITHOUT_LOOK[kind])
    if kind == "integer":
        return (year(values) if values.filled else None) or Guess("integer")
    if kind == "decimal":
        scale = getattr(table.types[column], "scale", None)
        if MONEY.search(snake(column)):
            return Guess("money", reason="amounts, by the name; in the currency of the portal")
        return Guess("decimal", {"places": scale if scale is not None else max(values.most_places, 2)})
    guessed = guess(values, PLAIN_NOTATION)
    from_text = (*FROM_TEXT, *ON_SQLITE) if table.dates_are_texts else FROM_TEXT
    return guessed if guessed.type in from_text else Guess("text")


def _with_all_options(connection: sa.Connection, source: sa.TableClause, field: OutlineField) -> OutlineField:
    """A guessed choice with the values of all rows of the table; a text if there are too many."""
    column = sa.cast(source.c[field.source], sa.Text())
    distinct = sa.select(column).where(column != "").distinct().limit(MOST_OPTIONS + 1)
    options = sorted(str(value).strip() for value in connection.execute(distinct).scalars())
    if len(options) > MOST_OPTIONS:
        return OutlineField(field.name, "text", {}, field.source, "", field.filled)
    return OutlineField(field.name, "choice", {"options": options}, field.source, field.reason, field.filled)

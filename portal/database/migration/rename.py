"""Renames in the database: tables, columns, join tables, and the rows of system tables that name a module.

Nothing is copied and nothing is lost.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter, aside
from portal.database.migration.events import rename_fields
from portal.database.migration.snapshot import (
    Renames,
    Snapshot,
    columns,
    join_target,
    left_of,
    rebuild_field,
    sorted_system_tables,
    with_new_names,
)
from portal.database.schema.tables import Tables
from portal.database.search.request import module_token
from portal.fields.base import Field
from portal.fields.links import is_rows, join_name


def rename(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames) -> None:
    """Does all `renames`; `old` is the last snapshot, under its old names."""
    replaced = {name: module for name, module in old["modules"].items() if name in renames.modules}
    old = {**old, "modules": {name: module for name, module in old["modules"].items() if name not in replaced}}
    with _without_empty_modules(connection, replaced):
        _rename(connection, tables, old, renames)


def _rename(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames) -> None:
    for module, fields in renames.fields.items():
        old_name = renames.modules.get(module, module)
        for replaced in fields.keys() & old["modules"][old_name]["fields"].keys():
            _drop_empty(connection, old_name, old["modules"][old_name]["fields"][replaced])
    if renames.modules:
        _rename_rows(connection, tables, renames.modules)
    for before, after in _table_pairs(old, renames).items():
        alter.rename_table(connection, before, after)
    for module, fields in renames.fields.items():
        entries = old["modules"][renames.modules.get(module, module)]["fields"]
        for before, after in _column_pairs(entries, fields).items():
            alter.rename_column(connection, module, before, after)
        for before in left_of(old)["aside"].get(renames.modules.get(module, module), {}):
            if before in (new_names := renames.new_field_names(module)):
                aside.rename(connection, module, before, new_names[before])
    _rename_in_history(connection, tables, renames)
    if renames.modules:
        _rename_targets(connection, with_new_names(old, renames), renames.modules)


def _rename_in_history(connection: sa.Connection, tables: Tables, renames: Renames) -> None:
    if renames.fields and sa.inspect(connection).has_table(tables.event.name):
        for module, fields in renames.fields.items():
            rename_fields(connection, tables.event, module, fields)


@contextlib.contextmanager
def _without_empty_modules(connection: sa.Connection, modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Modules without records whose names others take: their tables go, and links to them lead to the others then."""
    joins = [
        join_name(name, key)
        for name, module in modules.items()
        for key, entry in module["fields"].items()
        if (field := rebuild_field(entry)) is not None and join_target(field)
    ]
    dropped = [*joins, *sorted(modules, key=is_rows, reverse=True)]  # rows before the records to which they belong
    inbound = alter.release_inbound(connection, dropped)
    alter.drop_tables(connection, dropped)
    yield
    alter.restore_inbound(connection, inbound)


def _drop_empty(connection: sa.Connection, module: str, entry: Mapping[str, object]) -> None:
    """A field without values, whose name another one takes."""
    field = rebuild_field(entry)
    if field is not None and join_target(field):
        alter.drop_tables(connection, [join_name(module, field.name)])
    elif field is not None:
        alter.drop_columns(connection, module, _column_names(field))


def _table_pairs(old: Snapshot, renames: Renames) -> dict[str, str]:
    """Old table → new table, of modules and of join tables."""
    names = {before: after for after, before in renames.modules.items()}
    pairs = dict(names)
    for old_name, module in old["modules"].items():
        name = names.get(old_name, old_name)
        fields = {before: after for after, before in renames.fields.get(name, {}).items()}
        if name == old_name and not fields:
            continue
        for key, entry in module["fields"].items():
            field = rebuild_field(entry)
            if field is not None and join_target(field):
                pairs[join_name(old_name, key)] = join_name(name, fields.get(key, key))
    return {before: after for before, after in pairs.items() if before != after}


def _column_pairs(entries: Mapping[str, Mapping[str, object]], fields: Mapping[str, str]) -> dict[str, str]:
    """Old column → new column, companion columns included."""
    pairs: dict[str, str] = {}
    for name, before in fields.items():
        old, new = rebuild_field(entries[before]), rebuild_field({**entries[before], "name": name})
        if old is not None and new is not None:
            pairs |= dict(zip(_column_names(old), _column_names(new), strict=True))
        else:
            pairs[before] = name
    return pairs


def _column_names(field: Field) -> list[str]:
    return [column.name for column in columns(field)]


def _rename_rows(connection: sa.Connection, tables: Tables, modules: Mapping[str, str]) -> None:
    """Comments, history, sequences and marks follow their module, and its entries in the search index."""
    existing = set(sa.inspect(connection).get_table_names())
    if tables.backlog.name in existing:
        for after, before in modules.items():
            renamed = tables.backlog.c["target"] == before
            connection.execute(sa.update(tables.backlog).where(renamed).values(target=after))
    if tables.draft.name in existing:
        for after, before in modules.items():
            _rename_drafts(connection, tables.draft, before, after)
    for table in sorted_system_tables(tables):
        if "module" not in table.c or table.name not in existing:
            continue
        column = table.c["module"]
        for after, before in modules.items():
            # A removed module of the new name may have left rows, above all its sequence.
            connection.execute(sa.delete(table).where(column == after))
            connection.execute(sa.update(table).where(column == before).values(module=after))
            if table is tables.search:
                _rename_tokens(connection, table, before, after)


def _rename_drafts(connection: sa.Connection, table: sa.Table, before: str, after: str) -> None:
    """The form of a draft begins with the name of its module."""
    form = table.c["form"]
    connection.execute(sa.delete(table).where(form.startswith(f"{after}/", autoescape=True)))
    renamed = sa.literal(after) + sa.func.substr(form, len(before) + 1)
    mine = form.startswith(f"{before}/", autoescape=True)
    connection.execute(sa.update(table).where(mine).values(form=renamed))


def _rename_tokens(connection: sa.Connection, table: sa.Table, before: str, after: str) -> None:
    """The scope tokens of search entries hold the name of the module."""
    scope = table.c["scope"]
    for part in (0, 1):
        old, new = (f" {module_token(name, part)} " for name in (before, after))
        renamed = sa.func.rtrim(sa.func.replace(scope + " ", old, new))
        connection.execute(sa.update(table).where(table.c["module"] == after).values(scope=renamed))


def _rename_targets(connection: sa.Connection, renamed: Snapshot, modules: Mapping[str, str]) -> None:
    """Links to one of several modules hold the name of the module beside the id."""
    for name, module in renamed["modules"].items():
        for entry in module["fields"].values():
            field = rebuild_field(entry) if len(entry.get("to", ())) > 1 else None
            column = field.module_column if field else None
            if column is None:
                continue
            source = sa.table(name, sa.column(column, sa.Text()))
            for after, before in modules.items():
                connection.execute(sa.update(source).where(source.c[column] == before).values({column: after}))

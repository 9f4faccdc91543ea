"""What bears a new name in the declaration gets it in the database too: tables, columns, join tables, and the rows of
the portal's own tables that speak of a module by its name. Nothing is copied and nothing is lost.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.migration.snapshot import (
    Remembered,
    Renames,
    columns,
    made_again,
    own_tables,
    target,
    with_new_names,
)
from portal.database.schema.tables import Tables
from portal.database.search.request import module_token
from portal.fields.base import Field
from portal.fields.links import join_name


def rename(connection: sa.Connection, tables: Tables, old: Remembered, renames: Renames) -> None:
    """Does all `renames`; `old` is what was last applied, in its own names."""
    if renames.modules:
        _rename_rows(connection, tables, renames.modules)
    for before, after in _table_pairs(old, renames).items():
        alter.rename_table(connection, before, after)
    for module, fields in renames.fields.items():
        entries = old["modules"][renames.modules.get(module, module)]["fields"]
        for before, after in _column_pairs(entries, fields).items():
            alter.rename_column(connection, module, before, after)
    if renames.modules:
        _rename_targets(connection, with_new_names(old, renames), renames.modules)


def _table_pairs(old: Remembered, renames: Renames) -> dict[str, str]:
    """Old table → new table, of modules and of join tables."""
    names = {was: name for name, was in renames.modules.items()}
    pairs = dict(names)
    for was, module in old["modules"].items():
        name = names.get(was, was)
        fields = {before: after for after, before in renames.fields.get(name, {}).items()}
        if name == was and not fields:
            continue
        for key, entry in module["fields"].items():
            field = made_again(entry)
            if field is not None and target(field):
                pairs[join_name(was, key)] = join_name(name, fields.get(key, key))
    return {before: after for before, after in pairs.items() if before != after}


def _column_pairs(before: Mapping[str, Mapping[str, object]], fields: Mapping[str, str]) -> dict[str, str]:
    """Old column → new column, the companions included."""
    pairs = {}
    for name, was in fields.items():
        old, new = made_again(before[was]), made_again({**before[was], "name": name})
        if old is not None and new is not None:
            pairs |= dict(zip(_names(old), _names(new), strict=True))
        else:
            pairs[was] = name
    return pairs


def _names(field: Field) -> list[str]:
    return [column.name for column in columns(field)]


def _rename_rows(connection: sa.Connection, tables: Tables, modules: Mapping[str, str]) -> None:
    """Comments, history, files and sequences follow their module; its entries in the search index go on being found."""
    there = set(sa.inspect(connection).get_table_names())
    if tables.stale.name in there:
        for after, before in modules.items():
            renamed = tables.stale.c["target"] == before
            connection.execute(sa.update(tables.stale).where(renamed).values(target=after))
    for table in own_tables(tables):
        if "module" not in table.c or table.name not in there:
            continue
        column = table.c["module"]
        for after, before in modules.items():
            # What a module of this name left behind when it was removed, its sequence above all, is in the way.
            connection.execute(sa.delete(table).where(column == after))
            connection.execute(sa.update(table).where(column == before).values(module=after))
            if table is tables.search:
                _rename_tokens(connection, table, before, after)


def _rename_tokens(connection: sa.Connection, table: sa.Table, before: str, after: str) -> None:
    """A module's entries bear its name among the tokens of their scope, too."""
    scope = table.c["scope"]
    for part in (0, 1):
        old, new = (f" {module_token(name, part)} " for name in (before, after))
        renamed = sa.func.rtrim(sa.func.replace(scope + " ", old, new))
        connection.execute(sa.update(table).where(table.c["module"] == after).values(scope=renamed))


def _rename_targets(connection: sa.Connection, known: Remembered, modules: Mapping[str, str]) -> None:
    """Links to one of several modules keep the module's name beside the id."""
    for name, module in known["modules"].items():
        for entry in module["fields"].values():
            field = made_again(entry) if len(entry.get("to", ())) > 1 else None
            beside = getattr(field, "module_column", None)
            if beside is None:
                continue
            source = sa.table(name, sa.column(beside, sa.Text()))
            for after, before in modules.items():
                connection.execute(sa.update(source).where(source.c[beside] == before).values({beside: after}))

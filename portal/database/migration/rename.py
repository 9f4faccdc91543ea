"""Renames in the database: their steps in a plan, and doing them.

Tables, columns, join tables, and the rows of system tables that name a module: nothing is copied and nothing is lost.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.migration.declared_renames import Renames
from portal.database.migration.draft_rewriting import rename_fields_in_drafts
from portal.database.migration.effort import Work, estimate_effort
from portal.database.migration.former_names import FormerNames, former_names
from portal.database.migration.history_rewriting import rename_fields_in_history
from portal.database.migration.plan_steps import PlanStep, words_for_table
from portal.database.migration.row_counts import RowCounts, staying
from portal.database.migration.snapshot import Snapshot, rebuild_field
from portal.database.migration.view_rewriting import rename_fields_in_views
from portal.database.schema.inspection import existing_indexes
from portal.database.schema.tables import Tables, column_names_of, sorted_system_tables
from portal.database.search.tokens import module_token
from portal.fields.table_names import is_rows, join_name


def rename_in_database(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames) -> None:
    """Does all `renames`; `old` is the last snapshot, with its old names.

    On PostgreSQL, the tables must already be locked: what someone is about to save would keep the old name.
    """
    if renames.modules:
        _rename_module_in_rows(connection, tables, renames.modules)
        _rename_targets(connection, old, renames.modules)
    if (renames.fields or renames.modules) and sa.inspect(connection).has_table(tables.event.name):
        for module, fields in renames.fields.items():
            rename_fields_in_views(connection, tables.saved_view, module, fields)
            _rename_fields_of_files(connection, tables, module, fields)
        for table, fields in _in_history(renames):
            rename_fields_in_history(connection, tables.event, table, fields)
        rename_fields_in_drafts(connection, tables.draft, renames)
    _rename_tables(connection, tables, old, renames)


def _in_history(renames: Renames) -> Iterator[tuple[str, dict[str, str]]]:
    """The fields to rename in the history, by table; columns of `lines` last, when their field has its new name."""
    yield from ((table, fields) for table, fields in renames.fields.items() if not is_rows(table))
    for after, before in renames.modules.items():
        (module, _, lines), former = after.partition("$"), before.partition("$")[2]
        if lines != former:
            yield module, {lines: former}
    yield from ((table, fields) for table, fields in renames.fields.items() if is_rows(table))


def tables_with_names(tables: Tables, old: Snapshot, renames: Renames) -> set[str]:
    """The tables with rows that name a renamed module, by their old names."""
    if not renames.modules:
        return set()
    system = {table.name for table in sorted_system_tables(tables) if "module" in table.c}
    return system | {tables.draft.name} | {module for module, _column in _module_columns(old)}


def _rename_tables(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames) -> None:
    """Renames tables, columns and, on PostgreSQL, indexes."""
    replaced = {name: module for name, module in old["modules"].items() if name in renames.modules}
    names = former_names(old, renames)
    with _without_empty_modules(connection, replaced):
        for module, fields in renames.fields.items():
            before = renames.modules.get(module, module)
            entries = old["modules"][before]["fields"]
            for name in fields.keys() & entries.keys():
                _drop_empty(connection, before, entries[name])
        for after, former in names.tables.items():
            alter.rename_table(connection, former, after)
        for table, columns in names.columns.items():
            _rename_columns(connection, table, columns)
        if connection.dialect.name == "postgresql":
            _rename_indexes(connection, tables, names)


def _rename_columns(connection: sa.Connection, table: str, columns: Mapping[str, str]) -> None:
    existing = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    for after, former in columns.items():
        if former in existing:
            alter.rename_column(connection, table, former, after)


def _rename_indexes(connection: sa.Connection, tables: Tables, names: FormerNames) -> None:
    """Renames indexes, whose names consist of those of their table and columns. SQLite recreates the indexes."""
    existing = existing_indexes(connection)
    for name in {*names.tables, *names.columns} & tables.declaration.stored.keys():
        for index in tables.module(name).indexes:
            former = names.index(index, name)
            if former in existing and index.name not in existing:
                alter.rename_index(connection, former, str(index.name))


@contextlib.contextmanager
def _without_empty_modules(connection: sa.Connection, modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Drops the tables of modules without records whose names others get; links to them then lead to the others."""
    joins = [
        join_name(name, key)
        for name, module in modules.items()
        for key, entry in module["fields"].items()
        if (field := rebuild_field(entry)) is not None and field.in_join_table
    ]
    dropped = [*joins, *sorted(modules, key=is_rows, reverse=True)]  # rows before the records to which they belong
    inbound = alter.release_inbound(connection, dropped)
    alter.drop_tables(connection, dropped)
    yield
    alter.restore_inbound(connection, inbound)


def _drop_empty(connection: sa.Connection, module: str, entry: Mapping[str, object]) -> None:
    """Drops a field without values, whose name a renamed one gets."""
    field = rebuild_field(entry)
    if field is not None and field.in_join_table:
        alter.drop_tables(connection, [join_name(module, field.name)])
    elif field is not None:
        alter.drop_columns(connection, module, column_names_of(field))


def _rename_module_in_rows(connection: sa.Connection, tables: Tables, modules: Mapping[str, str]) -> None:
    """Renames a module in comments, history, sequences, marks, and its entries in the search index."""
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
            # A removed module with the new name may have left rows, above all its sequence.
            connection.execute(sa.delete(table).where(column == after))
            tokens = {"scope": _renamed_tokens(table, before, after)} if table is tables.search else {}
            connection.execute(sa.update(table).where(column == before).values(module=after, **tokens))


def _rename_fields_of_files(connection: sa.Connection, tables: Tables, module: str, fields: Mapping[str, str]) -> None:
    """Renames fields in the rows of files, including those of unsent forms.

    With a former name, they would be deleted with another field of that name.
    """
    names = {before: after for after, before in fields.items()}
    for table in (tables.file, tables.pending_file):
        column = table.c["field"]
        renamed = table.c["module"] == module, column.in_(names)
        connection.execute(sa.update(table).where(*renamed).values(field=sa.case(names, value=column)))


def _rename_drafts(connection: sa.Connection, table: sa.Table, before: str, after: str) -> None:
    """Renames a module in the forms of drafts, which begin with its name."""
    form = table.c["form"]
    connection.execute(sa.delete(table).where(form.startswith(f"{after}/", autoescape=True)))
    renamed = sa.literal(after) + sa.func.substr(form, len(before) + 1)
    mine = form.startswith(f"{before}/", autoescape=True)
    connection.execute(sa.update(table).where(mine).values(form=renamed))


def _renamed_tokens(table: sa.Table, before: str, after: str) -> sa.ColumnElement[str]:
    """Renames a module in the scope tokens of search entries."""
    scope = table.c["scope"] + " "
    for part in (0, 1):
        old, new = (f" {module_token(name, part)} " for name in (before, after))
        scope = sa.func.replace(scope, old, new)
    return sa.func.rtrim(scope)


def _rename_targets(connection: sa.Connection, old: Snapshot, modules: Mapping[str, str]) -> None:
    """Renames modules in links to one of several modules, which store the name with the id."""
    for name, column in _module_columns(old):
        source = sa.table(name, sa.column(column, sa.Text()))
        for after, before in modules.items():
            connection.execute(sa.update(source).where(source.c[column] == before).values({column: after}))


def _module_columns(old: Snapshot) -> Iterator[tuple[str, str]]:
    """The columns with the modules of links to one of several, to rename these in, as (module, column)."""
    for name, module in old["modules"].items():
        for entry in module["fields"].values():
            field = rebuild_field(entry) if len(entry.get("to", ())) > 1 else None
            if field and field.module_column is not None:
                yield name, field.module_column


def rename_steps(renames: Renames, counts: RowCounts) -> Iterator[PlanStep]:
    """The steps that `rename_in_database` carries out: for each renamed module, and for each renamed field of rows."""
    for name, before in renames.modules.items():
        kind, noun = words_for_table(name)
        takes = None if is_rows(name) else estimate_effort(counts, name, Work.RENAME)
        yield PlanStep(f"rename {kind} {before} to {name}{staying(counts.rows(name), noun)}", effort=takes)

"""Temporary views that show declared tables which the database does not have yet, one for each table that differs.

Whatever `portal plan` would add or convert is empty there, and what it would rename is read from its old name. The
database is not changed: temporary views belong to one connection. Used by `portal diff` and `portal preview`, which
only read; and by a plan, to read renamed tables by their new names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.engine import make_engine, reading
from portal.database.migration.declared_renames import Renames, find_renames, past_renames
from portal.database.migration.former_names import FormerNames, with_new_names
from portal.database.migration.option_changes import renamed_options
from portal.database.migration.snapshot import EMPTY, Snapshot, last_applied, rebuild_field, storage_of
from portal.database.schema.existing_tables import EXISTING
from portal.database.schema.tables import Tables, columns_of, stored_fields
from portal.database.sql import quoted_identifier
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.table_names import is_rows, join_name, shortened

# A column of the view → its expression; None: it is empty.
Expressions = dict[str, str | None]
SAME = "same$"  # before the name of a table that matches the database


@dataclass(frozen=True)
class Views:
    """The temporary views over a database: the SELECT for each of the portal's own tables. `differing`: those that
    differ in the database; `notes`: sentences about what cannot be shown of them."""

    selects: Mapping[str, str]
    differing: frozenset[str]
    notes: tuple[str, ...]


def open_as_declared(engine: sa.Engine, tables: Tables) -> tuple[sa.Engine, tuple[str, ...]]:
    """An engine for the same database with all `tables` by their own names; and what cannot be shown of them.

    The caller must dispose of the engine.
    """
    with reading(engine) as connection:
        views = _ViewMaker(connection, tables).make_views()
    return _open(engine, {name: views.selects[name] for name in views.differing}), views.notes


def open_side_by_side(engine: sa.Engine, before: Tables, after: Tables) -> sa.Engine:
    """An engine for the same database with the tables of two declarations, so that one statement can compare them.

    The tables are renamed for that, so nobody else may use them: those of `after`, and those of `before` that differ
    from the database. Two expressions mean the same if they are equal without `SAME`. The caller must dispose of the
    engine.
    """
    selects = {}
    for tables, mark in ((before, ""), (after, SAME)):
        with reading(engine) as connection:
            views = _ViewMaker(connection, tables).make_views()
        for name, table in tables.by_name.items():
            prefix = f"{'after' if mark else 'before'}$" if name in views.differing else mark
            if prefix:
                table.info["declared"] = name
                table.name = shortened(prefix + name)
            if prefix and name in views.selects:
                selects[table.name] = views.selects[name]
    return _open(engine, selects)


def _open(engine: sa.Engine, selects: Mapping[str, str]) -> sa.Engine:
    opened = make_engine(engine.url.render_as_string(hide_password=False))
    quote = opened.dialect.identifier_preparer.quote

    def create_views(connection: Any, record: Any) -> None:
        for name, select in selects.items():
            connection.execute(f"CREATE TEMPORARY VIEW {quote(name)} AS {select}")
        if opened.dialect.name == "postgresql":
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()

    sa.event.listen(opened, "connect", create_views)
    sa.event.listen(opened, "begin", _refuse_to_write)
    return opened


def show_renamed(connection: sa.Connection, names: FormerNames) -> None:
    """Lets this transaction read PostgreSQL's tables by their new names, while others use the old ones: temporary views
    hide tables of the same name."""
    inspector = sa.inspect(connection)
    schema = quoted_identifier(connection, connection.exec_driver_sql("SELECT current_schema()").scalar_one())
    views: list[str] = []
    for table in sorted({*names.tables, *names.columns}):
        new_names = {former: after for after, former in names.columns.get(table, {}).items()}
        read = ", ".join(
            f"{quoted_identifier(connection, name)} AS {quoted_identifier(connection, new_names.get(name, name))}"
            for name in [column["name"] for column in inspector.get_columns(names.table(table))]
            if name in new_names or name not in new_names.values()  # not an empty column whose name another one gets
        )
        source = f"{schema}.{quoted_identifier(connection, names.table(table))}"
        views.append(f"CREATE TEMPORARY VIEW {quoted_identifier(connection, table)} AS SELECT {read} FROM {source}")  # noqa: S608
    for view in views:
        connection.exec_driver_sql(view)


def _refuse_to_write(connection: sa.Connection) -> None:
    """Makes a connection with temporary views read-only."""
    if connection.get_execution_options().get("writes"):
        raise sa.exc.OperationalError("BEGIN", None, RuntimeError("these declarations are only shown"))


class _ViewMaker:
    def __init__(self, connection: sa.Connection, tables: Tables) -> None:
        self.connection, self.tables = connection, tables
        self.dialect = connection.dialect
        self.quote = connection.dialect.identifier_preparer.quote
        inspector = sa.inspect(connection)
        self.schema = inspector.default_schema_name or "main"
        self.existing = {
            name: {column["name"] for column in columns}
            for (_schema, name), columns in inspector.get_multi_columns().items()
        }
        self.old: Snapshot = last_applied(connection, tables) or EMPTY
        self.renames: Renames = find_renames(connection, self.old, tables.declaration)
        self.renamed = with_new_names(self.old, self.renames)
        self.notes: list[str] = []

    def make_views(self) -> Views:
        """A SELECT for each declared table over the present database; and which of them differ from it."""
        selects, differing = {}, set()
        for name, table in self.tables.by_name.items():
            if EXISTING in table.info:  # already a query, which is never altered
                continue
            source, expressions = self._source(name, table)
            present = self.existing.get(source, set())
            is_same = source == name and all(
                expression == self.quote(column) and column in present for column, expression in expressions.items()
            )
            selects[name] = self._select(table, source, expressions)
            if not is_same:
                differing.add(name)
        return Views(selects, frozenset(differing), tuple(self.notes))

    def _select(self, table: sa.Table, source: str, expressions: Expressions) -> str:
        listed = ", ".join(
            f"{expressions[column.name] or self._empty(column)} AS {self.quote(column.name)}" for column in table.c
        )
        if source not in self.existing:
            return f"SELECT {listed} WHERE 1 = 0"
        return f"SELECT {listed} FROM {self.quote(self.schema)}.{self.quote(source)}"  # noqa: S608 - declared names

    def _empty(self, column: sa.Column[Any]) -> str:
        kind, collates, collation = column.type.compile(self.dialect).partition(" COLLATE ")
        return f"CAST(NULL AS {kind}){collates}{collation}"

    def _source(self, name: str, table: sa.Table) -> tuple[str, Expressions]:
        """The table in the database with the rows of a declared one, and the expression for each column."""
        module = self.tables.declaration.with_rows.get(name)
        if module is not None:
            source = self.renames.modules.get(name, name)
            expressions = self._own(table, source)
            for field_name, field in stored_fields(module).items():
                expressions |= self._field(module, field_name, field)
            return source, {column.name: expressions[column.name] for column in table.c}
        source = self._join_source(name) if is_rows(name) else name
        expressions = self._own(table, source)
        if not is_rows(name) and expressions.get("module") and self.renames.modules:
            expressions["module"] = self._new_names(self.quote("module"), self.renames.modules)
        return source, expressions

    def _own(self, table: sa.Table, source: str) -> Expressions:
        present = self.existing.get(source, set())
        return {column.name: self.quote(column.name) if column.name in present else None for column in table.c}

    def _join_source(self, name: str) -> str:
        for module in self.tables.declaration.modules.values():
            for field in module.fields:
                if join_name(module.name, field) == name:
                    before = self.renames.fields.get(module.name, {}).get(field, field)
                    return join_name(self.renames.modules.get(module.name, module.name), before)
        return name

    def _field(self, module: Module, name: str, field: Field) -> Expressions:
        table = self.renames.modules.get(module.name, module.name)
        present = self.existing.get(table, set())
        after = columns_of(field)
        entry = self.renamed["modules"].get(module.name, {"fields": {}})["fields"].get(name)
        nothing: Expressions = {column.name: None for column in after}
        before = rebuild_field(entry) if entry is not None else None
        if entry is None or not after:
            return nothing
        if before is None or storage_of(before) != storage_of(field):
            self.notes.append(f"{module.name}.{name} is shown empty: `portal apply` converts its values")
            return nothing
        old_name = self.renames.fields.get(module.name, {}).get(name, name)
        original = rebuild_field({**entry, "name": old_name})
        sources = columns_of(original) if original is not None else []
        expressions = {
            column.name: self.quote(source.name) if source.name in present else None
            for column, source in zip(after, sources, strict=True)
        }
        renamed = renamed_options(entry, field, past_renames(self.old)["options"].get(table, {}).get(old_name, {}))
        if renamed and not field.multiple and expressions[after[0].name] is not None:
            expressions[after[0].name] = self._new_names(str(expressions[after[0].name]), renamed)
        return expressions

    def _new_names(self, column: str, renamed: Mapping[str, str]) -> str:
        """The SQL of `column` with old names in it replaced, for a view; `renamed`: new name → old name."""
        whens = " ".join(f"WHEN {self._literal(old)} THEN {self._literal(new)}" for new, old in renamed.items())
        return f"CASE {column} {whens} ELSE {column} END"

    def _literal(self, text: str) -> str:
        return str(sa.literal(text).compile(dialect=self.dialect, compile_kwargs={"literal_binds": True}))

"""Changes of real tables, one small function each, the same for both databases.

SQLite alters a table by its own ADD, RENAME and DROP COLUMN only. Alembic's batch mode makes the table anew, and with
foreign keys on, dropping the old one deletes the rows that link to it. For the same reason foreign keys stand beside
their column there (`REFERENCES`), not at the table's end: a column named in a table's own constraint cannot be dropped.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import NAMING, Tables
from portal.fields.links import shortened
from portal.lazy import Later

alembic = Later("portal.database.migration.alembic")


class Referring(sa.types.UserDefinedType[Any]):
    """A column's type with the foreign key that belongs to it, as SQLite writes both in one."""

    cache_ok = True

    def __init__(self, specification: str) -> None:
        self.specification = specification

    def get_col_spec(self, **options: Any) -> str:
        return self.specification


def create_module_table(connection: sa.Connection, table: sa.Table) -> None:
    """The table of a module, on PostgreSQL without its foreign keys: they may lead to tables that come later."""
    copies = [_copy(connection, column, column.name) for column in table.c]
    bare = sa.Table(table.name, sa.MetaData(naming_convention=NAMING), *copies, sqlite_autoincrement=True)
    bare.create(connection)


def create_others(connection: sa.Connection, tables: Tables, names: Collection[str]) -> None:
    """Join tables and the portal's own, with their indexes."""
    wanted = [tables.metadata.tables[name] for name in names]
    for table in sa.schema.sort_tables(wanted):
        table.create(connection)


def add_column(connection: sa.Connection, column: sa.Column[Any], name: str | None = None) -> None:
    """A column of a wanted table, under another name where that is given."""
    alembic.operations(connection).add_column(column.table.name, _copy(connection, column, name or column.name))


def add_foreign_keys(connection: sa.Connection, table: sa.Table, columns: Collection[str]) -> None:
    """The foreign keys of columns that have just been made; on SQLite they came with the column."""
    if connection.dialect.name == "sqlite":
        return
    for name in columns:
        for key in table.c[name].foreign_keys:
            goal = key.target_fullname.partition(".")[0]
            constraint = shortened(f"fk_{table.name}_{name}")
            alembic.operations(connection).create_foreign_key(constraint, table.name, goal, [name], ["id"])


def rename_column(connection: sa.Connection, table: str, old: str, new: str) -> None:
    """The values stay."""
    alembic.operations(connection).alter_column(table, old, new_column_name=new)


def rename_table(connection: sa.Connection, old: str, new: str) -> None:
    """The rows and all that refers to them stay. PostgreSQL names primary keys for the whole schema: they follow."""
    alembic.operations(connection).rename_table(old, new)
    if connection.dialect.name == "postgresql":
        key, wanted = sa.inspect(connection).get_pk_constraint(new)["name"], shortened(f"pk_{new}")
        if key and key != wanted:
            table, before, after = (quoted(connection, name) for name in (new, key, wanted))
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME CONSTRAINT {before} TO {after}")


def drop_columns(connection: sa.Connection, table: str, columns: Collection[str]) -> None:
    """Columns with their indexes, which have to go first."""
    for index in sa.inspect(connection).get_indexes(table):
        if set(index["column_names"]) & set(columns) and index["name"]:
            drop_indexes(connection, table, [index["name"]])
    for name in columns:
        alembic.operations(connection).drop_column(table, name)


def drop_indexes(connection: sa.Connection, table: str, names: Iterable[str]) -> None:
    """Indexes by their names; what is not there has gone with its column."""
    for name in names:
        alembic.operations(connection).drop_index(name, table_name=table, if_exists=True)


def create_indexes(connection: sa.Connection, table: sa.Table, names: Iterable[str]) -> None:
    """Indexes of a wanted table by their names; those that are there are left alone."""
    there = {index["name"] for index in sa.inspect(connection).get_indexes(table.name)}
    by_name: Mapping[str, sa.Index] = {str(index.name): index for index in table.indexes}
    for name in sorted(set(names) - there):
        by_name[name].create(connection)


def drop_tables(connection: sa.Connection, names: Collection[str]) -> None:
    """Tables to which nothing refers any more."""
    for name in names:
        alembic.operations(connection).drop_table(name)


def let_go(connection: sa.Connection, table: str) -> None:
    """Undo the foreign keys of a table that goes: tables that refer to each other could not go one by one."""
    for key in sa.inspect(connection).get_foreign_keys(table):
        _let_go(connection, table, key)


def _let_go(connection: sa.Connection, table: str, key: Mapping[str, Any]) -> None:
    """SQLite wants an empty column, PostgreSQL no constraint."""
    if connection.dialect.name == "postgresql":
        alembic.operations(connection).drop_constraint(key["name"], table, type_="foreignkey")
        return
    columns = [sa.column(name) for name in key["constrained_columns"]]
    connection.execute(sa.update(sa.table(table, *columns)).values({column.name: None for column in columns}))


def _copy(connection: sa.Connection, column: sa.Column[Any], name: str) -> sa.Column[Any]:
    """A column without its foreign key, or with SQLite's way of writing it."""
    kind: sa.types.TypeEngine[Any] = column.type
    if connection.dialect.name == "sqlite":
        for key in column.foreign_keys:
            goal = quoted(connection, key.target_fullname.partition(".")[0])
            kind = Referring(f"{column.type.compile(connection.dialect)} REFERENCES {goal} (id)")
    return sa.Column(name, kind, primary_key=column.primary_key)


def quoted(connection: sa.Connection, name: str) -> str:
    """A name as SQL writes it."""
    return connection.dialect.identifier_preparer.quote(name)

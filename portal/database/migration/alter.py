"""Changes of real tables, one small function each, the same for both databases.

On SQLite, a table is altered only with its own ADD, RENAME and DROP COLUMN. Alembic's batch mode rebuilds the table,
and with foreign keys enabled, dropping the old one deletes the rows that link to it. For the same reason, a foreign key
is declared with its column there (`REFERENCES`): a column named in a table constraint cannot be dropped.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.database.sql import quoted_identifier
from portal.fields.table_names import NAMING, shortened
from portal.lazy import LazyModule

alembic = LazyModule("portal.database.migration.alembic")


class Referring(sa.types.UserDefinedType[Any]):
    """A column's type together with its foreign key, which SQLite declares together."""

    cache_ok = True

    def __init__(self, specification: str) -> None:
        self.specification = specification

    def get_col_spec(self, **options: Any) -> str:
        return self.specification


def create_module_table(connection: sa.Connection, table: sa.Table) -> None:
    """Creates a module's table, on PostgreSQL without foreign keys: they may refer to tables that do not exist yet."""
    columns = [_copy(connection, column, column.name) for column in table.c]
    copy = sa.Table(table.name, sa.MetaData(naming_convention=NAMING), *columns, sqlite_autoincrement=True)
    copy.create(connection)


def create_tables(connection: sa.Connection, tables: Tables, names: Collection[str]) -> None:
    """Creates the declared tables `names` with their indexes: join tables and system tables."""
    for table in sa.schema.sort_tables([tables.by_name[name] for name in names]):
        table.create(connection)


def add_column(connection: sa.Connection, column: sa.Column[Any], name: str | None = None) -> None:
    """Adds a column of a declared table, under another name if one is given."""
    alembic.operations(connection).add_column(column.table.name, _copy(connection, column, name or column.name))


def add_bare_column(connection: sa.Connection, table: str, column: sa.Column[Any]) -> None:
    """Adds a column without constraints to a table that need not be declared."""
    alembic.operations(connection).add_column(table, column)


def add_foreign_keys(
    connection: sa.Connection, table: sa.Table, columns: Collection[str], are_empty: bool = False
) -> None:
    """Adds the foreign keys of new columns; on SQLite, they came with the column. If the columns `are_empty`,
    PostgreSQL need not check existing rows, during which nobody could read the table."""
    if connection.dialect.name == "sqlite":
        return
    for name in columns:
        for key in table.c[name].foreign_keys:
            target = key.target_fullname.partition(".")[0]
            constraint = shortened(f"fk_{table.name}_{name}")
            alembic.operations(connection).create_foreign_key(
                constraint, table.name, target, [name], ["id"], postgresql_not_valid=are_empty
            )


def rename_column(connection: sa.Connection, table: str, old: str, new: str) -> None:
    """Renames a column of any table; the values stay."""
    alembic.operations(connection).alter_column(table, old, new_column_name=new)


def rename_table(connection: sa.Connection, old: str, new: str) -> None:
    """Renames a table; the rows and references to them stay. Also renames the primary key, whose name must be unique in
    a PostgreSQL schema."""
    alembic.operations(connection).rename_table(old, new)
    if connection.dialect.name == "postgresql":
        old_key, new_key = sa.inspect(connection).get_pk_constraint(new)["name"], shortened(f"pk_{new}")
        if old_key and old_key != new_key:
            table, before, after = (quoted_identifier(connection, name) for name in (new, old_key, new_key))
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME CONSTRAINT {before} TO {after}")


def drop_columns(connection: sa.Connection, table: str, columns: Collection[str]) -> None:
    """Drops columns of any table, after their indexes."""
    drop_indexes_of(connection, table, columns)
    for name in columns:
        alembic.operations(connection).drop_column(table, name)


def drop_columns_at_once(connection: sa.Connection, table: str, columns: Collection[str]) -> None:
    """Drops columns of a PostgreSQL table, and implicitly their indexes, in one statement."""
    parts = ", ".join(f"DROP COLUMN {quoted_identifier(connection, name)}" for name in columns)
    connection.exec_driver_sql(f"ALTER TABLE {quoted_identifier(connection, table)} {parts}")


def replace_columns(
    connection: sa.Connection, table: sa.Table, old: Iterable[sa.Column[Any]], new: Iterable[sa.Column[Any]]
) -> None:
    """Replaces columns of a table with empty ones."""
    drop_columns(connection, table.name, [column.name for column in old])
    for column in new:
        add_column(connection, table.c[column.name])


def drop_indexes_of(connection: sa.Connection, table: str, columns: Collection[str]) -> None:
    """Drops the indexes that contain one of the columns."""
    for index in sa.inspect(connection).get_indexes(table):
        if set(index["column_names"]) & set(columns) and index["name"]:
            drop_indexes(connection, table, [index["name"]])


def drop_indexes(connection: sa.Connection, table: str, names: Iterable[str], concurrently: bool = False) -> None:
    """Drops indexes by name; a missing one was dropped with its column. `concurrently`: on PostgreSQL, outside of a
    transaction, while others use the table."""
    for name in names:
        alembic.operations(connection).drop_index(
            name, table_name=table, if_exists=True, postgresql_concurrently=concurrently
        )


def create_indexes(connection: sa.Connection, table: sa.Table, names: Iterable[str]) -> None:
    """Creates indexes of a declared table by name; existing ones are left alone."""
    existing = {index["name"] for index in sa.inspect(connection).get_indexes(table.name)}
    by_name: Mapping[str, sa.Index] = {str(index.name): index for index in table.indexes}
    for name in sorted(set(names) - existing):
        by_name[name].create(connection)


def create_index_concurrently(
    connection: sa.Connection, table: str, name: str, columns: Sequence[str], unique: bool
) -> None:
    """Creates an index on PostgreSQL, outside of a transaction, while others read and write."""
    alembic.operations(connection).create_index(name, table, columns, unique=unique, postgresql_concurrently=True)


def rename_index(connection: sa.Connection, old: str, new: str) -> None:
    """Renames an index on PostgreSQL; does nothing if it does not exist."""
    before, after = quoted_identifier(connection, old), quoted_identifier(connection, new)
    connection.exec_driver_sql(f"ALTER INDEX IF EXISTS {before} RENAME TO {after}")


def drop_tables(connection: sa.Connection, names: Collection[str]) -> None:
    """Drops tables without references to them."""
    for name in names:
        alembic.operations(connection).drop_table(name)


def release_foreign_keys(connection: sa.Connection, table: str, column: str | None = None) -> None:
    """Removes the foreign keys of a table or of one column: PostgreSQL drops them, SQLite needs empty columns.

    Call before dropping a table: two tables may refer to each other.
    """
    for key in sa.inspect(connection).get_foreign_keys(table):
        names = key["constrained_columns"]
        if column is not None and names != [column]:
            continue
        if connection.dialect.name == "postgresql":
            alembic.operations(connection).drop_constraint(key["name"], table, type_="foreignkey")
        else:
            emptied = sa.update(sa.table(table, *map(sa.column, names)))
            connection.execute(emptied.values(dict.fromkeys(names)))


def release_inbound(connection: sa.Connection, names: Collection[str]) -> list[tuple[str, Mapping[str, Any]]]:
    """Removes the foreign keys of other tables to these, as (table, key): PostgreSQL would otherwise not drop these.

    SQLite stores a foreign key with the name of its table, whichever table has that name.
    """
    if connection.dialect.name != "postgresql" or not names:
        return []
    inbound: list[tuple[str, Mapping[str, Any]]] = [
        (table, key)
        for (_schema, table), keys in sa.inspect(connection).get_multi_foreign_keys().items()
        for key in keys
        if key["referred_table"] in names and table not in names
    ]
    for table, key in inbound:
        alembic.operations(connection).drop_constraint(key["name"], table, type_="foreignkey")
    return inbound


def restore_inbound(connection: sa.Connection, inbound: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Adds the foreign keys again that `release_inbound` removed."""
    for table, key in inbound:
        target, names = key["referred_table"], key["constrained_columns"]
        alembic.operations(connection).create_foreign_key(key["name"], table, target, names, key["referred_columns"])


def _copy(connection: sa.Connection, column: sa.Column[Any], name: str) -> sa.Column[Any]:
    """A copy of a column: without its foreign key, or with it in SQLite's syntax."""
    kind: sa.types.TypeEngine[Any] = column.type
    if connection.dialect.name == "sqlite":
        for key in column.foreign_keys:
            target = quoted_identifier(connection, key.target_fullname.partition(".")[0])
            kind = Referring(f"{column.type.compile(connection.dialect)} REFERENCES {target} (id)")
    return sa.Column(name, kind, primary_key=column.primary_key)

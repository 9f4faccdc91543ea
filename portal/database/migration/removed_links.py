"""Removed links whose values stay in the database, without preventing the deletion of records.

A foreign key would refuse to delete a company to which only an invisible field links. It is dropped when the field is
removed, and restored with the field; links to records that were deleted in between are emptied.
"""

from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.schema.tables import Tables, columns_of
from portal.fields.base import Field
from portal.fields.table_names import is_rows, join_name

TEMPORARY = "_new"
JOIN_COLUMNS = ("record", "target", "position")


def detach_removed_link(connection: sa.Connection, module: str, field: Field) -> None:
    """Drops the foreign keys and indexes of a removed field, whose values stay."""
    if field.in_join_table:
        _detach_join_table(connection, join_name(module, field.name))
        return
    names = [column.name for column in columns_of(field)]
    alter.drop_indexes_of(connection, module, names)
    for column in columns_of(field):
        if column.foreign_keys and connection.dialect.name == "sqlite":
            alter.add_bare_column(connection, module, sa.Column(TEMPORARY, column.type))
            _replace_column(connection, module, column)
        elif column.foreign_keys:
            alter.release_foreign_keys(connection, module, column.name)


def attach_link_again(connection: sa.Connection, tables: Tables, module: str, field: Field) -> None:
    """Restores the foreign keys of a removed link that is declared again."""
    if is_rows(module):
        _drop_orphans(connection, module)
    table = tables.module(module)
    if field.in_join_table:
        _attach_join_table(connection, tables, module, field)
        return
    for column in columns_of(field):
        for key in table.c[column.name].foreign_keys:
            source = sa.table(module, sa.column(column.name, column.type))
            is_dangling = source.c[column.name].not_in(_ids(key.target_fullname.partition(".")[0]))
            connection.execute(sa.update(source).where(is_dangling).values({column.name: None}))
            if connection.dialect.name == "sqlite":
                alter.add_column(connection, table.c[column.name], TEMPORARY)
                _replace_column(connection, module, column)
            else:
                alter.add_foreign_keys(connection, table, [column.name])


def _drop_orphans(connection: sa.Connection, rows: str) -> None:
    """Deletes the rows of a removed link whose record was deleted while their field was not declared."""
    source = sa.table(rows, sa.column("_record", sa.BigInteger()))
    connection.execute(sa.delete(source).where(source.c["_record"].not_in(_ids(rows.partition("$")[0]))))


def _replace_column(connection: sa.Connection, module: str, column: sa.Column[object]) -> None:
    """Moves the values of a removed link to the temporary column, which then gets the name of the old one."""
    source = sa.table(module, sa.column(column.name), sa.column(TEMPORARY))
    connection.execute(sa.update(source).values({TEMPORARY: source.c[column.name]}))
    alter.drop_columns(connection, module, [column.name])
    alter.rename_column(connection, module, TEMPORARY, column.name)


def _detach_join_table(connection: sa.Connection, name: str) -> None:
    if connection.dialect.name != "sqlite":
        alter.release_foreign_keys(connection, name)
        return
    bare = sa.Table(TEMPORARY, sa.MetaData(), *[sa.Column(column, sa.BigInteger()) for column in JOIN_COLUMNS])
    bare.create(connection)
    _copy_rows(connection, name, bare)
    alter.drop_tables(connection, [name])
    alter.rename_table(connection, TEMPORARY, name)


def _attach_join_table(connection: sa.Connection, tables: Tables, module: str, field: Field) -> None:
    table = tables.join(module, field.name)
    source = sa.table(table.name, *map(sa.column, JOIN_COLUMNS))
    is_dangling = sa.or_(source.c["record"].not_in(_ids(module)), source.c["target"].not_in(_ids(field.targets[0])))
    connection.execute(sa.delete(source).where(is_dangling))
    if connection.dialect.name != "sqlite":
        alter.add_foreign_keys(connection, table, ("record", "target"))
        return
    alter.rename_table(connection, table.name, TEMPORARY)
    alter.create_tables(connection, tables, {table.name})
    _copy_rows(connection, TEMPORARY, table)
    alter.drop_tables(connection, [TEMPORARY])


def _copy_rows(connection: sa.Connection, source: str, target: sa.Table) -> None:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in JOIN_COLUMNS]
    rows = sa.select(*columns).select_from(sa.table(source))
    connection.execute(sa.insert(target).from_select(list(JOIN_COLUMNS), rows))


def _ids(module: str) -> sa.Select[Any]:
    return sa.select(sa.column("id", sa.BigInteger())).select_from(sa.table(module))

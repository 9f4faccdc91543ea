"""The names of tables: of links and of rows, and the tables behind aliases and other names in the database."""

import hashlib
from typing import cast

import sqlalchemy as sa

# Names of indexes and constraints; schema/indexes.py names indexes of several columns.
NAMING = {
    "ix": "ix_%(table_name)s$%(column_0_name)s",
    "uq": "uq_%(table_name)s$%(column_0_name)s",
    "fk": "fk_%(table_name)s$%(column_0_name)s",
    "pk": "pk_%(table_name)s$",
}
LONGEST_NAME = 63  # bytes; PostgreSQL would shorten longer names, and two might become the same


def shortened(name: str) -> str:
    """The `name` of a table, cut and extended with a hash of the whole if PostgreSQL would otherwise cut it."""
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - len(mark) - 1]}_{mark}"


def join_name(module: str, field: str, column: str = "") -> str:
    """The name of a join table, or of a table of rows; `column`: for the join table of a column of these rows.

    No module can have it, since names cannot contain “$”.
    """
    name = shortened(f"{module}${field}")
    return shortened(f"{name}${column}") if column else name


def is_rows(table: str) -> bool:
    """Whether a table holds the rows of a `lines` field, or links, rather than the records of a module."""
    return "$" in table


def table_of(source: sa.FromClause) -> sa.Table:
    """The table that an alias stands for, or `source` itself."""
    return cast(sa.Table, source.element if isinstance(source, sa.Alias) else source)


def declared_name(source: sa.FromClause) -> str:
    """The declared name of a table that an alias, or a temporary view in the database, stands for."""
    table = table_of(source)
    return str(table.info.get("declared", table.name))

"""What tables are called: those of links and of rows, and what an alias or another name in the database stands for."""

import hashlib
from typing import cast

import sqlalchemy as sa

# Of indexes and constraints; an index of several columns has its name from schema/indexes.py.
NAMING = {
    "ix": "ix_%(table_name)s$%(column_0_name)s",
    "uq": "uq_%(table_name)s$%(column_0_name)s",
    "fk": "fk_%(table_name)s$%(column_0_name)s",
    "pk": "pk_%(table_name)s$",
}
LONGEST_NAME = 63  # bytes; PostgreSQL would shorten a longer one, and two might become the same


def shortened(name: str) -> str:
    """`name`, cut and marked with a hash of the whole where PostgreSQL would cut it by itself."""
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - len(mark) - 1]}_{mark}"


def join_name(module: str, field: str, column: str = "") -> str:
    """The name of a join table, or of the table of rows; `column`: of the join table of a column of these rows.

    No module can have it, since names hold no “$”.
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
    """The declared name of a table for which an alias stands, and in the database perhaps a temporary view."""
    table = table_of(source)
    return str(table.info.get("declared", table.name))

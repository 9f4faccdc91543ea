"""The only file that imports Alembic, which with Mako and Pygments is large, and is needed only when tables change.

Loaded on first use, by alter.py, which changes tables, and by difference.py, which compares types.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations


def operations(connection: sa.Connection) -> Operations:
    """Alembic's operations on this connection, within its transaction."""
    return Operations(MigrationContext.configure(connection))


def type_comparison(connection: sa.Connection) -> Callable[[sa.types.TypeEngine[Any], sa.Column[Any]], bool]:
    """A function: whether the type that a column has in this database is another one than that of a declared column.

    A type that the database does not tell, as of a computed column, is taken for the same.
    """
    compare = MigrationContext.configure(connection).impl.compare_type

    def differ(there: sa.types.TypeEngine[Any], declared: sa.Column[Any]) -> bool:
        return not isinstance(there, sa.types.NullType) and compare(sa.Column(declared.name, there), declared)

    return differ

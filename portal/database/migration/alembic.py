"""The only file that imports Alembic, which is large with Mako and Pygments, and is only needed when tables change.

Loaded when first used by alter.py, which changes tables, and difference.py, which compares types.
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
    """A function that says whether the type of a column in this database differs from that of a declared column.

    A type that the database does not report, as for a computed column, counts as the same.
    """
    compare = MigrationContext.configure(connection).impl.compare_type

    def differ(there: sa.types.TypeEngine[Any], declared: sa.Column[Any]) -> bool:
        return not isinstance(there, sa.types.NullType) and compare(sa.Column(declared.name, there), declared)

    return differ

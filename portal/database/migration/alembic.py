"""The only file that imports Alembic, which with Mako and Pygments is large, and is needed only when tables change.

Loaded on first use, by alter.py, which changes tables, and by difference.py, which compares them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops


def operations(connection: sa.Connection) -> Operations:
    """Alembic's operations on this connection, within its transaction."""
    return Operations(MigrationContext.configure(connection))


def differences(
    connection: sa.Connection, declared: sa.MetaData, is_ours: Callable[..., bool]
) -> Iterator[tuple[str, str, str]]:
    """What Alembic finds to differ between the database and `declared`: the kind, the table, the column or index.

    `is_ours`: whether a table, column or index of the database counts, as Alembic's `include_name`.
    """
    context = MigrationContext.configure(connection, opts={"include_name": is_ours, "compare_type": True})
    upgrade = produce_migrations(context, declared).upgrade_ops
    for operation in upgrade.ops if upgrade else ():
        yield from _parts(operation)


def _parts(operation: Any) -> Iterator[tuple[str, str, str]]:
    match operation:
        case ops.ModifyTableOps():
            for part in operation.ops:
                yield from _parts(part)
        case ops.CreateTableOp():
            yield "table", operation.table_name, ""
        case ops.DropTableOp():
            yield "obsolete table", operation.table_name, ""
        case ops.AddColumnOp():
            yield "column", operation.table_name, operation.column.name
        case ops.DropColumnOp():
            yield "obsolete column", operation.table_name, operation.column_name
        case ops.AlterColumnOp() if operation.modify_type is not None:
            yield "retyped column", operation.table_name, operation.column_name
        case ops.CreateIndexOp():
            yield "index", operation.table_name, str(operation.index_name)
        case ops.DropIndexOp():
            yield "obsolete index", str(operation.table_name), str(operation.index_name)

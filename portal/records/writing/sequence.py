"""References: a sequence per module, increased at creation and never reused, whatever is deleted or rolled back."""

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables


def next_numbers(connection: sa.Connection, tables: Tables, module: str, count: int = 1) -> range:
    """The next `count` numbers for references of `module`."""
    last = _advance(connection, tables.sequence, module, count, tables.sequence.c["last"] + count)
    return range(last - count + 1, last + 1)


def keep_above(connection: sa.Connection, tables: Tables, module: str, number: int) -> None:
    """Makes the next number of a reference greater than `number`, which an import has used."""
    last = tables.sequence.c["last"]
    _advance(connection, tables.sequence, module, number, sa.case((last < number, number), else_=last))


def _advance(
    connection: sa.Connection, sequence: sa.Table, module: str, first: int, then: sa.ColumnElement[int]
) -> int:
    """Advances the sequence of a module; returns its last number: `first` if it has none yet, else `then`."""
    insert = insert_into(connection, sequence).values(module=module, last=first)
    upsert = insert.on_conflict_do_update(index_elements=["module"], set_={"last": then}).returning(sequence.c["last"])
    if connection.dialect.name == "sqlite":
        return connection.execute(upsert).scalar_one()
    # In the record's own transaction, any two simultaneous creations would collide.
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as separate:
        return separate.execute(upsert).scalar_one()

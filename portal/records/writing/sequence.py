"""References: each module's own sequence, counted up at creation, never reused whatever is deleted or rolled back."""

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.database.schema.tables import Tables

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def next_numbers(connection: sa.Connection, tables: Tables, module: str, count: int = 1) -> range:
    """The next `count` numbers of `module`."""
    counting = tables.sequence.c["last"] + count
    last = _moved(connection, tables.sequence, module, count, counting)
    return range(last - count + 1, last + 1)


def keep_above(connection: sa.Connection, tables: Tables, module: str, number: int) -> None:
    """Numbers up to `number` were brought along by an import: the portal's own go on behind it."""
    last = tables.sequence.c["last"]
    _moved(connection, tables.sequence, module, number, sa.case((last < number, number), else_=last))


def reference(pattern: str, number: int, created: datetime.datetime) -> str:
    """`pattern` with {number}, {number:05} and {year} filled in; `created` in the portal's zone."""
    return pattern.format(number=number, year=created.year)


def _moved(connection: sa.Connection, sequence: sa.Table, module: str, first: int, then: sa.ColumnElement[int]) -> int:
    """The last number, which is `first` where the module has none yet, and else becomes `then`."""
    insert = INSERT[connection.dialect.name](sequence).values(module=module, last=first)
    upsert = insert.on_conflict_do_update(index_elements=["module"], set_={"last": then}).returning(sequence.c["last"])
    if connection.dialect.name == "sqlite":
        return connection.execute(upsert).scalar_one()
    # A sequence in the record's own transaction would make every two simultaneous creations collide.
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
        return beside.execute(upsert).scalar_one()

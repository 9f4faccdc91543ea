"""References: each module's own sequence, counted up at creation, never reused whatever is deleted or rolled back."""

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.database.tables import Tables

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def next_numbers(connection: sa.Connection, tables: Tables, module: str, count: int = 1) -> range:
    """The next `count` numbers of `module`."""
    if connection.dialect.name == "sqlite":
        return _counted(connection, tables.sequence, module, count)
    # A sequence in the record's own transaction would make every two simultaneous creations collide.
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
        return _counted(beside, tables.sequence, module, count)


def reference(pattern: str, number: int, created: datetime.datetime) -> str:
    """`pattern` with {number}, {number:05} and {year} filled in; `created` in the portal's zone."""
    return pattern.format(number=number, year=created.year)


def _counted(connection: sa.Connection, sequence: sa.Table, module: str, count: int) -> range:
    insert = INSERT[connection.dialect.name](sequence).values(module=module, last=count)
    upsert = insert.on_conflict_do_update(index_elements=["module"], set_={"last": sequence.c["last"] + count})
    last = connection.execute(upsert.returning(sequence.c["last"])).scalar_one()
    return range(last - count + 1, last + 1)

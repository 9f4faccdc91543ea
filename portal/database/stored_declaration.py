"""The declarations last in force, kept for a process that starts while those in the folder are broken.

They are in the database because a new machine or container has nothing else that is older than its files. Called by
web/live.py.
"""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.fields.column_types import UTCDateTime

# The table in schema/system_tables.py, in a form that can be read before there is a declaration to make tables from.
TABLE = sa.table(
    "portal_declarations",
    sa.column("id", sa.Integer()),
    sa.column("kept", UTCDateTime()),
    sa.column("archive", sa.LargeBinary()),
)


@dataclass(frozen=True)
class StoredDeclaration:
    """The files as packed by declaration/archive.py, and when they came into force."""

    archive: bytes
    since: datetime.datetime


def load_stored_declaration(engine: sa.Engine) -> StoredDeclaration | None:
    """The last stored declaration, as an archive; None if the database has none."""
    newest = sa.select(TABLE.c["archive"], TABLE.c["kept"]).order_by(TABLE.c["id"].desc()).limit(1)
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table(TABLE.name):
            return None
        row = connection.execute(newest).first()
    return None if row is None else StoredDeclaration(row.archive, row.kept)


def store_declaration(engine: sa.Engine, archive: bytes, now: datetime.datetime) -> None:
    """Replaces the stored archive unless it is the same. Several processes may do so at the same time."""
    newest = sa.select(TABLE.c["archive"]).order_by(TABLE.c["id"].desc()).limit(1)
    with reading(engine) as connection:
        if connection.execute(newest).scalar() == archive:
            return
    # Rows that another process has just deleted are not a conflict.
    level = {"isolation_level": "READ COMMITTED"} if engine.dialect.name == "postgresql" else {}
    with writing(engine.execution_options(**level)) as connection:
        connection.execute(sa.delete(TABLE))
        connection.execute(sa.insert(TABLE).values(kept=now, archive=archive))

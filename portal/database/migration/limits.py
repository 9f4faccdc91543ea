"""What a database cannot hold, and what takes it long."""

import enum
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.migration.row_counts import RowCounts
from portal.database.migration.steps import EVERYBODY, NOBODY, SAVING, Effort, Step, kind_of
from portal.database.schema.tables import Tables

LARGE = 100_000  # records; reading as many takes seconds
MOST_COLUMNS = {"sqlite": 2000, "postgresql": 1600}


def too_many_columns(tables: Tables, connection: sa.Connection | None) -> Iterator[Step]:
    """A blocked step for each table with more columns than the database has, or than any has where it is not known."""
    most = MOST_COLUMNS[connection.dialect.name] if connection is not None else min(MOST_COLUMNS.values())
    for name in tables.declaration.stored:
        count = len(tables.module(name).c)
        if count > most:
            needs = f"{kind_of(name)[0]} {name} needs {count:,} columns"
            yield Step(f"! {needs}, and this database has at most {most:,} in a table", blocked=True)


def misfit_steps(tables: Tables) -> Iterator[Step]:
    """A blocked step for all that an existing table lacks: it is never altered, so that nothing can be applied. The
    portal runs with a field that stays empty, not without the table."""
    for misfit in tables.misfits:
        yield Step(f"! {misfit.sentence}", blocked=True, needed=misfit.field is None)


class Work(enum.Enum):
    """What a step does with every row of a table: seconds for a row, of SQLite and of PostgreSQL. They are estimates,
    good for the order of magnitude: machines and values differ. `python -m benchmarks.migrations` shows them beside
    what a machine takes."""

    INDEX = (1.5e-6, 3e-6)  # reads it for an index, PostgreSQL twice
    CONVERT = (6e-5, 1e-4)  # reads its value twice, and writes another one
    CONVERT_IN_BATCHES = (0.0, 2e-4)  # the same while others go on (PostgreSQL), with the new values' indexes
    REWRITE = (4e-6, 0.0)  # takes a column away: SQLite writes the table anew
    RENAME = (6e-4, 1e-3)  # writes the new name of a module into its entries in the search index


def effort(counts: RowCounts, table: str, work: Work) -> Effort | None:
    """How long a step takes, and who waits; None where the rows were not counted."""
    count = counts.rows(table)
    if count is None or counts.connection is None:
        return None
    is_large = count >= LARGE
    if counts.connection.dialect.name == "sqlite":
        return Effort(count, count * work.value[0], SAVING, "", is_large)
    waits = {Work.INDEX: NOBODY, Work.CONVERT_IN_BATCHES: NOBODY, Work.RENAME: SAVING}.get(work, EVERYBODY)
    seconds = count * work.value[1]
    return Effort(count, seconds, waits, table if waits else "", is_large)

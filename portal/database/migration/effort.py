"""Estimates for a plan of how long its steps take, and who has to wait for them."""

import enum
from dataclasses import dataclass

from portal.database.migration.row_counts import RowCounts

LARGE = 100_000  # records; reading that many takes seconds
NOBODY, SAVING, EVERYONE = "", "saving", "everybody"  # who waits


class Work(enum.Enum):
    """What a step does with every row of a table: seconds per row on SQLite and PostgreSQL. They are only estimates of
    the order of magnitude: machines and values differ. `python -m benchmarks.migrations` compares them with the times
    on a machine."""

    INDEX = (1.5e-6, 3e-6)  # reads it for an index, PostgreSQL twice
    CONVERT = (6e-5, 1e-4)  # reads its value twice, and writes a new one
    CONVERT_IN_BATCHES = (0.0, 2e-4)  # the same while others work (PostgreSQL), with the indexes of the new values
    REWRITE = (4e-6, 0.0)  # drops a column: SQLite rewrites the table
    RENAME = (6e-4, 1e-3)  # writes the new name of a module into its entries in the search index


@dataclass(frozen=True)
class Effort:
    """The rows that a step reads or writes, roughly how many seconds it takes, and who waits during that time.

    SQLite's readers never wait: they see the previous state. `table`: the one that `waits` refers to; "" for all.
    """

    rows: int
    seconds: float
    waits: str  # NOBODY, SAVING or EVERYONE
    table: str
    is_large: bool = False

    @property
    def note(self) -> str:
        """What to know about it in advance, if it takes long."""
        if not self.is_large:
            return ""
        long = f"about {self.seconds:,.0f} s" if self.seconds >= 1 else "less than a second"
        who = {
            NOBODY: "nobody",
            SAVING: "anyone who saves something",
            EVERYONE: "anyone who opens or saves something",
        }[self.waits]
        return f"; {self.rows:,} records, {long}: {who}{f' in {self.table}' if self.table else ''} has to wait"


def estimate_effort(counts: RowCounts, table: str, work: Work) -> Effort | None:
    """How long a step takes, and who waits; None if the rows were not counted."""
    count = counts.rows(table)
    if count is None or counts.connection is None:
        return None
    is_large = count >= LARGE
    if counts.connection.dialect.name == "sqlite":
        return Effort(count, count * work.value[0], SAVING, "", is_large)
    waits = {Work.INDEX: NOBODY, Work.CONVERT_IN_BATCHES: NOBODY, Work.RENAME: SAVING}.get(work, EVERYONE)
    seconds = count * work.value[1]
    return Effort(count, seconds, waits, table if waits else "", is_large)

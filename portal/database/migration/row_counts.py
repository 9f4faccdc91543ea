"""Counts of rows and values for the sentences of a plan, and their wording.

Without a connection, every count is None: unknown.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import sqlalchemy as sa

from portal.texts import plural

SHOWN = 3
RowTest = Callable[[sa.TableClause], sa.ColumnElement[bool]]


class RowCounts:
    """Counts in one database, or in none."""

    def __init__(self, connection: sa.Connection | None) -> None:
        self.connection = connection

    @property
    def connected(self) -> sa.Connection:
        """The connection, for the tasks of steps; a plan only from snapshots has none, and is never carried out."""
        if self.connection is None:
            raise RuntimeError("these steps were made without a database")
        return self.connection

    def rows(self, table: str) -> int | None:
        """How many rows a table has."""
        if self.connection is None:
            return None
        return self.connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()

    def filled(self, table: str, columns: Collection[str]) -> int | None:
        """For the sentence of a plan: how many rows have a value in one of the columns."""
        if self.connection is None:
            return None
        source = sa.table(table, *map(sa.column, columns))
        has_value = sa.or_(sa.false(), *[column.is_not(None) for column in source.c])
        return self.connection.execute(sa.select(sa.func.count()).select_from(source).where(has_value)).scalar_one()

    def matching(self, table: str, columns: Collection[sa.Column[Any]], condition: RowTest) -> int | None:
        """How many rows fulfill a condition on these columns."""
        if self.connection is None:
            return None
        source = sa.table(table, *[sa.column(column.name, column.type) for column in columns])
        rows = sa.select(sa.func.count()).select_from(source).where(condition(source))
        return self.connection.execute(rows).scalar_one()

    def linked(self, join: str) -> int | None:
        """How many records have a link in a join table."""
        if self.connection is None:
            return None
        records = sa.func.count(sa.column("record").distinct())
        return self.connection.execute(sa.select(records).select_from(sa.table(join))).scalar_one()

    def duplicates(
        self, table: str, within: Sequence[sa.Column[Any]], compared: Sequence[sa.Column[Any]]
    ) -> list[tuple[str, int]]:
        """The first values that several rows share, and their number: “"Łódź", "Lodz"” if spelled differently.

        The last of `compared` decides which values are the same, the first how they are shown.
        """
        if self.connection is None:
            return []
        source = sa.table(table, *[sa.column(column.name, column.type) for column in {*within, *compared}])
        number, shown = sa.func.count(), source.c[compared[0].name]
        groups = [source.c[column.name] for column in (*within, compared[-1])]
        rows = self.connection.execute(
            sa.select(sa.func.max(shown), sa.func.min(shown), number)
            .where(*[column.is_not(None) for column in groups])
            .group_by(*groups)
            .having(number > 1)
            .order_by(number.desc(), *groups)
            .limit(SHOWN + 1)
        )
        return [
            (", ".join(f'"{value[:40]}"' for value in dict.fromkeys((str(last), str(first)))), count)
            for last, first, count in rows
        ]


def has_rows(connection: sa.Connection, table: str, with_column: str | None = None) -> bool:
    """Whether a table in the database has any rows, or any with a value in a column."""
    rows = sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)
    if with_column is not None:
        rows = rows.where(sa.column(with_column).is_not(None))
    return connection.execute(rows).first() is not None


def count_in_words(count: int | None, noun: str) -> str:
    """A count of rows in the sentence of a step: “1 record”, “1,200 records”; “its records” without a count."""
    return f"its {noun}s" if count is None else plural(count, noun)


def staying(count: int | None, noun: str = "record") -> str:
    """The words for rows that stay in the sentence of a step: “, 3 records stay”; nothing if there are none."""
    if not count:
        return ""
    return f", {count_in_words(count, noun)} stay{'s' if count == 1 else ''}"

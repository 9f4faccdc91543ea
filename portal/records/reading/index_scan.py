"""The statement that reads a segment of an order along its index, branch by branch of the reader's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.indexes import is_indexed
from portal.database.sql import WithoutIndex
from portal.records.reading.keyset import Segment


@dataclass(frozen=True)
class IndexScan:
    """`columns` of those rows of `table` in `branches` for which `conditions` hold."""

    table: sa.Table
    branches: Sequence[sa.ColumnElement[bool]]
    conditions: Sequence[sa.ColumnElement[bool]]
    columns: Sequence[sa.ColumnElement[Any]]
    backwards: bool = False

    def along(self, segment: Segment, size: sa.ColumnElement[int]) -> sa.Select[Any]:
        """The next `size` rows of a segment: as many of each branch, whose index has them in order, then the first of
        all these."""
        clauses = segment.order.clauses(self.backwards)

        def select(columns: Sequence[sa.ColumnElement[Any]], branch: sa.ColumnElement[bool]) -> sa.Select[Any]:
            conditions = [self._by_index_or_row(branch, condition) for condition in segment.conditions]
            rows = sa.select(*columns).select_from(self._source(segment, branch))
            return rows.where(branch, *conditions, *self.conditions).order_by(*clauses).limit(size)

        if len(self.branches) == 1 and segment.titled is None:
            return select(self.columns, self.branches[0])
        record_id = self.table.c["id"]
        parts = [sa.select(select([record_id], branch).subquery()) for branch in self.branches]
        ids = sa.union_all(*parts) if parts else sa.select(record_id).where(sa.false())
        # Those few are sorted without the join: joining all titles again takes longer than finding the rows.
        order = segment.order if segment.titled is None else segment.titled.alone
        return sa.select(*self.columns).where(record_id.in_(ids)).order_by(*order.clauses(self.backwards)).limit(size)

    def _source(self, segment: Segment, branch: sa.ColumnElement[bool]) -> sa.FromClause:
        if segment.titled is None:
            return self.table
        indexed = is_indexed(self.table, branch, segment.titled.link.name)
        return segment.titled.joined(self.table, titles_first=indexed)

    def _by_index_or_row(
        self, branch: sa.ColumnElement[bool], condition: sa.ColumnElement[bool]
    ) -> sa.ColumnElement[bool]:
        """A condition of a segment; tested row by row where no index of the branch has its column, since SQLite would
        otherwise take an index over the rows of all branches, and read all that have the same value."""
        column = condition.left if isinstance(condition, sa.BinaryExpression) else None
        indexed = not isinstance(column, sa.Column) or is_indexed(self.table, branch, column.name)
        return condition if indexed else WithoutIndex(condition)

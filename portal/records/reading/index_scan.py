"""The statement that reads a stretch of an order along its index, branch by branch of the reader's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.indexes import is_indexed
from portal.database.sql import WithoutIndex
from portal.records.reading.keyset import Segment


@dataclass(frozen=True)
class IndexScan:
    """Rows of `table`: those of `branches` for which `conditions` hold; `columns` are what is wanted of them."""

    table: sa.Table
    branches: Sequence[sa.ColumnElement[bool]]
    conditions: Sequence[sa.ColumnElement[bool]]
    columns: Sequence[sa.ColumnElement[Any]]
    backwards: bool = False

    def along(self, stretch: Segment, size: int) -> sa.Select[Any]:
        """The next `size` rows of a stretch: of each branch as many, for its index has them in order, then the first
        of all these."""
        clauses = stretch.order.clauses(self.backwards)

        def select(wanted: Sequence[sa.ColumnElement[Any]], branch: sa.ColumnElement[bool]) -> sa.Select[Any]:
            found = sa.select(*wanted).select_from(self._source(stretch, branch))
            where = [branch, *(self._told(branch, each) for each in stretch.conditions), *self.conditions]
            return found.where(*where).order_by(*clauses).limit(size)

        if len(self.branches) == 1 and stretch.titled is None:
            return select(self.columns, self.branches[0])
        identity = self.table.c["id"]
        parts = [sa.select(select([identity], branch).subquery()) for branch in self.branches]
        ids = sa.union_all(*parts) if parts else sa.select(identity).where(sa.false())
        # Those few are sorted by themselves: to join all titles once more took longer than to find them.
        order = stretch.order if stretch.titled is None else stretch.titled.alone
        return sa.select(*self.columns).where(identity.in_(ids)).order_by(*order.clauses(self.backwards)).limit(size)

    def _source(self, stretch: Segment, branch: sa.ColumnElement[bool]) -> sa.FromClause:
        if stretch.titled is None:
            return self.table
        indexed = is_indexed(self.table, branch, stretch.titled.link.name)
        return stretch.titled.joined(self.table, titles_first=indexed)

    def _told(self, branch: sa.ColumnElement[bool], condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """A condition of a stretch; tested row by row where no index of the branch has its column: the planner of
        SQLite would take an index of everybody's rows, and look through all that have the same state."""
        column = condition.left if isinstance(condition, sa.BinaryExpression) else None
        indexed = not isinstance(column, sa.Column) or is_indexed(self.table, branch, column.name)
        return condition if indexed else WithoutIndex(condition)

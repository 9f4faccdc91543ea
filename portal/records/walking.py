"""The statement that reads a stretch of an order along its index, branch by branch of the reader's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.records.order import Stretch


@dataclass(frozen=True)
class Walk:
    """Rows of `table`: those of `branches` for which `conditions` hold; `columns` are what is wanted of them."""

    table: sa.Table
    branches: Sequence[sa.ColumnElement[bool]]
    conditions: Sequence[sa.ColumnElement[bool]]
    columns: Sequence[sa.ColumnElement[Any]]
    backwards: bool = False

    def along(self, stretch: Stretch, size: int) -> sa.Select[Any]:
        """The next `size` rows of a stretch: of each branch as many, for its index has them in order, then the first
        of all these."""
        source = self.table if stretch.joined is None else stretch.joined
        clauses = stretch.order.clauses(self.backwards)

        def select(wanted: Sequence[sa.ColumnElement[Any]], branch: sa.ColumnElement[bool]) -> sa.Select[Any]:
            found = sa.select(*wanted).select_from(source).where(branch, *stretch.conditions, *self.conditions)
            return found.order_by(*clauses).limit(size)

        if len(self.branches) == 1:
            return select(self.columns, self.branches[0])
        identity = self.table.c["id"]
        parts = [sa.select(select([identity], branch).subquery()) for branch in self.branches]
        ids = sa.union_all(*parts) if parts else sa.select(identity).where(sa.false())
        return sa.select(*self.columns).select_from(source).where(identity.in_(ids)).order_by(*clauses).limit(size)

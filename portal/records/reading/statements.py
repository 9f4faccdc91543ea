"""The statements about the records of one module for one reader: the rows in order, one record, how many there are.

The one query builder: rows and their counts come from here, and every one of them is within `Policy.scope`. Only the
columns that the policy lets the reader read are selected. Nothing here executes anything.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, Comparison, Condition
from portal.database.engine import cache_plan
from portal.database.schema.indexes import sort_column
from portal.database.sql import Redundant, WithoutIndex, where
from portal.declaration.shapes import Access, Module
from portal.fields.base import Field
from portal.records.policy import Policy
from portal.records.reading.counts import Found, Question, best, counting, parts_of, ranges_without
from portal.records.reading.index_scan import IndexScan
from portal.records.reading.keyset import Order
from portal.records.statement_cache import IDS, SIZE, SharedReader, Statement, StatementCache, parameter

ALWAYS_READ = ("id", "reference", "_version")


@dataclass(frozen=True)
class Wanted:
    """Rows in an order with some fields, behind `position`, or before it `backwards`."""

    order: Order
    fields: Sequence[Field]
    condition: Condition = ALWAYS
    position: Sequence[Any] | None = None
    backwards: bool = False


class OneModule:
    """What the rights of `policy` say of the module `name`."""

    policy: Policy
    name: str

    @cached_property
    def module(self) -> Module:
        return self.policy.declaration.modules[self.name]

    @cached_property
    def access(self) -> Access:
        return self.policy.modules[self.name]

    @cached_property
    def table(self) -> sa.Table:
        return self.policy.tables.module(self.name)


@dataclass(frozen=True)
class Statements(OneModule):
    """What can be asked about the records of `name`, as the reader of `policy` may see them."""

    policy: Policy
    name: str
    dialect: str = "sqlite"
    narrowed: Condition = field(default=ALWAYS)  # by which a choice or a related list is limited besides
    kept: StatementCache = field(default_factory=StatementCache, compare=False, repr=False)

    @cached_property
    def branches(self) -> list[sa.ColumnElement[bool]] | None:
        """See Policy.branches."""
        return self.policy.branches(self.name)

    def where(self, condition: Condition) -> sa.ColumnElement[bool]:
        """Scope AND what the records are narrowed to AND what is asked."""
        return sa.and_(self.policy.scope(self.name), self._sql(self.narrowed), self._sql(condition))

    def columns(self, fields: Sequence[Field]) -> list[sa.ColumnElement[Any]]:
        """What is read of a record so that these fields can be loaded."""
        columns: dict[str, sa.ColumnElement[Any]] = {name: self.table.c[name] for name in ALWAYS_READ}
        for each in fields:
            columns |= {column.name: column for column in each.selected(self.table)}
        return list(columns.values())

    # -- records by their ids -------------------------------------------------------------------------------------

    def by_id(self, fields: Sequence[Field]) -> Statement:
        """Those of the records IDS that are there for this reader."""
        # By their ids and nothing else: the scope is tested of the few that they find.
        found = sa.select(*self.columns(fields)).where(self._among_ids(), Redundant(self.where(ALWAYS)))
        return self._for_everybody(found)

    def existing(self) -> Statement:
        """The ids among IDS that are there for this reader."""
        return self.by_id(()).with_only_columns(self.table.c["id"])

    def _among_ids(self) -> sa.ColumnElement[bool]:
        return self.table.c["id"].in_(parameter(IDS, several=True))

    def titled(self, text: str, limit: int) -> Statement:
        """The records whose title or reference contains `text`, by title."""
        title = self.module.title_field
        condition = sa.and_(self.where(ALWAYS), self._contains(text)) if text.strip() else self.where(ALWAYS)
        order = (title.order(self.table).asc().nulls_last(), self.table.c["id"])
        return sa.select(*self.columns([title])).where(condition).order_by(*order).limit(limit)

    def _contains(self, text: str) -> sa.ColumnElement[bool]:
        title, reference = self.module.title_field, self.module.field("reference")
        ways = [
            each.compare(self.table, "contains", text)
            for each in {title.name: title, "reference": reference}.values()
            if each.filter == "text"
        ]
        return sa.or_(sa.false(), *ways)

    # -- how many ---------------------------------------------------------------------------------------------------

    def counting(self, asked: Sequence[Iterable[Condition]]) -> Statement:
        """How many rows each of several conditions has, in one statement; `read_counts` reads it."""
        questions = [self._question(conditions) for conditions in asked]
        return self._for_everybody(
            counting(self.table, [sa.true()] if self.branches is None else self.branches, questions)
        )

    def _question(self, asked: Iterable[Condition]) -> Question:
        """How the rows of `asked` are counted; the scope is part of it, whatever the branches have made sure of."""
        parts = [*parts_of(self.access.where), *parts_of(self.narrowed), *asked]
        found = best(parts, self.module, self.table)
        tested = [self._sql(part) for part in parts if part is not found]
        if self.branches is None:
            tested.append(self.policy.scope(self.name))
        elif self.policy.records_from is not None:
            tested.append(Redundant(self.policy.scope(self.name)))
        return Question(None if found is None else self._found(found), tuple(tested))

    def _found(self, part: Comparison) -> Found:
        """What an index finds of a condition on one field of the record itself."""
        field, reader = self.module.field(part.path[0]), self.policy.reader
        column = sort_column(field, self.table)
        ranges = ranges_without(part, field, self.table, reader, self.dialect) if part.negated else ()
        return Found(column.name, self._sql(part), ranges)

    # -- rows in order ----------------------------------------------------------------------------------------------

    def sorted(self, wanted: Wanted, among: bool = False) -> Statement:
        """The next SIZE rows out of all that there are: found by whatever index suits, and sorted.

        `among`: only those of the records IDS.
        """
        order, conditions = wanted.order, [self.where(wanted.condition)]
        if among:
            conditions.append(self._among_ids())
        if wanted.position is not None:
            conditions.append(order.beyond(wanted.position, wanted.backwards))
        select = sa.select(*self.columns(wanted.fields), *order.columns).where(*conditions)
        return select.order_by(*order.clauses(wanted.backwards)).limit(parameter(SIZE))

    def walked(self, wanted: Wanted) -> Iterator[Statement]:
        """The same rows, stretch by stretch along the index that has their order."""
        conditions: list[sa.ColumnElement[bool]] = []
        if self._scope_has_more:
            conditions.append(Redundant(self.policy.scope(self.name)))
        asked = [self._sql(part) for part in (*parts_of(self.narrowed), *parts_of(wanted.condition))]
        conditions += [WithoutIndex(sa.and_(*asked))] if asked else []
        columns = [*self.columns(wanted.fields), *wanted.order.columns]
        walk = IndexScan(self.table, self.branches or (), conditions, columns, wanted.backwards)
        for stretch in wanted.order.stretches(wanted.position, wanted.backwards):
            statement = walk.along(stretch, parameter(SIZE))
            # Which of two tables leads to the other's rows depends on how many somebody has: 4 ms or 75.
            yield self._for_everybody(statement) if stretch.titled is None else statement

    @property
    def _scope_has_more(self) -> bool:
        """Whether the scope says more than whose the records are."""
        return self.access.see != "all" or self.access.where != ALWAYS or self.policy.records_from is not None

    def _for_everybody(self, statement: Statement) -> Statement:
        """A statement that leads along the same index whoever reads: the database may plan it once."""
        general = isinstance(self.policy.reader, SharedReader)
        return cache_plan(statement, self.policy.tables.version) if general else statement

    def _sql(self, condition: Condition) -> sa.ColumnElement[bool]:
        return where(condition, self.table, self.module, self.policy.declaration, self.policy.reader)

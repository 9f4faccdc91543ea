"""The statements about the records of one module for one reader: pages in order, records by id, counts.

The only query builder for records: each of its statements is within `Policy.scope`, and selects only columns that the
policy lets the reader read. Nothing here executes anything.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, Comparison, Condition, joined_conditions
from portal.database.postgresql import cache_plan
from portal.database.schema.existing_tables import EXISTING
from portal.database.schema.indexes import index_column
from portal.database.sql import AmongIds, Redundant, WithoutIndex, integer_literal, where
from portal.fields.base import Field
from portal.fields.column_types import ExactTotal
from portal.fields.grouping import place_in_periods
from portal.records.policy import ModulePolicy, Policy
from portal.records.reading.count_statements import CountRequest, counting
from portal.records.reading.index_scan import IndexCondition, IndexScan, best_indexed_condition, ranges_of_negated
from portal.records.reading.keyset import Order
from portal.records.statement_cache import IDS, Statement, id_list_parameter

MOST_WORDS = 10  # of a title that is searched for
MOST_GROUPS = 500
# Columns of grouped rows.
PERIOD, NUMBER, FULFILLS, FULFILLING, ALL = "_period", "_number", "_fulfills", "_fulfilling", "_all"
ALWAYS_READ = ("id", "reference", "_version", "modified")


@dataclass(frozen=True)
class PageRequest:
    """The next `size` rows in an order with some fields, after `position`, or before it if `backwards`."""

    order: Order
    fields: Sequence[Field]
    size: int
    condition: Condition = ALWAYS
    position: Sequence[Any] | None = None
    backwards: bool = False


@dataclass(frozen=True)
class GroupRequest:
    """The records that fulfill `condition`, counted by the values of a field or by periods, with the sum of `of`.

    `ends`: constants of the field, before which the periods end. They depend on the reader and the day.
    `most`: the number of rows of the reader up to which they are counted; None: no limit.
    """

    by: Field
    condition: Condition
    ends: tuple[Any, ...] = ()
    of: Field | None = None
    most: int | None = None


@dataclass(frozen=True)
class Statements(ModulePolicy):
    """The statements about the records of `name`, as the reader of `policy` may see them."""

    policy: Policy
    name: str
    dialect: str = "sqlite"
    narrowed: Condition = ALWAYS  # only those that fulfill it: for the choices of a link and related lists

    _made: dict[Condition, sa.ColumnElement[bool]] = dataclasses.field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @cached_property
    def branches(self) -> list[sa.ColumnElement[bool]] | None:
        """See Policy.branches."""
        return self.policy.branches(self.name)

    def where(self, condition: Condition) -> sa.ColumnElement[bool]:
        """Scope AND what the records are narrowed to AND `condition`."""
        return sa.and_(self.policy.scope(self.name), self.sql(self.narrowed), self.sql(condition))

    def columns(self, fields: Sequence[Field]) -> list[sa.ColumnElement[Any]]:
        """The columns from which these fields are loaded."""
        columns: dict[str, sa.ColumnElement[Any]] = {name: self.table.c[name] for name in ALWAYS_READ}
        for field in fields:
            columns |= {column.name: column for column in field.selected(self.table)}
        return list(columns.values())

    # -- records by their ids -------------------------------------------------------------------------------------

    def by_ids(self, fields: Sequence[Field]) -> Statement:
        """The records among IDS that this reader may see."""
        return self._planned_once(self.rows_by_ids(fields, IDS))

    def rows_by_ids(self, fields: Sequence[Field], ids: str) -> sa.Select[Any]:
        """The same for the list of ids with the name `ids`."""
        # Only the ids find the rows; the scope is tested on those few.
        among = AmongIds(self.table.c["id"], id_list_parameter(ids))
        return sa.select(*self.columns(fields)).where(among, Redundant(self.where(ALWAYS)))

    def position(self, order: Order) -> Statement:
        """The sort values of the record IDS, if this reader may see it."""
        return sa.select(*order.columns).where(self._among_ids(), Redundant(self.where(ALWAYS)))

    def fulfilling(self, conditions: Iterable[Condition]) -> Statement:
        """The ids among IDS of the records that this reader may see and that fulfill all conditions."""
        fulfilled = [WithoutIndex(self.sql(condition)) for condition in conditions]
        return sa.select(self.table.c["id"]).where(self._among_ids(), *fulfilled, Redundant(self.where(ALWAYS)))

    def existing(self) -> Statement:
        """The ids among IDS of the records that this reader may see."""
        scope = Redundant(self.where(ALWAYS))
        return self._planned_once(sa.select(self.table.c["id"]).where(self._among_ids(), scope))

    def _among_ids(self) -> sa.ColumnElement[bool]:
        return AmongIds(self.table.c["id"], id_list_parameter())

    def titled(self, text: str, limit: int) -> Statement:
        """The records whose title or reference contains each word of `text`, by title."""
        title = self.module.title_field
        conditions = [self.where(ALWAYS), *map(self._contains, text.split()[:MOST_WORDS])]
        order = (title.order(self.table).asc().nulls_last(), self.table.c["id"])
        return (
            sa.select(*self.columns([title]))
            .where(*self._by_branch(conditions))
            .order_by(*order)
            .limit(integer_literal(limit))
        )

    def first(self, limit: int) -> Statement:
        """Any `limit` records, with their titles."""
        rows = sa.select(*self.columns([self.module.title_field])).where(*self._by_branch([self.where(ALWAYS)]))
        return self._planned_once(rows.limit(integer_literal(limit)))

    def _contains(self, text: str) -> sa.ColumnElement[bool]:
        title, reference = self.module.title_field, self.module.field("reference")
        ways = [
            field.compare(self.table, "contains", text)
            for field in {title.name: title, "reference": reference}.values()
            if field.filter == "text"
        ]
        return sa.or_(sa.false(), *ways)

    # -- how many ---------------------------------------------------------------------------------------------------

    def counting(self, conditions: Sequence[Iterable[Condition]]) -> Statement:
        """How many rows fulfill each of several sets of conditions, in one statement; `read_counts` reads it."""
        requests = [self._count_request(parts) for parts in conditions]
        branches = [sa.true()] if self.branches is None else self.branches
        statement = counting(self.table, branches, requests)
        needs_value = any(condition.needs_value for parts in conditions for condition in parts)
        return statement if needs_value else self._planned_once(statement)

    def counting_ids(self, conditions: Sequence[Condition]) -> Statement:
        """How many of the records IDS that this reader may see fulfill each condition, as `count_0`, `count_1` …."""
        scope = Redundant(self.where(ALWAYS))
        return self._planned_once(self._counting(conditions).where(self._among_ids(), scope))

    def counting_within(self, condition: Condition, conditions: Sequence[Condition]) -> Statement:
        """Like `counting_ids`, for all records that fulfill `condition`."""
        return self._counting(conditions).where(self.where(condition))

    def _counting(self, conditions: Sequence[Condition]) -> sa.Select[Any]:
        numbers: list[sa.ColumnElement[Any]] = [
            sa.func.count().filter(self.sql(condition)).label(f"count_{place}")
            for place, condition in enumerate(conditions)
        ]
        return sa.select(*numbers).select_from(self.table)

    def _count_request(self, conditions: Iterable[Condition]) -> CountRequest:
        """How the rows that fulfill `conditions` are counted, among those that the reader may see."""
        parts = [*joined_conditions(self.narrowed), *conditions]
        if self.branches is None:
            tested = tuple(self.sql(part) for part in parts)
            return CountRequest(tested=tested, visible=(self.policy.scope(self.name),))
        if self.table.info.get(EXISTING):  # it has no index of ours; counted exactly, up to the limit of every count
            return CountRequest(visible=(self.policy.scope(self.name), *map(self.sql, parts)))
        declared = list(joined_conditions(self.access.where))
        indexed = best_indexed_condition([*declared, *parts], self.module, self.table)
        visible = [WithoutIndex(self.sql(part)) for part in declared if part is not indexed]
        if self.policy.hides_older(self.name):
            visible.append(Redundant(self.policy.scope(self.name)))
        return CountRequest(
            None if indexed is None else self._index_condition(indexed),
            tuple(self.sql(part) for part in parts if part is not indexed),
            tuple(visible),
            sees_indexed_only=indexed in declared,
        )

    def _index_condition(self, comparison: Comparison) -> IndexCondition:
        """The part of a comparison with a field of the record itself that an index answers."""
        field, reader = self.module.field(comparison.path[0]), self.policy.reader
        ranges = ranges_of_negated(comparison, field, self.table, reader, self.dialect) if comparison.negated else ()
        return IndexCondition(index_column(field, self.table).name, self.sql(comparison), ranges)

    def groups(self, request: GroupRequest) -> Statement:
        """The number of records and the sum of each of the largest groups, each with the number of all rows.

        With `most`, rows that do not fulfill the condition form groups as well.
        """
        value, of, table = self._grouped(request), request.of, self.table
        companions = [column for column in of.selected(table) if column.name != of.name] if of else []
        summed = [table.c[of.name]] if of else []
        rows = sa.select(*value, *companions, *summed)
        fulfilled: sa.ColumnElement[Any] = integer_literal(1)
        if request.most is None:
            examined = rows.where(*self._by_branch([self.where(request.condition)])).subquery("rows")
        else:
            tested = sa.case((self.sql(request.condition), 1), else_=0).label(FULFILLS)
            visible = rows.add_columns(tested).where(*self._by_branch([self.where(ALWAYS)]))
            examined = visible.limit(integer_literal(request.most + 1)).subquery("rows")
            fulfilled = examined.c[FULFILLS]
        groups = [examined.c[column.name] for column in (*value, *companions)]
        # If no constant is among them, an index has the groups in order.
        grouped = groups if request.most is None else [fulfilled, *groups]
        totals = [ExactTotal(examined.c[column.name]).label(column.name) for column in summed]
        number = sa.func.count()
        everything, fulfilling = sa.func.sum(number).over(), sa.func.sum(number).over(partition_by=fulfilled)
        numbers = number.label(NUMBER), everything.label(ALL), fulfilling.label(FULFILLING)
        select = sa.select(*groups, *totals, fulfilled.label(FULFILLS), *numbers)
        order = [column.desc().nulls_last() for column in totals] or [number.desc()]
        first = [] if request.most is None else [fulfilled.desc()]
        return select.group_by(*grouped).order_by(*first, *order, *groups).limit(integer_literal(MOST_GROUPS))

    def _grouped(self, request: GroupRequest) -> Sequence[sa.ColumnElement[Any]]:
        if not request.ends:
            return request.by.selected(self.table)
        return [place_in_periods(request.by, self.table, request.ends).label(PERIOD)]

    # -- rows in order ----------------------------------------------------------------------------------------------

    def sorted(self, request: PageRequest, among_ids: bool = False) -> Statement:
        """The rows, found by whichever index suits, and sorted. `among_ids`: only among the records IDS."""
        order, conditions = request.order, [self.where(request.condition)]
        if among_ids:
            conditions.append(self._among_ids())
        if request.position is not None:
            conditions.append(order.beyond(request.position, request.backwards))
        select = sa.select(*self.columns(request.fields), *order.columns).where(*self._by_branch(conditions))
        return select.order_by(*order.clauses(request.backwards)).limit(integer_literal(request.size))

    def _by_branch(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Sequence[sa.ColumnElement[bool]]:
        """`conditions`, or the ids of the rows that fulfill them, found branch by branch if ownership is stored in more
        than one table: SQLite's planner would read all rows for an OR over two tables."""
        if not self.module.watchers or self.branches is None or len(self.branches) < 2:
            return conditions
        record_id = self.table.c["id"]
        parts = [sa.select(record_id).where(branch, *conditions).correlate(None) for branch in self.branches]
        return [record_id.in_(sa.union_all(*parts))]

    def scan(self, request: PageRequest) -> Iterator[Statement]:
        """The same rows, segment by segment along the index that has their order; any segment may hold all of them."""
        conditions: list[sa.ColumnElement[bool]] = []
        if not self.policy.sees_all(self.name):  # the scope is more than ownership
            conditions.append(Redundant(self.policy.scope(self.name)))
        tested = [self.sql(part) for part in (*joined_conditions(self.narrowed), *joined_conditions(request.condition))]
        conditions += [WithoutIndex(sa.and_(*tested))] if tested else []
        columns = [*self.columns(request.fields), *request.order.columns]
        scan = IndexScan(self.table, self.branches or (), conditions, columns, request.backwards)
        for segment in request.order.segments(request.position, request.backwards):
            statement = scan.along(segment, integer_literal(request.size))
            # Which of two tables should be read first depends on how many rows the reader has: 4 ms or 75.
            planned_once = segment.titled is None and not request.condition.needs_value
            yield self._planned_once(statement) if planned_once else statement

    def _planned_once(self, statement: Statement) -> Statement:
        """A statement that uses the same index for every reader. If it is shared, the database may plan it once."""
        return cache_plan(statement, self.policy.tables.version) if self.policy.is_shared else statement

    def sql(self, condition: Condition) -> sa.ColumnElement[bool]:
        """SQL for a condition, built once: every count next to a filter includes the filter's."""
        if condition not in self._made:
            policy = self.policy
            self._made[condition] = where(
                condition, self.table, self.module, policy.declaration, policy.reader, policy.visible_ids
            )
        return self._made[condition]

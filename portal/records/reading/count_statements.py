"""How many rows there are: exact where that is cheap, limited where it is not; several counts in one statement.

If an index has the answer, rows are counted in it up to COUNT_LIMIT. Rows that must be tested one by one are counted
among all rows that an index finds, if these are fewer than MOST_TESTED; otherwise among the newest MOST_TESTED rows
that the reader may see, and `Count.more` says that there are others. Fetching rows takes nearly all of the time, so all
numbers next to a filter come from one pass over them. Columns that are also in the index are tested there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from portal.database.schema.indexes import is_indexed
from portal.database.sql import WithoutIndex, integer_literal
from portal.records.reading.index_scan import IndexCondition

COUNT_LIMIT = 1_000  # exact up to here, “1,000+” beyond
MOST_TESTED = 2_000  # rows


@dataclass(frozen=True)
class Count:
    """A number; `more` if counting stopped there."""

    number: int
    more: bool = False

    @classmethod
    def of_hits(cls, number: int, more: bool) -> Self:
        """The count for `number` hits in the search index, or `more`: at most COUNT_LIMIT, like any other count."""
        return cls(min(number, COUNT_LIMIT), more or number > COUNT_LIMIT)


@dataclass(frozen=True)
class CountRequest:
    """What is counted: the rows that the reader may see (`visible`), that an index finds by `indexed` (all if None),
    and that pass `tested`. Rows that the reader may not see count toward no limit.

    `sees_indexed_only`: whether the reader may only see rows that `indexed` finds.
    """

    indexed: IndexCondition | None = None
    tested: tuple[sa.ColumnElement[bool], ...] = ()
    visible: tuple[sa.ColumnElement[bool], ...] = ()
    sees_indexed_only: bool = False

    def needs_rows(self, table: sa.Table, branch: sa.ColumnElement[bool]) -> bool:
        """Whether rows must be fetched to be tested, because no index holds everything that is compared."""
        if not self.tested or self.indexed is None:
            return bool(self.tested)
        parts = (part for test in (*self.tested, *self.visible) for part in visitors.iterate(test))
        compared = {part.name for part in parts if isinstance(part, sa.Column) and part.table is table}
        return not is_indexed(table, branch, self.indexed.column, compared)

    @property
    def hit(self) -> sa.ColumnElement[bool]:
        """Whether a visible row is counted."""
        return sa.and_(sa.true(), *self.tested, *([self.indexed.condition] if self.indexed else []))


def counting(
    table: sa.Table, branches: Sequence[sa.ColumnElement[bool]], requests: Sequence[CountRequest]
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One statement for all `requests` about the rows of `branches`; `read_counts` reads its rows."""
    selects: list[sa.Select[Any]] = []
    for branch_place, branch in enumerate(branches or [sa.false()]):
        fetched = {place: request for place, request in enumerate(requests)
                   if request.needs_rows(table, branch) and not request.sees_indexed_only}  # fmt: skip
        newest = _newest(table, branch, fetched).cte(f"newest_{branch_place}") if fetched else None
        for place, request in enumerate(requests):
            if newest is not None and place in fetched:
                selects.append(_tested(place, table, branch, request, newest))
            else:
                selects += _by_index(place, table, branch, request)
    return _joined(selects)


def read_counts(rows: Iterable[Mapping[str, Any]]) -> list[Count]:
    """The counts, in the order of the requests."""
    hits: dict[int, int] = defaultdict(int)
    stopped = set()
    for row in rows:
        hits[row["place"]] += row["hits"] or 0
        if row["tested"] and row["tested_rows"] >= MOST_TESTED:
            stopped.add(row["place"])
    return [Count(min(number, COUNT_LIMIT), place in stopped or number > COUNT_LIMIT)
            for place, number in sorted(hits.items())]  # fmt: skip


def _newest(table: sa.Table, branch: sa.ColumnElement[bool], requests: Mapping[int, CountRequest]) -> sa.Select[Any]:
    """One pass over the newest rows of a branch: how many there are, and how many of them each request counts."""
    visible = next(iter(requests.values())).visible  # the same for all
    hits = [request.hit.label(_hits(place)) for place, request in requests.items()]
    order = table.c["modified"].desc(), table.c["id"].desc()
    rows = sa.select(*hits).select_from(table).where(branch, *visible).order_by(*order)
    newest = rows.limit(integer_literal(MOST_TESTED)).subquery()
    numbers: list[sa.ColumnElement[Any]] = [sa.func.count().filter(hit).label(hit.name) for hit in newest.c]
    numbers.append(sa.func.count().label("tested_rows"))
    return sa.select(*numbers).select_from(newest)


def _hits(place: int) -> str:
    return f"hits_{place}"


def _tested(
    place: int, table: sa.Table, branch: sa.ColumnElement[bool], request: CountRequest, newest: sa.CTE
) -> sa.Select[Any]:
    """The count among all rows that an index finds, if these are few, otherwise among the newest rows."""
    hits, tested_rows = (sa.select(newest.c[name]).scalar_subquery() for name in (_hits(place), "tested_rows"))
    if request.indexed is None or not is_indexed(table, branch, request.indexed.column):
        return _row(place, 1, hits, tested_rows)
    one: sa.ColumnElement[int] = sa.literal_column("1")
    ways = [sa.select(one.label("hit")).select_from(table).where(branch, way, *request.visible)
            for way in _ways(table, branch, request.indexed)]  # fmt: skip
    tested = _number(_joined(ways).limit(integer_literal(MOST_TESTED))).subquery()
    is_few = tested.c["number"] < integer_literal(MOST_TESTED)
    # Both databases evaluate only the branch of CASE that they need.
    exact = _number(_joined([way.where(*map(WithoutIndex, request.tested)) for way in ways])).scalar_subquery()
    row = _row(place, 1, sa.case((is_few, exact), else_=hits), sa.case((is_few, integer_literal(0)), else_=tested_rows))
    return row.select_from(tested)


def _by_index(
    place: int, table: sa.Table, branch: sa.ColumnElement[bool], request: CountRequest
) -> Iterator[sa.Select[Any]]:
    """The numbers to add up for a count; each stops on its own."""
    hit = sa.case((sa.and_(*request.tested), 1), else_=0) if request.tested else sa.literal_column("1")
    for way in _ways(table, branch, request.indexed):
        part = sa.select(hit.label("hit")).select_from(table).where(branch, way, *request.visible)
        within = part.limit(integer_literal(MOST_TESTED if request.tested else COUNT_LIMIT + 1)).subquery()
        number = sa.func.count()
        hits = sa.func.sum(within.c["hit"]) if request.tested else number
        yield _row(place, int(bool(request.tested)), hits, number).select_from(within)


def _row(place: int, tested: int, hits: sa.ColumnElement[int], tested_rows: sa.ColumnElement[int]) -> sa.Select[Any]:
    """A row of the statement of counts, as `read_counts` reads it."""
    columns: dict[str, sa.ColumnElement[Any]] = {
        "place": sa.literal_column(str(place)),
        "tested": sa.literal_column(str(tested)),
        "hits": hits,
        "tested_rows": tested_rows,
    }
    return sa.select(*[column.label(name) for name, column in columns.items()])


def _joined(selects: Sequence[sa.Select[Any]]) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]


def _number(rows: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.count().label("number")).select_from(rows.subquery())


def _ways(
    table: sa.Table, branch: sa.ColumnElement[bool], indexed: IndexCondition | None
) -> Sequence[sa.ColumnElement[bool]]:
    """The conditions by which the rows of a branch are found and counted, one after the other."""
    if indexed is None:
        return [sa.true()]
    if not is_indexed(table, branch, indexed.column):
        return [WithoutIndex(indexed.condition)]
    return indexed.ranges or [indexed.condition]

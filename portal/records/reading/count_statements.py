"""How many rows there are: exact where that is cheap, stopped where it is not; several counts in one statement.

Where an index has the answer, rows are counted in it up to COUNT_LIMIT. What must be tested row by row is counted
among the newest MOST_TESTED rows that the reader may see; `Count.more` says that there are others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.indexes import is_indexed
from portal.database.sql import WithoutIndex, constant
from portal.records.reading.index_scan import IndexCondition

COUNT_LIMIT = 1_000  # exact up to here, “1,000+” beyond
MOST_TESTED = 2_000  # rows


@dataclass(frozen=True)
class Count:
    """How many; `more` when counting stopped there."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class CountRequest:
    """What is counted: the rows that the reader may see (`visible`) and that an index finds by `indexed` (all where it
    is None), each `tested` besides. Rows that the reader may not see are no part of any limit."""

    indexed: IndexCondition | None = None
    tested: tuple[sa.ColumnElement[bool], ...] = ()
    visible: tuple[sa.ColumnElement[bool], ...] = ()


def counting(
    table: sa.Table, branches: Sequence[sa.ColumnElement[bool]], requests: Sequence[CountRequest]
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One statement for all `requests` about the rows of `branches`; `read_counts` reads its rows."""
    selects = [select for place, request in enumerate(requests) for select in _selects(place, table, branches, request)]
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]


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


def _selects(
    place: int, table: sa.Table, branches: Sequence[sa.ColumnElement[bool]], request: CountRequest
) -> Iterator[sa.Select[Any]]:
    """The numbers to be added for a request: each stops by itself."""
    hit = sa.case((sa.and_(sa.true(), *request.tested), 1), else_=0) if request.tested else sa.literal_column("1")
    for branch in branches or [sa.false()]:
        for condition in _ways(table, branch, request.indexed):
            part = sa.select(hit.label("hit")).select_from(table).where(branch, condition, *request.visible)
            if request.tested and not request.indexed:
                part = part.order_by(table.c["modified"].desc(), table.c["id"].desc())
            within = part.limit(constant(MOST_TESTED if request.tested else COUNT_LIMIT + 1)).subquery()
            number = sa.func.count()
            yield sa.select(
                sa.literal_column(str(place)).label("place"),
                sa.literal_column("1" if request.tested else "0").label("tested"),
                (sa.func.sum(within.c["hit"]) if request.tested else number).label("hits"),
                number.label("tested_rows"),
            ).select_from(within)


def _ways(
    table: sa.Table, branch: sa.ColumnElement[bool], indexed: IndexCondition | None
) -> Sequence[sa.ColumnElement[bool]]:
    """The conditions by which the rows of a branch are counted, one after the other."""
    if indexed is None:
        return [sa.true()]
    if not is_indexed(table, branch, indexed.column):
        return [WithoutIndex(indexed.condition)]
    return indexed.ranges or [indexed.condition]

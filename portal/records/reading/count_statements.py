"""How many rows there are: exact where that is cheap, stopped where it is not; several counts in one statement.

Where an index has the answer, rows are counted in it up to COUNT_LIMIT. What must be tested row by row is counted
among the newest MOST_TESTED rows that the reader may see; `Count.more` says that there are others.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.conditions import Comparison, Condition
from portal.database.schema.indexes import index_column, is_indexed, sort_column
from portal.database.sql import WithoutIndex, constant
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import Reader

COUNT_LIMIT = 1_000  # exact up to here, “1,000+” beyond
MOST_TESTED = 2_000  # rows
# Of several conditions that an index could answer, the one that most likely leaves fewest rows comes first.
EXACT, ONE_OF, RANGE, NOT = range(4)
RANKS = {"equal": EXACT, "one_of": ONE_OF, "min": RANGE, "max": RANGE, "before": RANGE, "after": RANGE, "within": RANGE}


@dataclass(frozen=True)
class Count:
    """How many; `more` when counting stopped there."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class CountRequest:
    """What is counted: the rows that the reader may see (`visible`) and that an index finds by `indexed` (all where it
    is None), each `tested` besides. Rows that the reader may not see are no part of any limit."""

    indexed: "IndexCondition | None" = None
    tested: tuple[sa.ColumnElement[bool], ...] = ()
    visible: tuple[sa.ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class IndexCondition:
    """A condition that the index of `column` answers. `ranges`: the same as ranges without a common row, where the
    index can only answer these."""

    column: str
    condition: sa.ColumnElement[bool]
    ranges: tuple[sa.ColumnElement[bool], ...] = ()


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


# -- what an index finds ----------------------------------------------------------------------------------------------


def best_indexed_condition(conditions: Iterable[Condition], module: Module, table: sa.Table) -> Comparison | None:
    """The condition by which an index finds the rows; None where there is none."""
    indexed = {index.columns.keys()[0] for index in table.indexes}
    comparisons = [condition for condition in conditions if isinstance(condition, Comparison)]
    ranks = [_rank(comparison, module, table, indexed) for comparison in comparisons]
    ranked = [(rank, place) for place, rank in enumerate(ranks) if rank is not None]
    return comparisons[min(ranked)[1]] if ranked else None


def _rank(part: Comparison, module: Module, table: sa.Table, indexed: set[str]) -> int | None:
    if len(part.path) != 1 or part.path[0] not in module.everything:
        return None
    field = module.field(part.path[0])
    if field.virtual or field.multiple or (column := sort_column(field, table)) is None or column.name not in indexed:
        return None
    if column.name != field.name and part.operator != "empty":
        return None  # the folded companion sorts lists; comparisons are with the text itself
    if part.negated:
        return NOT if field.ranked and part.operator in ("equal", "one_of") else None
    return RANKS.get(part.operator)


def ranges_of_negated(
    comparison: Comparison, field: Field, table: sa.Table, reader: Reader, dialect: str
) -> tuple[sa.ColumnElement[bool], ...]:
    """A negated comparison as ranges between the values, empty included, each of which an index finds."""
    column = index_column(field, table)
    values = comparison.value if comparison.operator == "one_of" else (comparison.value,)
    constants = [value for value in values if value not in (None, "")]
    known = sorted({field.constant(value, reader) for value in constants})
    bounds = known if dialect == "sqlite" else [_in_order(known, place) for place in range(len(known))]
    ranges = [sa.and_(column > low, column < high) for low, high in itertools.pairwise(bounds)]
    ranges = [column < bounds[0], *ranges, column > bounds[-1]] if bounds else [column.is_not(None)]
    return tuple(ranges) if len(constants) < len(values) else (column.is_(None), *ranges)


def _in_order(values: Sequence[Any], place: int) -> Any:
    """One of several values by its place in the order of the database, whose alphabet may differ from Python's."""
    if len(values) == 1 or not isinstance(values[0], str):
        return values[place]
    listed = sa.func.unnest(sa.literal(list(values), sa.ARRAY(sa.Text()))).table_valued("value").render_derived()
    in_order = sa.select(listed.c["value"]).order_by(listed.c["value"])
    return in_order.limit(constant(1)).offset(constant(place)).scalar_subquery()

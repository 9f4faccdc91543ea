"""What an index of a module's table can do: the statement that reads a segment of an order along it, one branch of the
reader's scope at a time, and the conditions that it answers.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.conditions import Comparison, Condition, ParsedValue
from portal.database.schema.indexes import index_column, is_indexed, sort_column
from portal.database.sql import Among, WithoutIndex, integer_literal
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.reading.keyset import Segment, Titled


@dataclass(frozen=True)
class IndexScan:
    """`columns` of the rows of `table` in `branches` that fulfill `conditions`."""

    table: sa.Table
    branches: Sequence[sa.ColumnElement[bool]]
    conditions: Sequence[sa.ColumnElement[bool]]
    columns: Sequence[sa.ColumnElement[Any]]
    backwards: bool = False

    def along(self, segment: Segment, size: sa.ColumnElement[int]) -> sa.Select[Any]:
        """The next `size` rows of a segment: that many of each branch, whose index has them in order, then the first of
        all of them."""
        clauses = segment.order.clauses(self.backwards)

        def select(columns: Sequence[sa.ColumnElement[Any]], branch: sa.ColumnElement[bool]) -> sa.Select[Any]:
            titled = segment.titled
            if titled is not None and is_indexed(self.table, branch, titled.link.name):
                return self._along_titles(segment, titled, branch, size)
            all_conditions = (*segment.conditions, *(titled.conditions if titled else ()))
            conditions = [self._by_index_or_row(branch, condition) for condition in all_conditions]
            rows = sa.select(*columns).select_from(titled.joined(self.table) if titled else self.table)
            return rows.where(branch, *conditions, *self.conditions).order_by(*clauses).limit(size)

        if len(self.branches) == 1 and segment.titled is None:
            return select(self.columns, self.branches[0])
        record_id = self.table.c["id"]
        parts = [sa.select(select([record_id], branch).subquery()) for branch in self.branches]
        ids = sa.union_all(*parts) if parts else sa.select(record_id).where(sa.false())
        # These few are sorted without the join: joining all titles again takes longer than finding the rows.
        order = segment.order if segment.titled is None else segment.titled.alone
        return sa.select(*self.columns).where(record_id.in_(ids)).order_by(*order.clauses(self.backwards)).limit(size)

    def _along_titles(
        self, segment: Segment, titled: Titled, branch: sa.ColumnElement[bool], size: sa.ColumnElement[int]
    ) -> sa.Select[Any]:
        """The ids of the first rows, title by title: only the first `size` rows of each linked record, since the first
        title may have a million."""
        own = sa.select(self.table.c["id"]).where(titled.link == titled.target.c["id"], branch, *segment.conditions)
        own = own.where(*self.conditions).order_by(*titled.rest.clauses(self.backwards)).limit(size)
        rows = self.table.alias("rows_of_title")
        is_linked = Among(rows.c["id"], own.correlate(titled.target).scalar_subquery())
        ids = sa.select(rows.c["id"]).select_from(titled.target.join(rows, is_linked)).where(*titled.conditions)
        title = segment.order.keys[0].clauses(self.backwards)
        return ids.order_by(*title, *titled.rest.on(rows).clauses(self.backwards)).limit(size)

    def _by_index_or_row(
        self, branch: sa.ColumnElement[bool], condition: sa.ColumnElement[bool]
    ) -> sa.ColumnElement[bool]:
        """A condition of a segment; tested row by row if no index of the branch has its column, since SQLite would
        otherwise use an index over the rows of all branches, and read all that have the same value."""
        column = condition.left if isinstance(condition, sa.BinaryExpression) else None
        indexed = not isinstance(column, sa.Column) or is_indexed(self.table, branch, column.name)
        return condition if indexed else WithoutIndex(condition)


# Of several conditions that an index could answer, the one likely to leave the fewest rows comes first.
EXACT, ONE_OF, RANGE, NOT = range(4)


RANKS = {"equal": EXACT, "one_of": ONE_OF, "min": RANGE, "max": RANGE, "before": RANGE, "after": RANGE, "within": RANGE}


# -- conditions that an index answers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class IndexCondition:
    """A condition that the index of `column` answers. `ranges`: the same as disjoint ranges, if the index can only
    answer those."""

    column: str
    condition: sa.ColumnElement[bool]
    ranges: tuple[sa.ColumnElement[bool], ...] = ()


def best_indexed_condition(conditions: Iterable[Condition], module: Module, table: sa.Table) -> Comparison | None:
    """The condition by which an index finds the rows; None if there is none."""
    indexed = {index.columns.keys()[0] for index in table.indexes}
    comparisons = [condition for condition in conditions if isinstance(condition, Comparison)]
    ranks = [_rank(comparison, module, table, indexed) for comparison in comparisons]
    ranked = [(rank, place) for place, rank in enumerate(ranks) if rank is not None]
    return comparisons[min(ranked)[1]] if ranked else None


def _rank(part: Comparison, module: Module, table: sa.Table, indexed: set[str]) -> int | None:
    if len(part.path) != 1 or part.path[0] not in module.everything or part.other_fields:
        return None
    field = module.field(part.path[0])
    if field.virtual or field.multiple or (column := sort_column(field, table)) is None or column.name not in indexed:
        return None
    if column.name != field.name and part.operator != "empty":
        return None  # the folded column sorts lists; comparisons use the text itself
    if part.negated:
        return NOT if field.ranked and part.operator in ("equal", "one_of") else None
    return RANKS.get(part.operator)


def ranges_of_negated(
    comparison: Comparison, field: Field, table: sa.Table, reader: Reader, dialect: str
) -> tuple[sa.ColumnElement[bool], ...]:
    """A negated comparison as ranges between the values, and the empty values, each of which an index finds."""
    column = index_column(field, table)
    values = comparison.value if comparison.operator == "one_of" else (comparison.value,)
    constants = [value for value in values if value not in (None, "")]
    known = sorted({_constant(value, field, reader) for value in constants})
    bounds = known if dialect == "sqlite" else [_in_order(known, place) for place in range(len(known))]
    ranges = [sa.and_(column > low, column < high) for low, high in itertools.pairwise(bounds)]
    ranges = [column < bounds[0], *ranges, column > bounds[-1]] if bounds else [column.is_not(None)]
    return tuple(ranges) if len(constants) < len(values) else (column.is_(None), *ranges)


def _constant(value: Any, field: Field, reader: Reader) -> Any:
    return value.value if isinstance(value, ParsedValue) else field.constant(value, reader)


def _in_order(values: Sequence[Any], place: int) -> Any:
    """One of several values by its place in the order of the database, whose alphabet may differ from Python's."""
    if len(values) == 1 or not isinstance(values[0], str):
        return values[place]
    listed = sa.func.unnest(sa.literal(list(values), sa.ARRAY(sa.Text()))).table_valued("value").render_derived()
    in_order = sa.select(listed.c["value"]).order_by(listed.c["value"])
    return in_order.limit(integer_literal(1)).offset(integer_literal(place)).scalar_subquery()

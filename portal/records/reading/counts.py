"""How many rows there are: exact where that is cheap, stopped where it is not; several questions in one statement.

What an index can answer is counted in the index, up to COUNT_LIMIT. What has to be read row by row is looked for in
the newest LOOKED rows, and the answer says so when there are more of them.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, AllOf, AnyOf, Comparison, Condition
from portal.database.schema.indexes import is_indexed, sort_column
from portal.database.sql import WithoutIndex
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.reader import Reader

COUNT_LIMIT = 1_000  # exact up to here, “1,000+” beyond
LOOKED = 2_000  # rows
# Of several things that an index could find, the one that most likely leaves least comes first.
EXACT, ONE_OF, RANGE, NOT = range(4)
RANKS = {"equal": EXACT, "one_of": ONE_OF, "min": RANGE, "max": RANGE, "before": RANGE, "after": RANGE, "within": RANGE}


@dataclass(frozen=True)
class Count:
    """How many; `more` when counting stopped there."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class Question:
    """What is counted: `found` by the index of a column; `tested` row by row."""

    found: "Found | None" = None
    tested: tuple[sa.ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class Found:
    """Rows that the index of `column` finds. `ranges`: the same in parts of which no row is in two, where the index
    finds only these."""

    column: str
    condition: sa.ColumnElement[bool]
    ranges: tuple[sa.ColumnElement[bool], ...] = ()


def counting(
    table: sa.Table, branches: Sequence[sa.ColumnElement[bool]], questions: Sequence[Question]
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One statement that answers `questions` about the rows of `branches`; `read_counts` reads its rows."""
    selects = [
        select for place, question in enumerate(questions) for select in _selects(place, table, branches, question)
    ]
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]


def read_counts(rows: Iterable[Any]) -> list[Count]:
    """The answers, in the order of the questions."""
    hits: dict[int, int] = defaultdict(int)
    stopped = set()
    for row in rows:
        hits[row.place] += row.hits or 0
        if row.tested and row.looked >= LOOKED:
            stopped.add(row.place)
    return [Count(min(number, COUNT_LIMIT), place in stopped or number > COUNT_LIMIT)
            for place, number in sorted(hits.items())]  # fmt: skip


def _selects(
    place: int, table: sa.Table, branches: Sequence[sa.ColumnElement[bool]], question: Question
) -> Iterator[sa.Select[Any]]:
    """The numbers that answer a question, to be added: each stops by itself."""
    hit = sa.case((sa.and_(sa.true(), *question.tested), 1), else_=0) if question.tested else sa.literal_column("1")
    for branch in branches or [sa.false()]:
        for found in _ways(table, branch, question.found):
            part = sa.select(hit.label("hit")).select_from(table).where(branch, found)
            if question.tested and not question.found:
                part = part.order_by(table.c["modified"].desc(), table.c["id"].desc())
            within = part.limit(LOOKED if question.tested else COUNT_LIMIT + 1).subquery()
            looked = sa.func.count()
            yield sa.select(
                sa.literal_column(str(place)).label("place"),
                sa.literal_column("1" if question.tested else "0").label("tested"),
                (sa.func.sum(within.c["hit"]) if question.tested else looked).label("hits"),
                looked.label("looked"),
            ).select_from(within)


def _ways(table: sa.Table, branch: sa.ColumnElement[bool], found: Found | None) -> Sequence[sa.ColumnElement[bool]]:
    """The conditions by which the rows of a branch are counted, one after the other."""
    if found is None:
        return [sa.true()]
    if not is_indexed(table, branch, found.column):
        return [WithoutIndex(found.condition)]
    return found.ranges or [found.condition]


# -- what an index finds ----------------------------------------------------------------------------------------------


def parts_of(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from parts_of(part)
    elif isinstance(condition, AnyOf) and len(condition.parts) == 1:
        yield from parts_of(condition.parts[0])
    elif condition != ALWAYS:
        yield condition


def best(conditions: Iterable[Condition], module: Module, table: sa.Table) -> Condition | None:
    """The condition by which an index finds the rows, None where there is none."""
    indexed = {index.columns.keys()[0] for index in table.indexes}
    ranked = [(rank, place, part) for place, part in enumerate(conditions)
              if (rank := _rank(part, module, table, indexed)) is not None]  # fmt: skip
    return min(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _rank(part: Condition, module: Module, table: sa.Table, indexed: set[str]) -> int | None:
    if not isinstance(part, Comparison) or len(part.path) != 1 or part.path[0] not in module.everything:
        return None
    field = module.field(part.path[0])
    if field.computed or field.multiple or (column := sort_column(field, table)) is None or column.name not in indexed:
        return None
    if column.name != field.name and part.operator != "empty":
        return None  # by the folded text lists are sorted, not compared
    if part.negated:
        return NOT if field.ranked and part.operator in ("equal", "one_of") else None
    return RANKS.get(part.operator)


def ranges_without(
    test: Comparison, field: Field, table: sa.Table, reader: Reader, dialect: str
) -> tuple[sa.ColumnElement[bool], ...]:
    """A negated test as ranges between the values, empty included, each of which an index finds."""
    column = field.index_column(table)
    values = test.value if test.operator == "one_of" else (test.value,)
    given = [value for value in values if value not in (None, "")]
    known = sorted({field.constant(value, reader) for value in given})
    bounds = known if dialect == "sqlite" else [_in_order(known, place) for place in range(len(known))]
    ranges = [sa.and_(column > low, column < high) for low, high in itertools.pairwise(bounds)]
    ranges = [column < bounds[0], *ranges, column > bounds[-1]] if bounds else [column.is_not(None)]
    return tuple(ranges) if len(given) < len(values) else (column.is_(None), *ranges)


def _in_order(values: Sequence[Any], place: int) -> Any:
    """One of several values by its place in the order of the database, which may know another alphabet than we do."""
    if len(values) == 1 or not isinstance(values[0], str):
        return values[place]
    listed = sa.func.unnest(sa.literal(list(values), sa.ARRAY(sa.Text()))).table_valued("value").render_derived()
    return sa.select(listed.c["value"]).order_by(listed.c["value"]).limit(1).offset(place).scalar_subquery()

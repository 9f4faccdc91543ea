"""The order of a list, and paging by key: a page begins after the last row of the one before, not after N rows.

A key is the sort values of a row and its id, as text; the id alone if the reader may not read these values. Empty
values come last in both directions. An order consists of segments, read one after the other, each in the order of an
index: the rows that have a value, then the empty ones; option by option; the titles of linked records.
"""

import base64
import binascii
import datetime
import decimal
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.sql.util import ClauseAdapter

from portal.database.schema.existing_tables import EXISTING
from portal.database.schema.indexes import index_column, sort_column
from portal.database.sql import ColumnWithoutIndex
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.column_types import WHOLE_DIGITS
from portal.fields.protocols import VisibleIds
from portal.fields.refused import FORBIDDEN

# Columns of the engine that are never empty: they need no sorting by emptiness first, so their index can be used.
NEVER_EMPTY = ("id", "number", "reference", "created", "modified")
ALWAYS_KNOWN = ("id", "reference")  # of existing tables


@dataclass(frozen=True)
class SortKey:
    """One sort criterion of a list's order."""

    expression: sa.ColumnElement[Any]
    descending: bool
    may_be_empty: bool

    def beyond(self, value: Any, backwards: bool) -> sa.ColumnElement[bool]:
        """Rows strictly after `value` (before it, backwards)."""
        if value is None:
            return self.expression.is_not(None) if backwards else sa.false()
        bound = sa.literal(value, self.expression.type)  # a bare True or False can only be equal
        farther = self.expression < bound if self.descending is not backwards else self.expression > bound
        return farther if backwards or not self.may_be_empty else sa.or_(farther, self.expression.is_(None))

    def same(self, value: Any) -> sa.ColumnElement[bool]:
        """Rows with `value`."""
        if value is None:
            return self.expression.is_(None)
        return self.expression == sa.literal(value, self.expression.type)

    def clauses(self, backwards: bool) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY."""
        value = self.expression.desc() if self.descending is not backwards else self.expression.asc()
        if not self.may_be_empty:
            return [value]
        emptiness = self.expression.is_(None)
        return [emptiness.desc() if backwards else emptiness.asc(), value]


@dataclass(frozen=True)
class Order:
    """Sort criteria that end with the id, so that no two rows are equal. `field`: that of the first criterion."""

    keys: tuple[SortKey, ...]
    table: sa.Table
    field: Field | None = None
    by_record: bool = False  # a page's key holds only the id

    @classmethod
    def of(
        cls,
        module: Module,
        table: sa.Table,
        sort: Sequence[str],
        readable: frozenset[str],
        visible_ids: VisibleIds = lambda module: None,
    ) -> "Order":
        """The order of `sort` (`field`, `-field`), without fields that may not be read.

        `modified` is never left out: it is the default order of every list, even if the reader may not read the time.
        `links` are sorted by the first title that `visible_ids` leaves.
        """
        keys, first = [], None
        for entry in sort:
            name = entry.removeprefix("-")
            known = name in module.everything and module.field(name).sortable
            if known and name in {*readable, "modified"}:
                first = first or module.field(name)
                expression = module.field(name).order_among(table, visible_ids)
                may_be_empty = name not in (ALWAYS_KNOWN if table.info.get(EXISTING) else NEVER_EMPTY)
                keys.append(SortKey(expression, entry.startswith("-"), may_be_empty))
        descending = keys[0].descending if keys else True
        unreadable = "modified" not in readable and any(entry.removeprefix("-") == "modified" for entry in sort)
        return cls((*keys, SortKey(table.c["id"], descending, False)), table, first, by_record=unreadable)

    @property
    def columns(self) -> list[sa.ColumnElement[Any]]:
        """The columns that a row needs for `key`."""
        return [key.expression.label(f"_sort_{index}") for index, key in enumerate(self.keys)]

    def clauses(self, backwards: bool) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY."""
        return [clause for key in self.keys for clause in key.clauses(backwards)]

    def beyond(self, position: Sequence[Any], backwards: bool) -> sa.ColumnElement[bool]:
        """Rows after the one at `position`: equal in the first criteria and beyond in the next."""
        if len({key.descending for key in self.keys}) == 1 and not any(key.may_be_empty for key in self.keys):
            return self._beyond_as_row(position, backwards)
        ways = []
        for index, key in enumerate(self.keys):
            same = [earlier.same(value) for earlier, value in zip(self.keys[:index], position[:index], strict=True)]
            ways.append(sa.and_(*same, key.beyond(position[index], backwards)))
        return sa.or_(*ways)

    def _beyond_as_row(self, position: Sequence[Any], backwards: bool) -> sa.ColumnElement[bool]:
        """As one comparison of row values, which an index answers directly."""
        here = sa.tuple_(*[key.expression for key in self.keys])
        there = sa.tuple_(*[_bound(value, key) for key, value in zip(self.keys, position, strict=True)])
        return here < there if self.keys[0].descending is not backwards else here > there

    # -- in segments -------------------------------------------------------------------------------------------------

    @property
    def is_indexed(self) -> bool:
        """Whether an index has the first criterion."""
        column = self.table.c["id"] if self.field is None else sort_column(self.field, self.table)
        return column is not None and any(column.name in index.columns.keys()[:2] for index in self.table.indexes)

    def parameters(self) -> dict[str, sa.BindParameter[Any]] | None:
        """A position whose values are bound at execution; None if the statement depends on the values, since empty ones
        are compared differently."""
        if any(key.may_be_empty for key in self.keys) or len({key.descending for key in self.keys}) > 1:
            return None
        names = [f"position_{place}" for place in range(len(self.keys))]
        return {name: sa.bindparam(name, type_=key.expression.type)
                for name, key in zip(names, self.keys, strict=True)}  # fmt: skip

    @property
    def is_one_segment(self) -> bool:
        """Whether the whole order is one segment."""
        return not self.keys[0].may_be_empty

    def segments(self, position: Sequence[Any] | None, backwards: bool) -> list["Segment"]:
        """The segments from `position` on, in the direction of reading."""
        segments = self._all_segments()
        if position is not None:
            place = self._place(segments, position)
            segments = segments[: place + 1] if backwards else segments[place:]
            first = -1 if backwards else 0
            inside = segments[first]
            segments[first] = inside.beyond(position[1:] if inside.constant else position, backwards)
        return segments[::-1] if backwards else segments

    def _all_segments(self) -> list["Segment"]:
        first, rest = self.keys[0], Order(self.keys[1:], self.table)
        if self.is_one_segment or self.field is None:
            return [Segment(self, ())]
        if (titles := self.field.titles(self.table)) is not None:
            return self._by_title(self.field, titles, rest)
        if ranked := self.field.ranked:
            column = index_column(self.field, self.table)
            parts = [Segment(rest, (column == value,), constant=True) for value in ranked]
            parts.append(Segment(rest.without_index(), _none_of(column, ranked), constant=True))
            if first.descending:
                parts.reverse()
            return [*parts, Segment(rest, (column.is_(None),), constant=True)]
        value = Order((SortKey(first.expression, first.descending, False), *self.keys[1:]), self.table)
        return [
            Segment(value, (first.expression.is_not(None),)),
            Segment(rest, (first.expression.is_(None),), constant=True),
        ]

    def without_index(self) -> "Order":
        """The same order for a few rows, which are sorted: PostgreSQL would otherwise read a whole index in that order
        to find them."""
        first, *others = self.keys
        unindexed = replace(first, expression=sa.func.coalesce(first.expression, first.expression))
        return replace(self, keys=(unindexed, *others))

    def on(self, rows: sa.FromClause) -> "Order":
        """The same order for other rows of the table."""
        adapted = ClauseAdapter(rows)
        keys = (replace(key, expression=adapted.traverse(key.expression)) for key in self.keys)
        return replace(self, keys=tuple(keys))

    def _by_title(self, field: Field, titles: sa.ColumnElement[Any], rest: "Order") -> list["Segment"]:
        target, link = titles.table, index_column(field, self.table)
        first, *others = self.keys
        value = Order((SortKey(titles, first.descending, False), *others), self.table)
        alone = Order((SortKey(first.expression, first.descending, False), *others), self.table)
        untitled = sa.select(target.c["id"]).where(titles.is_(None))
        return [
            Segment(value, (), titled=Titled(target, link, rest, alone, (titles.is_not(None),))),
            Segment(rest, (sa.or_(link.is_(None), link.in_(untitled)),), constant=True),
        ]

    def _place(self, segments: Sequence["Segment"], position: Sequence[Any]) -> int:
        """The number of the segment that contains a position."""
        value = position[0]
        if len(segments) == 1 or value is None:
            return len(segments) - 1
        if self.field is not None and self.field.ranked:
            rank = min(max(int(value), 0), len(segments) - 2)
            return len(segments) - 2 - rank if self.keys[0].descending else rank
        return 0

    # -- keys ---------------------------------------------------------------------------------------------------------

    def key(self, row: Mapping[str, Any]) -> str:
        """The key of a row."""
        values = [_pack(value) for value in self.values(row)[-1 if self.by_record else 0 :]]
        return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        """The position of a row that was selected with `columns`."""
        return [row[f"_sort_{index}"] for index in range(len(self.keys))]

    def position(self, key: str) -> list[Any] | None:
        """The sort values or the id in `key`; None for no key, and for one that this order did not make."""
        if not key:
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
            values = [_unpack(value) for value in values] if isinstance(values, list) else []
        except (ValueError, TypeError, KeyError, ArithmeticError, binascii.Error, RecursionError):
            return None
        keys = self.keys[-1:] if self.by_record else self.keys
        return values if len(values) == len(keys) and all(map(_fits, keys, values)) else None


@dataclass(frozen=True)
class Titled:
    """The order of a segment by titles of linked records: of `target`, to which `link` leads, as far as they fulfill
    `conditions`. `rest`: the order of the rows of one title; `alone`: the whole order without a join, for a few."""

    target: sa.FromClause
    link: sa.ColumnElement[Any]
    rest: Order
    alone: Order
    conditions: tuple[sa.ColumnElement[bool], ...]

    def joined(self, table: sa.Table) -> sa.FromClause:
        """The rows joined with their titles, so that the planner does not look up rows by titles."""
        return table.join(self.target, ColumnWithoutIndex(self.link) == self.target.c["id"])


@dataclass(frozen=True)
class Segment:
    """A segment of a list's order: rows that an index has in this order. `constant`: the first criterion is the same
    for all of them, and `order` is that of the rest. `titled`: the first criterion is the title of a linked record."""

    order: Order
    conditions: tuple[sa.ColumnElement[bool], ...]
    constant: bool = False
    titled: Titled | None = None

    def beyond(self, position: Sequence[Any], backwards: bool) -> "Segment":
        """The rows of the segment after a position."""
        conditions = (*self.conditions, self.order.beyond(position, backwards))
        if self.titled is None:
            return replace(self, conditions=conditions)
        # Redundant; repeated for the titles, so that their index is read from there.
        first = self.order.keys[0]
        down = first.descending is not backwards
        from_there = first.expression <= position[0] if down else first.expression >= position[0]
        titled = replace(self.titled, conditions=(*self.titled.conditions, from_there))
        return replace(self, conditions=conditions, titled=titled)


def _none_of(column: sa.ColumnElement[Any], values: Sequence[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """The (very few) rows whose value is none of `values`: first the distinct values of the index are read, by skipping
    from one to the next, then the rows between the least and the greatest that remain. Otherwise all rows of the index
    would be read to find none."""
    known = sa.select(sa.func.min(column).label("value")).cte("known_values", recursive=True)
    following = sa.select(sa.func.min(column)).where(column > known.c["value"]).scalar_subquery()
    known = known.union_all(sa.select(following).where(known.c["value"].is_not(None)))
    ends = [sa.select(end(known.c["value"])).where(known.c["value"].not_in(values)).scalar_subquery()
            for end in (sa.func.min, sa.func.max)]  # fmt: skip
    return column >= ends[0], column <= ends[1], column.not_in(values)


def _bound(value: Any, key: SortKey) -> sa.ColumnElement[Any]:
    return value if isinstance(value, sa.BindParameter) else sa.literal(value, key.expression.type)


def _fits(key: SortKey, value: Any) -> bool:
    if value is None:
        return key.may_be_empty
    try:
        expected = key.expression.type.python_type
    except NotImplementedError:
        return True
    if type(value) is int:  # neither True nor False, which PostgreSQL does not accept as a number
        return abs(value) < 2**63 and expected in (int, float, decimal.Decimal)
    return type(value) is expected


def _pack(value: Any) -> Any:
    """A sort value that the JSON of a keyset can hold."""
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"time": value.isoformat()}
    return {"decimal": str(value)} if isinstance(value, decimal.Decimal) else value


def _unpack(value: Any) -> Any:
    if isinstance(value, str):
        return _refuse() if FORBIDDEN.search(value) else value
    if not isinstance(value, Mapping):
        known = value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
        return value if known else _refuse()
    ((kind, text),) = value.items()
    if kind == "decimal":
        number = decimal.Decimal(text)
        return number if number.is_finite() and abs(number.adjusted()) < WHOLE_DIGITS else _refuse()
    types: dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
    value = types[kind].fromisoformat(text)
    if kind == "datetime":
        return value.astimezone(datetime.UTC) if value.tzinfo else _refuse()  # too early or late: OverflowError
    return value.replace(tzinfo=None) if kind == "time" else value


def _refuse() -> NoReturn:
    raise ValueError

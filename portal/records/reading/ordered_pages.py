"""Pages of records in the order of their own values: read along an index, or found and sorted.

Many rows are read along the index that has their order, and tested one by one. Up to FEW_ROWS are found by whichever
index suits, and sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.conditions import AllOf, Condition, joined_conditions
from portal.fields.base import Field
from portal.records.reading.keyset import Order
from portal.records.reading.page_of_records import Page, Query
from portal.records.reading.record_counts import RecordCounts
from portal.records.reading.record_reader import RecordReader, Row
from portal.records.reading.statements import PageRequest, Statements
from portal.records.statement_cache import IDS, Statement, StatementKey

FEW_ROWS = 1_000


@dataclass(frozen=True)
class OrderedPages:
    """The ordered pages of the records of `reader`, which `counts` counts."""

    reader: RecordReader
    counts: RecordCounts

    def page(self, query: Query, fields: Sequence[Field], among: Sequence[int] | None = None) -> Page:
        """The page of `query` with these fields; `among`: only among the records with these ids."""
        order = self._order(self._sort(query))
        position = self._position(order, query.before or query.after)
        backwards = position is not None and bool(query.before)  # an unreadable key leads to the first page
        condition = AllOf(self.reader.with_parameters(tuple(joined_conditions(query.condition))))
        request = PageRequest(order, fields, query.size + 1, condition, position, backwards)
        key = self._key(query, request, among is not None) if self._may_be_shared(self._sort(query)) else None
        values: dict[str, Any] = {} if among is None else {IDS: list(among)}
        if position is not None and (parameters := order.parameters()):
            values |= dict(zip(parameters, position, strict=True))
            request = replace(request, position=list(parameters.values()))
        elif position is not None:
            key = None  # empty values are compared differently, so the statement depends on the position
        if among is None and self._reads_along_index(order, query.condition):
            rows = self._scanned(request, key, values)
        else:
            rows = self._sorted(request, key, values)
        return self._page(request, rows, query.size)

    def place(self, query: Query, record_id: int) -> str:
        """The key of the page that begins after this record; empty for one that the reader does not see."""
        order = self._order(self._sort(query))
        rows = self.reader.execute(self.reader.statements.position(order), **{IDS: [record_id]})
        return order.key(rows[0]) if rows else ""

    def has_place(self, query: Query, key: str) -> bool:
        """Whether a key was made by this order."""
        return self._position(self._order(self._sort(query)), key) is not None

    def _position(self, order: Order, key: str) -> list[Any] | None:
        position = order.position(key)
        if position is None or not order.by_record:
            return position
        statement = self.reader.statements.position(order)
        return next((order.values(row) for row in self.reader.execute(statement, **{IDS: position})), None)

    def _page(self, request: PageRequest, rows: Sequence[Row], size: int) -> Page:
        """The page of `rows`: one row more than its size means that others follow."""
        more, rows = len(rows) > size, rows[:size]
        if request.backwards:
            rows = rows[::-1]
            previous, following = more, True
        else:
            previous, following = request.position is not None, more
        return Page(
            self.reader.load(rows, request.fields),
            next=request.order.key(rows[-1]) if following and rows else "",
            previous=request.order.key(rows[0]) if previous and rows else "",
            first=not previous,
        )

    def _sort(self, query: Query) -> tuple[str, ...]:
        return tuple(query.sort or self.reader.access.list.sort or ("-modified",))

    def _order(self, sort: tuple[str, ...]) -> Order:
        def build(statements: Statements) -> Order:
            policy, readable = statements.policy, statements.policy.readable(statements.name)
            return Order.of(statements.module, statements.table, sort, readable, policy.visible_ids)

        return self.reader.build(self.reader.key("order", sort=sort) if self._may_be_shared(sort) else None, build)

    def _may_be_shared(self, sort: tuple[str, ...]) -> bool:
        """Whether the order is the same for all readers of a kind: `links` are sorted by the titles each may see."""
        fields = [self.reader.module.everything.get(entry.removeprefix("-")) for entry in sort]
        return not any(field is not None and field.in_join_table for field in fields)

    def _key(self, query: Query, request: PageRequest, among_ids: bool) -> StatementKey:
        start = "before" if request.backwards else "after"
        if request.position is None:
            start = "first"
        return self.reader.key(
            "page",
            conditions=(tuple(joined_conditions(request.condition)),),
            fields=tuple(field.name for field in request.fields),
            sort=self._sort(query),
            start=start,
            among_ids=among_ids,
            size=request.size,
        )

    def _reads_along_index(self, order: Order, condition: Condition) -> bool:
        """Whether there are many rows, and an index that has their order."""
        reader = self.reader
        if (reader.shared_statements or reader.statements).branches is None or not order.is_indexed:
            return False
        tested = [
            *joined_conditions(reader.access.where),
            *joined_conditions(reader.narrowed),
            *joined_conditions(condition),
        ]
        if order.is_one_segment and not tested:
            return True
        count = self.counts.of([Query(condition=condition)])[0]
        return count.more or count.number > FEW_ROWS

    def _scanned(self, request: PageRequest, key: StatementKey | None, values: dict[str, Any]) -> Sequence[Row]:
        rows: list[Row] = []
        key = key and key._replace(purpose="scan")
        statements = (
            tuple(self.reader.build(key, lambda statements: tuple(statements.scan(request))))
            if key
            else self.reader.statements.scan(request)
        )
        for statement in statements:
            rows += self.reader.execute(statement, **values)
            if len(rows) >= request.size:
                break
        return rows[: request.size]

    def _sorted(self, request: PageRequest, key: StatementKey | None, values: dict[str, Any]) -> Sequence[Row]:
        def build(statements: Statements) -> Statement:
            return statements.sorted(request, among_ids=IDS in values)

        key = key and key._replace(purpose="sort")
        return self.reader.execute(self.reader.build(key, build), **values)

"""The rows of one module that one person may see: one record, a page of them, how many, which to choose from.

One query builder makes the rows and their count. Only the columns that the policy lets the reader read are selected,
so nothing above this layer can leak another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, All, Condition
from portal.database import search
from portal.database.sql import where
from portal.declaration.shapes import Access, Module
from portal.fields import Field
from portal.records.links import with_titles
from portal.records.order import Order
from portal.records.policy import Policy

# Exact up to here, “10,000+” beyond; with typed text the search stops at search.CAP.
COUNT_LIMIT = 10_000
# A typed text with another sort than “newest change first” sorts within this many of the newest hits.
SORTED_HITS = 2_000


@dataclass(frozen=True)
class Query:
    """What a list is asked for. `text` is the general search; `after`/`before` are keys that a Page gave."""

    text: str = ""
    condition: Condition = ALWAYS
    sort: tuple[str, ...] = ()
    after: str = ""
    before: str = ""
    size: int = 25


@dataclass(frozen=True)
class Record:
    """One row as its reader may see it: `values` holds the readable fields only."""

    id: int
    module: str
    reference: str
    version: int
    values: Mapping[str, Any]
    title: str


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the keys of the neighbouring pages, empty where there is none."""

    rows: list[Record]
    next: str = ""
    previous: str = ""
    first: bool = True


@dataclass(frozen=True)
class Count:
    """How many; `more` when counting stopped there."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class Records:
    """The records of `name` for the reader of `policy`. Raises KeyError for a module that the profile lacks."""

    connection: sa.Connection
    policy: Policy
    name: str
    narrowed: Condition = field(default=ALWAYS)  # by which a choice or a related list is limited besides

    def __post_init__(self) -> None:
        if self.policy.access(self.name) is None:
            raise KeyError(self.name)

    @cached_property
    def module(self) -> Module:
        return self.policy.declaration.modules[self.name]

    @cached_property
    def access(self) -> Access:
        return self.policy.modules[self.name]

    @cached_property
    def table(self) -> sa.Table:
        return self.policy.tables.module(self.name)

    def of(self, module: str, narrowed: Condition = ALWAYS) -> "Records":
        """The records of another module for the same reader."""
        return Records(self.connection, self.policy, module, narrowed)

    def narrow(self, condition: Condition) -> "Records":
        """The same records, fewer of them."""
        return replace(self, narrowed=All((self.narrowed, condition)))

    # -- asking -----------------------------------------------------------------------------------------------------

    def get(self, identity: int) -> Record | None:
        """One record with every readable field; None for a foreign one as for a missing one."""
        found = self._load([self.table.c["id"] == identity], self._readable())
        return found[0] if found else None

    def rows(self, ids: Sequence[int], names: Iterable[str]) -> list[Record]:
        """Those of the records `ids` that are there for this reader, with the fields `names`."""
        return self._load([self.table.c["id"].in_(ids)], self._fields(names)) if ids else []

    def page(self, query: Query, names: Iterable[str] | None = None) -> Page:
        """The rows of one page, with the fields `names` (those of the list where none are given)."""
        fields = self._fields(self.access.list.columns if names is None else names)
        if query.text and search.parse(query.text).any:
            return self._searched(query, fields)
        return self._ordered(query, fields, [self._matching(query)])

    def count(self, query: Query) -> Count:
        """How many rows the same query has on all its pages."""
        words = search.parse(query.text)
        if query.text and words.any:
            if self._recheck:
                number = len(self._hits(query, None, "", search.CAP + 1))
            else:
                number = search.count(*self._search_arguments(query, words))
            return Count(min(number, search.CAP), number > search.CAP)
        rows = sa.select(sa.literal(1)).select_from(self.table).where(self._matching(query)).limit(COUNT_LIMIT + 1)
        number = self.connection.execute(sa.select(sa.func.count()).select_from(rows.subquery())).scalar_one()
        return Count(min(number, COUNT_LIMIT), number > COUNT_LIMIT)

    def each(self, query: Query, names: Iterable[str], size: int = 1000) -> Iterator[Record]:
        """Every row of `query`, page after page, for exports."""
        names, key = list(names), ""
        while True:
            page = self.page(replace(query, after=key, before="", size=size), names)
            yield from page.rows
            if not (key := page.next):
                return

    def find(self, text: str, limit: int = 20) -> list[tuple[int, str]]:
        """Ids and titles of the records to choose from whose title or reference contains `text`, by title."""
        title = self.module.title_field
        condition = sa.and_(self._where(ALWAYS), self._titled(text)) if text.strip() else self._where(ALWAYS)
        columns = self._columns([title])
        order = title.order(self.table)
        rows = self.connection.execute(sa.select(*columns).where(condition).order_by(order, self.table.c["id"]).limit(limit))
        return [(record.id, record.title) for record in self._records(rows.mappings(), [title])]

    def exists(self, identity: int) -> bool:
        """Whether the record is there for this reader, within what these records are narrowed to."""
        query = sa.select(sa.literal(1)).where(self._where(ALWAYS), self.table.c["id"] == identity)
        return self.connection.execute(query).first() is not None

    # -- the one query builder --------------------------------------------------------------------------------------

    def _where(self, condition: Condition) -> sa.ColumnElement[bool]:
        """Scope AND what the records are narrowed to AND what is asked."""
        asked = [where(part, self.table, self.module, self.policy.declaration, self.policy.reader) for part in (self.narrowed, condition)]
        return sa.and_(self.policy.scope(self.name), *asked)

    def _matching(self, query: Query) -> sa.ColumnElement[bool]:
        return self._where(query.condition)

    def _ordered(self, query: Query, fields: Sequence[Field], conditions: list[sa.ColumnElement[bool]]) -> Page:
        order = Order.of(self.module, self.table, query.sort or self.access.list.sort or ("-modified",), self.policy.readable(self.name))
        backwards = bool(query.before)
        position = order.position(query.before or query.after)
        if position is not None:
            conditions = [*conditions, order.beyond(position, backwards)]
        select = sa.select(*self._columns(fields), *order.columns).where(*conditions)
        rows = self.connection.execute(select.order_by(*order.clauses(backwards)).limit(query.size + 1)).mappings().all()
        more, rows = len(rows) > query.size, rows[: query.size]
        if backwards and position is not None:
            rows = rows[::-1]
            previous, following = more, True
        else:
            previous, following = position is not None, more
        return Page(
            self._records(rows, fields),
            next=order.key(rows[-1]) if following and rows else "",
            previous=order.key(rows[0]) if previous and rows else "",
            first=not previous,
        )

    def _load(self, conditions: list[sa.ColumnElement[bool]], fields: Sequence[Field]) -> list[Record]:
        select = sa.select(*self._columns(fields)).where(self._where(ALWAYS), *conditions)
        return self._records(self.connection.execute(select).mappings(), fields)

    def _fields(self, names: Iterable[str]) -> list[Field]:
        """The fields of `names` that may be read, the title always among them."""
        readable = self.policy.readable(self.name)
        wanted = dict.fromkeys([*names, self.module.title_field.name])
        return [self.module.field(name) for name in wanted if name in readable]

    def _readable(self) -> list[Field]:
        return self._fields(self.module.everything)

    def _columns(self, fields: Sequence[Field]) -> list[sa.ColumnElement[Any]]:
        columns: dict[str, sa.ColumnElement[Any]] = {name: self.table.c[name] for name in ("id", "reference", "_version")}
        for each in fields:
            if each.computed:
                columns[each.name] = each.expression(self.table).label(each.name)
            else:
                columns |= {column.name: self.table.c[column.name] for column in each.columns()}
        return list(columns.values())

    def _records(self, rows: Iterable[Mapping[str, Any]], fields: Sequence[Field]) -> list[Record]:
        rows = list(rows)
        values = [{each.name: each.load(row) for each in fields if not each.multiple or each.columns()} for row in rows]
        with_titles(self.connection, self.policy, self.name, fields, [row["id"] for row in rows], values)
        title = self.module.title_field
        reader = self.policy.reader
        return [
            Record(
                id=row["id"],
                module=self.name,
                reference=row["reference"] or "",
                version=row["_version"] or 0,
                values=found,
                title=title.show(found.get(title.name), reader) or row["reference"] or "",
            )
            for row, found in zip(rows, values, strict=True)
        ]

    def _titled(self, text: str) -> sa.ColumnElement[bool]:
        title, reference = self.module.title_field, self.module.field("reference")
        ways = [each.compare(self.table, "contains", text) for each in {title.name: title, "reference": reference}.values() if each.filter == "text"]
        return sa.or_(sa.false(), *ways)

    # -- the general search -----------------------------------------------------------------------------------------

    @cached_property
    def _staff_part(self) -> bool:
        return self.policy.staff and any(each.internal and each.searched for each in self.module.fields.values())

    @cached_property
    def _recheck(self) -> bool:
        """Whether the index may know words of this module that this reader may not read."""
        readable = self.policy.readable(self.name)
        hidden = (each for each in self.module.fields.values() if each.searched and each.stored and each.name not in readable)
        return any(self._staff_part or not each.internal for each in hidden)

    def _search_arguments(self, query: Query, words: search.Words) -> tuple[Any, ...]:
        scopes = self.policy.search_scopes(self.name)
        return self.connection, self.policy.tables.search, self.table, self.name, words, scopes, self._staff_part, self._matching(query)

    def _searched(self, query: Query, fields: Sequence[Field]) -> Page:
        if query.sort:
            hits = [record for _seq, record in self._hits(query, None, "", SORTED_HITS)]
            return self._ordered(query, fields, [self._matching(query), self.table.c["id"].in_(hits)])
        backwards = query.before.isdigit()
        position = int(query.before) if backwards else int(query.after) if query.after.isdigit() else None
        hits = self._hits(query, position, "after" if backwards else "before", query.size + 1)
        more, hits = len(hits) > query.size, hits[: query.size]
        if backwards:
            hits = hits[::-1]
        found = {record.id: record for record in self._load([self.table.c["id"].in_([identity for _seq, identity in hits])], fields)}
        previous, following = (more, True) if backwards else (position is not None, more)
        return Page(
            [found[identity] for _seq, identity in hits if identity in found],
            next=str(hits[-1][0]) if following and hits else "",
            previous=str(hits[0][0]) if previous and hits else "",
            first=not previous,
        )

    def _hits(self, query: Query, position: int | None, side: str, limit: int) -> list[tuple[int, int]]:
        """(seq, id) of the rows that match the text, nearest to `position` first; checked again on the readable fields."""
        arguments = self._search_arguments(query, search.parse(query.text))
        if not self._recheck:
            return search.page(*arguments, **{side: position} if side else {}, limit=limit)
        found: list[tuple[int, int]] = []
        while len(found) < limit:
            batch = search.page(*arguments, **{side or "before": position}, limit=max(limit, 100))
            found += self._still_matching(batch, arguments[4])
            if len(batch) < max(limit, 100):
                break
            position = batch[-1][0]
        return found[:limit]

    def _still_matching(self, hits: list[tuple[int, int]], words: search.Words) -> list[tuple[int, int]]:
        fields = [each for each in self._readable() if each.searched or each.name == "reference"]
        loaded = self._load([self.table.c["id"].in_([identity for _seq, identity in hits])], fields)
        matching = {
            record.id
            for record in loaded
            if words.match([text for each in fields for text in each.texts(record.values.get(each.name))])
        }
        return [hit for hit in hits if hit[1] in matching]

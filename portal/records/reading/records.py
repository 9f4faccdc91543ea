"""The rows of one module that one person may see: one record, a page of them, how many, which to choose from.

What is asked is built by statements.py, within what the policy lets the reader see; here it is executed and read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, AllOf, Condition
from portal.database.search import index as search
from portal.fields.base import Field
from portal.records.policy import Policy, system_policy
from portal.records.reading.counts import Count, parts_of, read_counts
from portal.records.reading.keyset import Order
from portal.records.reading.page import Page, Query, Record
from portal.records.reading.statements import OneModule, Statements, Wanted
from portal.records.reading.titles import with_titles
from portal.records.statement_cache import IDS, SIZE, Statement, declared, few_lengths, values_of

# So many rows, and fewer, are sorted as they are; more are walked along an index.
FEW = 1_000
# A typed text with another sort than “newest change first” sorts within this many of the newest hits.
SORTED_HITS = 2_000
# So many hits are counted where each has to be read and checked again.
RECHECKED = 200
LONGEST_TITLE = 1_000  # characters of what is looked for in titles; SQLite refuses patterns of 50,000 bytes

Counted = dict[tuple[str, tuple[Condition, ...]], Count]  # by text and conditions


@dataclass(frozen=True)
class Records(OneModule):
    """The records of `name` for the reader of `policy`. Raises KeyError for a module that the profile lacks."""

    connection: sa.Connection
    policy: Policy
    name: str
    narrowed: Condition = field(default=ALWAYS)  # by which a choice or a related list is limited besides
    _counted: Counted = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.policy.access(self.name) is None:
            raise KeyError(self.name)

    def of(self, module: str, narrowed: Condition = ALWAYS) -> "Records":
        """The records of another module for the same reader."""
        return Records(self.connection, self.policy, module, narrowed)

    def narrow(self, condition: Condition) -> "Records":
        """The same records, fewer of them."""
        return replace(self, narrowed=AllOf((self.narrowed, condition)))

    @property
    def as_system(self) -> "Records":
        """The records of the same module as the portal itself sees them: all of them, with every field."""
        policy = system_policy(self.policy.tables, self.policy.reader)
        return Records(self.connection, policy, self.name)

    # -- asking -----------------------------------------------------------------------------------------------------

    def get(self, identity: int) -> Record | None:
        """One record with every readable field; None for a foreign one as for a missing one."""
        found = self.rows([identity], self.module.everything)
        return found[0] if found else None

    def rows(self, ids: Sequence[int], names: Iterable[str]) -> list[Record]:
        """Those of the records `ids` that are there for this reader, with the fields `names`."""
        if not ids:
            return []
        fields = self._fields(names)
        statement = self._build(("by id", *(each.name for each in fields)), lambda each: each.by_id(fields))
        return self._records(self._execute(statement, **{IDS: few_lengths(ids)}), fields)

    def page(self, query: Query, names: Iterable[str] | None = None) -> Page:
        """The rows of one page, with the fields `names` (those of the list where none are given)."""
        fields = self._fields(self.access.list.columns if names is None else names)
        if search.parse_words(query.text):
            return self._searched(query, fields)
        return self._ordered(query, fields)

    def count(self, query: Query) -> Count:
        """How many rows the same query has on all its pages."""
        return self.counts([query])[0]

    def counts(self, queries: Sequence[Query]) -> list[Count]:
        """How many rows each of several queries has, counted once: what the declaration asks in one statement, what
        somebody typed in another, so that the first is the same for everybody."""
        keys = [
            (query.text if search.parse_words(query.text) else "", tuple(parts_of(query.condition)))
            for query in queries
        ]
        wanted = [key for key in dict.fromkeys(keys) if key not in self._counted]
        plain = [key for key in wanted if not key[0]]
        typed = [key for key in plain if declared(key[1]) is None]
        for together in ([key for key in plain if key not in typed], typed):
            self._count_rows(together)
        for text, parts in wanted:
            if text:
                self._counted[text, parts] = self._count_hits(Query(text, AllOf(parts)))
        return [self._counted[key] for key in keys]

    def _count_rows(self, keys: Sequence[tuple[str, tuple[Condition, ...]]]) -> None:
        asked = [parts for _text, parts in keys]
        if asked:
            statement = self._build(("counts",), lambda statements: statements.counting(asked), asked)
            self._counted.update(zip(keys, read_counts(self._execute(statement)), strict=True))

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
        statement = self._statements.titled(text[:LONGEST_TITLE], limit)
        rows = self._execute(statement)
        return [(record.id, record.title) for record in self._records(rows, [self.module.title_field])]

    def exists(self, identity: int) -> bool:
        """Whether the record is there for this reader, within what these records are narrowed to."""
        return bool(self._execute(self._build(("existing",), Statements.existing), **{IDS: [identity]}))

    def _count_hits(self, query: Query) -> Count:
        if self._recheck:
            return _count(self._hits(query, RECHECKED))
        return _count(search.count(self.connection, self._search(query)))

    # -- executing --------------------------------------------------------------------------------------------------

    @cached_property
    def _statements(self) -> Statements:
        return Statements(self.policy, self.name, self.connection.dialect.name, self.narrowed)

    @cached_property
    def _general(self) -> Statements | None:
        """The same for everybody of this profile, if there is such a thing."""
        general, told = self.policy.general, declared(parts_of(self.narrowed))
        if general is None or told is None:
            return None
        dialect = self.connection.dialect.name
        return general.kept.get(
            (self.name, dialect, told), lambda: Statements(general, self.name, dialect, self.narrowed)
        )

    def _build(
        self, key: tuple[Any, ...], build: Callable[[Statements], Any], conditions: Sequence[Iterable[Condition]] = ()
    ) -> Any:
        """What `build` gives: once for everybody, if it depends on `key` and `conditions` and on nothing else."""
        told = [declared(each) for each in conditions]
        kept = None if self._general is None or None in told else self._general.kept
        found = kept and kept.get((*key, *told), lambda: build(self._general))
        return build(self._statements) if found is None else found

    def _execute(self, statement: Statement, **values: Any) -> Sequence[sa.RowMapping]:
        return self.connection.execute(statement, {**values_of(self.policy.reader), **values}).mappings().all()

    # -- rows in order ----------------------------------------------------------------------------------------------

    def _ordered(self, query: Query, fields: Sequence[Field], among: Sequence[int] | None = None) -> Page:
        """A page of rows by their own values; `among`: only those of these ids."""
        sort = tuple(query.sort or self.access.list.sort or ("-modified",))
        order = self._order(sort)
        position = order.position(query.before or query.after)
        backwards = position is not None and bool(query.before)  # a key that cannot be read leads to the first page
        wanted = Wanted(order, fields, query.condition, position, backwards)
        values = {SIZE: query.size + 1, **({} if among is None else {IDS: list(among)})}
        key: tuple[Any, ...] = (sort, among is None, *(each.name for each in fields))
        if position is not None and (parameters := order.parameters()):
            values |= dict(zip(parameters, position, strict=True))
            wanted = replace(wanted, position=list(parameters.values()))
            key = (*key, "before" if backwards else "after")
        elif position is not None:
            key = ()
        walks = among is None and self._walks(order, query.condition)
        rows = self._walk(wanted, key, values) if walks else self._sort(wanted, key, values)
        more, rows = len(rows) > query.size, rows[: query.size]
        if backwards:
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

    def _order(self, sort: tuple[str, ...]) -> Order:
        readable = self.policy.readable(self.name)
        return self._build(("order", sort), lambda statements: Order.of(self.module, self.table, sort, readable))

    def _walks(self, order: Order, condition: Condition) -> bool:
        """Whether the rows are read along the index that has their order, each being asked whether it is meant: so
        it is where there are many. Few are found by another index, and sorted."""
        if (self._general or self._statements).branches is None or not order.is_indexed:
            return False
        asked = [*parts_of(self.access.where), *parts_of(self.narrowed), *parts_of(condition)]
        if order.simple and not asked:
            return True
        count = self.count(Query(condition=condition))
        return count.more or count.number > FEW

    def _walk(self, wanted: Wanted, key: tuple[Any, ...], values: dict[str, Any]) -> list[sa.RowMapping]:
        """The rows along an index; without a `key` the statements are those of this request alone."""
        rows: list[sa.RowMapping] = []
        stretches = self._statements.walked(wanted)
        if key:
            stretches = self._build(
                ("walked", *key), lambda statements: tuple(statements.walked(wanted)), [parts_of(wanted.condition)]
            )
        for stretch in stretches:
            rows += self._execute(stretch, **values | {SIZE: values[SIZE] - len(rows)})
            if len(rows) >= values[SIZE]:
                break
        return rows

    def _sort(self, wanted: Wanted, key: tuple[Any, ...], values: dict[str, Any]) -> Sequence[sa.RowMapping]:
        """The rows out of all that there are, or of those of `values`."""

        def build(statements: Statements) -> Statement:
            return statements.sorted(wanted, among=IDS in values)

        conditions = [parts_of(wanted.condition)]
        statement = self._build(("sorted", *key), build, conditions) if key else build(self._statements)
        return self._execute(statement, **values)

    def _fields(self, names: Iterable[str]) -> list[Field]:
        """The fields of `names` that may be read, the title always among them."""
        readable = self.policy.readable(self.name)
        wanted = dict.fromkeys([*names, self.module.title_field.name])
        return [self.module.field(name) for name in wanted if name in readable]

    def _records(self, rows: Iterable[Mapping[str, Any]], fields: Sequence[Field]) -> list[Record]:
        rows = list(rows)
        here = [each for each in fields if not each.multiple or each.columns()]  # the others stand in join tables
        values = [{each.name: each.load(row) for each in here} for row in rows]
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

    # -- the general search -----------------------------------------------------------------------------------------

    @cached_property
    def _staff_part(self) -> bool:
        return self.policy.staff and any(each.internal and each.searched for each in self.module.fields.values())

    @cached_property
    def _recheck(self) -> bool:
        """Whether the index may know words of this module that this reader may not read."""
        readable = self.policy.readable(self.name)
        hidden = (
            each for each in self.module.fields.values() if each.searched and each.stored and each.name not in readable
        )
        return any(self._staff_part or not each.internal for each in hidden)

    def _search(self, query: Query) -> search.Search:
        scopes = self.policy.search_scopes(self.name)
        return search.Search(
            self.policy.tables.search,
            self.table,
            search.parse_words(query.text),
            None if scopes is None else tuple(scopes),
            int(self._staff_part),
            self._statements.where(query.condition) if self._asks_more(query, scopes) else None,
        )

    def _asks_more(self, query: Query, scopes: Sequence[str] | None) -> bool:
        """Whether more is asked than words, and a scope that the index knows by its tokens."""
        said_by_tokens = scopes is not None or self.access.see == "all"
        if not said_by_tokens or self.access.where != ALWAYS or self.policy.records_from is not None:
            return True
        return any(True for part in (*parts_of(self.narrowed), *parts_of(query.condition)))

    def _searched(self, query: Query, fields: Sequence[Field]) -> Page:
        if query.sort:
            newest = [hit.record for hit in self._hits(query, SORTED_HITS).hits]
            return self._ordered(query, fields, newest)
        backwards = _is_number(query.before)
        key = int(query.before) if backwards else int(query.after) if _is_number(query.after) else None
        answer = self._hits(query, query.size + 1, key, backwards, search.COUNTED if key is None else 0)
        hits, more = answer.hits, len(answer.hits) > query.size
        hits = hits[1:] if backwards and more else hits[: query.size]
        if key is None and not (more and self._recheck):  # the first page knows how many there are
            self._counted[query.text, tuple(parts_of(query.condition))] = _count(answer)
        rows = self.rows([hit.record for hit in hits], [each.name for each in fields])
        found = {record.id: record for record in rows}
        previous, following = (more, True) if backwards else (key is not None, more)
        return Page(
            [found[hit.record] for hit in hits if hit.record in found],
            next=str(hits[-1].seq) if following and hits else "",
            previous=str(hits[0].seq) if previous and hits else "",
            first=not previous,
        )

    def _hits(
        self, query: Query, limit: int, key: int | None = None, backwards: bool = False, counted: int = 0
    ) -> search.SearchResult:
        """The hits next to `key`, newest change first; checked again where the index knows more than may be read."""
        asked = self._search(query)
        side = "after" if backwards else "before"
        if not self._recheck:
            return search.find(self.connection, asked, limit, **{side: key}, counted=counted)
        found: list[search.Hit] = []
        size = max(limit, 100)
        while len(found) < limit:
            batch = search.page(self.connection, asked, size, **{side: key})
            kept = self._still_matching(batch, asked.words)
            found = kept + found if backwards else found + kept
            if len(batch) < size:
                break
            key = batch[0].seq if backwards else batch[-1].seq
        found = found[-limit:] if backwards else found[:limit]
        return search.SearchResult(found, len(found), len(found) >= limit)

    def _still_matching(self, hits: list[search.Hit], words: search.Words) -> list[search.Hit]:
        fields = [each for each in self._fields(self.module.everything) if each.searched]
        matching = set()
        for record in self.rows([hit.record for hit in hits], [each.name for each in fields]):
            texts = [text for each in fields for text in each.texts(record.values.get(each.name))]
            if words.found_in(search.indexed_text(texts, record.reference)):
                matching.add(record.id)
        return [hit for hit in hits if hit.record in matching]


def _count(found: search.SearchResult) -> Count:
    most = search.COUNTED - 1
    return Count(min(found.number, most), found.more or found.number > most)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19

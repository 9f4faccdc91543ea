"""Pages of the records that a text finds, newest change first, and their number.

The search index finds them. If it may hold words of fields that this reader may not read, each hit is read and compared
again.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from portal.conditions import ALWAYS, AllOf, Condition, joined_conditions
from portal.database.search import index as search
from portal.database.search.search_request import Search, in_part
from portal.database.search.words import SearchWords, indexed_text, parse_words
from portal.fields.base import Field
from portal.records.reading.comment_texts import readable_texts
from portal.records.reading.count_statements import Count
from portal.records.reading.page_of_records import Page, Query, Record
from portal.records.reading.record_reader import RecordReader
from portal.records.statement_cache import IDS

# The text that is searched for, and the conditions.
HitsKey = tuple[str, tuple[Condition, ...]]

MOST_RECHECKED = 200  # hits that are counted if each must be compared again
RECHECKED_BATCH = 100


@dataclass(frozen=True)
class SearchPages:
    """The pages of a search among the records of `reader`."""

    reader: RecordReader
    known: dict[HitsKey, list[search.Hit]]  # the newest hits; kept by the Records

    def page(self, query: Query, fields: Sequence[Field]) -> tuple[Page, Count | None]:
        """The page of `query`, and the number of all hits if the page shows it (the first one does)."""
        position = self._place(query.before or query.after)
        backwards = position is not None and bool(query.before)
        if position is None:
            answer, count = self._first_hits(query)
        else:
            answer, count = self._hits(query, query.size + 1, position, backwards), None
        hits, more = answer.hits, len(answer.hits) > query.size
        hits = hits[1:] if backwards and more else hits[: query.size]
        records = self.reader.by_ids([hit.record for hit in hits], [field.name for field in fields])
        by_id = {record.id: record for record in records}
        previous, following = (more, True) if backwards else (position is not None, more)
        page = Page(
            [by_id[hit.record] for hit in hits if hit.record in by_id],
            next=str(hits[-1].record) if following and hits else "",
            previous=str(hits[0].record) if previous and hits else "",
            first=not previous,
        )
        return page, count

    def first_ids(self, query: Query) -> tuple[list[int], Count | None]:
        """The ids of the records of the first page, and the number of all hits if the page shows it."""
        answer, count = self._first_hits(query)
        return [hit.record for hit in answer.hits[: query.size]], count

    def _first_hits(self, query: Query) -> tuple[search.SearchResult, Count | None]:
        counted = self._among_known(query)
        answer = counted or self._hits(query, query.size + 1, counted=search.COUNTED)
        known = counted is not None or len(answer.hits) <= query.size or not self._must_recheck
        return answer, Count.of_hits(answer.number, answer.more) if known else None

    def _place(self, key: str) -> int | None:
        """The place of a record in the order of changes; None if the reader may not see it. A page's key is the id of
        its last record: the place itself would reveal how much changes elsewhere."""
        if not _is_number(key) or not self.reader.exists(int(key)):
            return None
        table = self.reader.policy.tables.search
        here = in_part(table, self.reader.name, int(self._searches_internal))
        return self.reader.connection.scalar(sa.select(table.c["seq"]).where(*here, table.c["record"] == int(key)))

    def request(self, text: str) -> Search | None:
        """The index search for `text`; None if only the module's table says whom a record belongs to."""
        request = self._search(Query(text))
        return None if request.scopes is None and request.visible is not None else request

    @property
    def index_says_all(self) -> bool:
        """Whether the words and the scope in the index alone decide what is a hit."""
        scopes = self.reader.policy.search_scopes(self.reader.name)
        return self.reader.narrowed == ALWAYS and not self._must_recheck and not self._needs_scope(scopes)

    def newest(self, query: Query, limit: int) -> list[int]:
        """The ids of the newest hits."""
        hits = self._hits(query, limit).hits
        if limit > self.most_counted:
            self.known[query.text, tuple(joined_conditions(query.condition))] = hits
        return [hit.record for hit in hits]

    def _among_known(self, query: Query) -> search.SearchResult | None:
        """The hits of `query` among those already counted for a query with fewer conditions; None if there is none."""
        parts = tuple(joined_conditions(query.condition))
        for (text, conditions), hits in self.known.items():
            rest = tuple(part for part in parts if part not in conditions)
            complete = len(hits) <= self.most_counted
            if text != query.text or not set(conditions) <= set(parts) or (rest and not complete):
                continue
            hits = self._fulfilling(rest, hits) if rest else hits
            return search.SearchResult(hits, min(len(hits), self.most_counted), more=not complete)
        return None

    def _fulfilling(self, conditions: tuple[Condition, ...], hits: list[search.Hit]) -> list[search.Hit]:
        key = self.reader.key("hits", conditions=(conditions,))
        statement = self.reader.build(key, lambda statements: statements.fulfilling(conditions))
        rows = self.reader.execute(statement, **{IDS: [hit.record for hit in hits]})
        ids = {row["id"] for row in rows}
        return [hit for hit in hits if hit.record in ids]

    def count(self, query: Query) -> Count:
        """How many hits there are."""
        if self._must_recheck:
            counted = self._hits(query, MOST_RECHECKED)
        else:
            counted = search.count(self.reader.connection, self._search(query))
        return Count.of_hits(counted.number, counted.more)

    @property
    def most_counted(self) -> int:
        """How many of the newest hits are tested when other conditions are counted."""
        return MOST_RECHECKED if self._must_recheck else search.COUNTED - 1

    @cached_property
    def _searches_internal(self) -> bool:
        module = self.reader.module
        fields = [field for field in module.fields.values() if field.searched]
        columns = [column for field in fields for column in field.row_fields.values() if column.searched]
        has_internal = bool(module.comments) or any(field.internal for field in (*fields, *columns))
        return self.reader.policy.staff and has_internal

    @cached_property
    def _must_recheck(self) -> bool:
        """Whether the index may hold words that this reader may not read: of fields, or titles of `links`."""
        readable = self.reader.policy.readable(self.reader.name)
        return any(
            field.name not in readable or any(map(self._may_hide_titles, (field, *field.row_fields.values())))
            for field in self.reader.module.fields.values()
            if field.searched and (self._searches_internal or not field.internal)
        )

    def _may_hide_titles(self, field: Field) -> bool:
        """Whether the reader may be unable to see some of the records that the field links to, and so their titles."""
        return field.in_join_table and not self.reader.policy.sees_all(field.targets[0])

    def _search(self, query: Query) -> Search:
        scopes = self.reader.policy.search_scopes(self.reader.name)
        return Search(
            self.reader.policy.tables.search,
            self.reader.table,
            parse_words(query.text),
            None if scopes is None else tuple(scopes),
            int(self._searches_internal),
            self._condition(query),
            self.reader.policy.scope(self.reader.name) if self._needs_scope(scopes) else None,
        )

    def _condition(self, query: Query) -> sa.ColumnElement[bool] | None:
        """What the rows must fulfill in addition to the scope; None for nothing."""
        parts = (*joined_conditions(self.reader.narrowed), *joined_conditions(query.condition))
        return self.reader.statements.where(AllOf(parts)) if parts else None

    def _needs_scope(self, scopes: Sequence[str] | None) -> bool:
        """Whether the tokens do not express the whole scope."""
        policy, access = self.reader.policy, self.reader.access
        has_tokens = scopes is not None or access.see == "all"
        return not has_tokens or access.where != ALWAYS or policy.hides_older(self.reader.name)

    def _hits(
        self, query: Query, limit: int, position: int | None = None, backwards: bool = False, counted: int = 0
    ) -> search.SearchResult:
        """The hits next to `position`, newest change first; `counted`: the limit up to which all are counted too."""
        request = self._search(query)
        side = "after" if backwards else "before"
        if not self._must_recheck:
            return search.find(self.reader.connection, request, limit, **{side: position}, counted=counted)
        hits: list[search.Hit] = []
        size = max(limit, RECHECKED_BATCH)
        while len(hits) < limit:
            batch = search.page(self.reader.connection, request, size, **{side: position})
            readable = self._with_readable_words(batch, request.words)
            hits = readable + hits if backwards else hits + readable
            if len(batch) < size:
                break
            position = batch[0].seq if backwards else batch[-1].seq
        hits = hits[-limit:] if backwards else hits[:limit]
        return search.SearchResult(hits, len(hits), len(hits) >= limit)

    def _with_readable_words(self, hits: list[search.Hit], words: SearchWords) -> list[search.Hit]:
        fields = [field for field in self.reader.readable_fields(self.reader.module.everything) if field.searched]
        matching, ids = set(), [hit.record for hit in hits]
        reader = self.reader
        comments = readable_texts(reader.connection, reader.policy, reader.module, ids)
        indexed = functools.cache(lambda text: indexed_text([text]))  # many records share options and titles
        for record in self.reader.by_ids(ids, [field.name for field in fields]):
            texts = itertools.chain(_texts(fields, record), comments.get(record.id, ()))
            if words.match(itertools.chain([indexed_text([], record.reference)], map(indexed, texts))):
                matching.add(record.id)
        return [hit for hit in hits if hit.record in matching]


def _texts(fields: Sequence[Field], record: Record) -> Iterator[str]:
    for field in fields:
        value = record.values.get(field.name)
        yield from field.texts(value)
        yield from field.internal_texts(value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19

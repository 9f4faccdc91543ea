"""The records of one module that one reader may see: single records, pages, counts, and choices for links.

Used by the other layers. Statements are built by statements.py, within what the policy lets the reader see.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from portal.conditions import ALWAYS, AllOf, Condition
from portal.database.existing_tables.search import has_words, words_condition
from portal.database.search import index as search
from portal.database.search.search_request import Newest, Search
from portal.database.search.words import parse_words
from portal.records.policy import system_policy
from portal.records.reading.count_statements import Count
from portal.records.reading.ordered_pages import OrderedPages
from portal.records.reading.page_of_records import Page, Query, Record
from portal.records.reading.record_counts import CountKey, RecordCounts
from portal.records.reading.record_reader import RecordReader
from portal.records.reading.search_pages import HitsKey, SearchPages
from portal.texts import fold

__all__ = ["Count", "Page", "Query", "Record", "Records"]

# Hits of a search in an order other than “newest change first”: this many of the newest are sorted.
SORTED_HITS = 2_000
LARGE_FOR = datetime.timedelta(minutes=1)
LONGEST_TITLE = 1_000  # characters that are searched for in titles; SQLite refuses patterns of 50,000 bytes


@dataclass(frozen=True)
class Records(RecordReader):
    """The records of `name` for the reader of `policy`, as other layers use them. Raises KeyError for a module that the
    profile lacks."""

    _known_hits: dict[HitsKey, list[search.Hit]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _known_counts: dict[CountKey, Count] = field(default_factory=dict, init=False, compare=False, repr=False)

    def of(self, module: str, narrowed: Condition = ALWAYS) -> "Records":
        """The records of another module for the same reader."""
        return Records(self.connection, self.policy, module, narrowed)

    @property
    def form_module(self) -> str:
        """The module whose forms contain the fields of these records."""
        return self.name

    def narrow(self, condition: Condition) -> "Records":
        """These records, restricted to those that fulfill `condition`."""
        return replace(self, narrowed=AllOf((self.narrowed, condition)))

    @property
    def as_system(self) -> "Records":
        """The records of the same module as the portal itself sees them: all of them, with every field."""
        policy = system_policy(self.policy.tables, self.policy.reader)
        return Records(self.connection, policy, self.name)

    def page(self, query: Query, names: Iterable[str] | None = None) -> Page:
        """The records of one page, with the fields `names` (by default the columns of the list)."""
        fields = self.readable_fields(self.access.list.columns or () if names is None else names)
        query = self._searched_here(query)
        if not parse_words(query.text):
            page = self._ordered.page(query, fields)
            if page.first and not page.next:  # counting would read them again, and might stop early in a large table
                self._counts.remember(query, Count(len(page.records)))
            return page
        if query.sort:
            return self._ordered.page(query, fields, among=self._search.newest(query, SORTED_HITS))
        page, count = self._search.page(query, fields)
        if count is not None:
            self._counts.remember(query, count)
        return page

    def first_ids(self, query: Query) -> list[int]:
        """The ids of the records on the first page of `query`."""
        here = self._searched_here(query)
        if not self._is_by_change(here):
            return [record.id for record in self.page(query, []).records]
        ids, count = self._search.first_ids(here)
        if count is not None:
            self._counts.remember(here, count)
        return ids

    def place(self, query: Query, record_id: int) -> str:
        """The current place of a record in the list of `query`, as a key for `beside`."""
        query = self._searched_here(query)
        return str(record_id) if self._is_by_change(query) else self._ordered.place(query, record_id)

    def beside(self, query: Query, record_id: int, place: str, backwards: bool) -> Record | None:
        """The record after a place in the list, or before it; never the record `record_id` itself, which may have moved
        since it was there. An unknown place means the record's current one."""
        query = self._searched_here(query)
        if self._is_by_change(query) or not self._ordered.has_place(query, place):
            place = self.place(query, record_id)
        if not place:
            return None
        after, before = ("", place) if backwards else (place, "")
        page = self.page(replace(query, size=2, after=after, before=before), [])
        others = [record for record in page.records if record.id != record_id]
        if not others:
            return None
        return others[-1] if backwards else others[0]

    def _searched_here(self, query: Query) -> Query:
        """The query that searches for words in the table itself if it is an existing one: the index lacks its rows."""
        words = parse_words(query.text) if self.module.table is not None else None
        if not words:
            return query
        names = sorted(name for name in self.policy.readable(self.name) if has_words(self.module.field(name)))
        return replace(query, text="", condition=AllOf((query.condition, words_condition(words.needles, names))))

    def _is_by_change(self, query: Query) -> bool:
        """Whether the list consists of the hits of a search, newest change first."""
        return bool(parse_words(query.text)) and not query.sort

    def iterate(self, query: Query, names: Iterable[str], size: int = 1000) -> Iterator[Record]:
        """Every record of `query`, read page after page of `size` records."""
        names, key = list(names), ""
        while True:
            page = self.page(replace(query, after=key, before="", size=size), names)
            yield from page.records
            if not (key := page.next):
                return

    def count(self, query: Query) -> Count:
        """How many records `query` has on all its pages."""
        return self.counts([query])[0]

    def counts(self, queries: Sequence[Query]) -> list[Count]:
        """How many records each of several queries has, in as few statements as possible."""
        return self._counts.of([self._searched_here(query) for query in queries])

    def counts_of_hits(self, query: Query, conditions: Sequence[Condition]) -> list[Count]:
        """How many hits of a search fulfill each condition, among the newest thousand, in one statement."""
        rows = self._searched_here(query)
        return self._counts.of_hits(query, conditions) if rows is query else self._counts.within(rows, conditions)

    def index_request(self, text: str) -> Search | None:
        """The search for `text` in the index; None if the index does not hold these records or whom they belong to, or
        the text has no word."""
        return self._search.request(text) if self.module.table is None and parse_words(text) else None

    def ids_of(self, query: Query, newest: Newest) -> list[int]:
        """What `first_ids` returns; `newest`: what the index found for `index_request`, and possibly more."""
        if not newest.number:
            return []
        if not self._search.index_says_all:
            return self.first_ids(query)
        self._counts.remember(query, Count.of_hits(newest.number, newest.more))
        return newest.records

    def find(self, text: str, limit: int = 20) -> list[tuple[int, str]]:
        """Ids and titles of the first `limit` records whose title or reference contains every word of `text`, by
        title."""
        key = None if text.strip() else self.key("titled", size=limit)
        statement = self.build(key, lambda statements: statements.titled(text[:LONGEST_TITLE], limit))
        records = self.load(self.execute(statement), [self.module.title_field])
        return [(record.id, record.title) for record in records]

    def all_if_few(self, most: int) -> list[Record] | None:
        """All records by title, if there are at most `most`; else None.

        For readers who see all of a module, “more” is remembered for a minute.
        """
        large, now = self.policy.tables.large, self.policy.reader.now
        whole = self.policy.sees_all(self.name) and self.narrowed == ALWAYS
        if whole and (seen := large.get((self.name, most))) and now - LARGE_FOR < seen <= now:
            return None
        statement = self.build(self.key(f"first {most + 1}"), lambda statements: statements.first(most + 1))
        rows = self.execute(statement)
        if len(rows) > most:
            if whole:
                large[self.name, most] = now
            return None
        return sorted(self.load(rows, [self.module.title_field]), key=lambda record: (fold(record.title), record.id))

    @property
    def _search(self) -> SearchPages:
        return SearchPages(self, self._known_hits)

    @property
    def _counts(self) -> RecordCounts:
        return RecordCounts(self, self._search, self._known_counts)

    @property
    def _ordered(self) -> OrderedPages:
        return OrderedPages(self, self._counts)

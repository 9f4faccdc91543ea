"""How many records each of several queries has, each counted once in the lifetime of one Records."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.conditions import AllOf, Condition, joined_conditions
from portal.database.search.words import parse_words
from portal.records.reading.count_statements import COUNT_LIMIT, Count, read_counts
from portal.records.reading.page_of_records import Query
from portal.records.reading.record_reader import RecordReader
from portal.records.reading.search_pages import SearchPages
from portal.records.statement_cache import may_be_shared

# What is counted: the text that is searched for, and the conditions.
CountKey = tuple[str, tuple[Condition, ...]]


@dataclass(frozen=True)
class RecordCounts:
    """Counts the records of `reader` that several queries have."""

    reader: RecordReader
    search: SearchPages
    known: dict[CountKey, Count]  # kept by the Records

    def of(self, queries: Sequence[Query]) -> list[Count]:
        """How many rows each query has on all its pages.

        Declared conditions are counted by one statement, typed ones by another, so that the first can be shared.
        """
        keys = [_key(query) for query in queries]
        unknown = [key for key in dict.fromkeys(keys) if key not in self.known]
        ordered = [key for key in unknown if not key[0]]
        shared = [key for key in ordered if may_be_shared(key[1])]
        for together in (shared, [key for key in ordered if key not in shared]):
            self._count_rows(together)
        for text, conditions in unknown:
            if text:
                self.known[text, conditions] = self.search.count(Query(text, AllOf(conditions)))
        return [self.known[key] for key in keys]

    def of_hits(self, query: Query, conditions: Sequence[Condition]) -> list[Count]:
        """How many of the newest hits of `query` fulfill each condition; `more` if there are older hits."""
        if not conditions or not parse_words(query.text):
            return self.of([Query(condition=AllOf((query.condition, condition))) for condition in conditions])
        limit = self.search.most_counted
        ids = self.search.newest(query, limit + 1)
        return [Count(number, len(ids) > limit) for number in self.reader.counts_among(ids[:limit], conditions)]

    def within(self, query: Query, conditions: Sequence[Condition]) -> list[Count]:
        """How many rows of `query` fulfill each condition, in one pass over all of them."""
        if not conditions:
            return []
        statement = self.reader.statements.counting_within(query.condition, conditions)
        (numbers,) = self.reader.execute(statement)
        counts = [numbers[f"count_{place}"] for place in range(len(conditions))]
        return [Count(min(number, COUNT_LIMIT), number > COUNT_LIMIT) for number in counts]

    def remember(self, query: Query, count: Count) -> None:
        """Keeps the count of a query that is known from its page."""
        self.known[_key(query)] = count

    def _count_rows(self, keys: Sequence[CountKey]) -> None:
        if not keys:
            return
        conditions = tuple(self.reader.with_parameters(conditions) for _text, conditions in keys)
        key = self.reader.key("counts", conditions=conditions)
        statement = self.reader.build(key, lambda statements: statements.counting(conditions))
        self.known.update(zip(keys, read_counts(self.reader.execute(statement)), strict=True))


def _key(query: Query) -> CountKey:
    return query.text if parse_words(query.text) else "", tuple(joined_conditions(query.condition))

"""The search index on PostgreSQL: a GIN index over the words, and a choice for each search, because GIN has no order.

Called by index.py only. Common words are searched in the newest rows of the scope, which B-tree indexes give in order;
rare ones by the GIN index. Which is which is known from the frequencies that ANALYZE collects. Left to its own planner,
PostgreSQL took up to 8 seconds for a search in a million rows; with this choice it takes 1 to 25 ms.
"""

import bisect
import contextlib
import itertools
import math
import time
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, distinct_on

from portal.database.search.request import BATCH_SIZE, Candidates, PageStart, Search, Term
from portal.database.sql import Among

INDEX = "portal_search_words"
NEWEST = "portal_search_seq"
BY_OWNER = {"_p": "portal_search_by_person", "_o": "portal_search_by_organization"}  # by the prefix of their tokens
OUTDATED = ("portal_search_newest", "portal_search_person", "portal_search_organization")  # of the version before
WATCHER = "_w"  # the prefix of their tokens
INDEXES = (INDEX, NEWEST, *BY_OWNER.values(), *OUTDATED)
STATISTICS_LIFETIME = 60  # seconds for which frequencies are cached
UNKNOWN_FREQUENCY = 0.0005  # the assumed share of rows with a word that ANALYZE did not collect
MAX_BRANCHES = 10  # tokens of a scope whose rows are read one branch each
MIN_FIRST_WINDOW, MAX_FIRST_WINDOW = 300, 2_000  # rows

# Costs in milliseconds, measured: a row scanned in order, a row scanned within a scope, a row fetched by the GIN index,
# an entry read in the GIN index.
SCANNED_ROW, SCOPED_ROW, FETCHED_ROW, READ_ENTRY = 0.0008, 0.0014, 0.0026, 0.00015

MAX_MATCHING = 20.0  # milliseconds for the rows of all modules

# The expression of the GIN index. PostgreSQL uses the index only for an expression that is written exactly like this.
_WORDS_SQL = "array_to_tsvector(string_to_array(btrim(portal_search.scope || portal_search.text), ' '))"
_words: sa.ColumnElement[Any] = sa.literal_column(_WORDS_SQL)
# The owner of a row that has one token of the kind; '' for a row with several, which is shared.
_OWNER_SQL = (
    "(CASE WHEN portal_search.scope ~ '_p[0-9]+ _p|_o[0-9]+ _o' THEN ''"
    " ELSE substring(portal_search.scope, ' ({}[0-9]+)') END)"
)


@dataclass(frozen=True)
class _Statistics:
    """What ANALYZE collected about the words of the index."""

    at: float
    rows: float
    frequencies: dict[str, float]
    words: list[str]  # those of the frequencies, sorted

    def selectivity(self, term: Term) -> float:
        """The estimated share of rows that have the term."""
        if term.whole:
            return self.frequency(term.word)
        first = bisect.bisect_left(self.words, term.word)
        words = itertools.takewhile(lambda word: word.startswith(term.word), itertools.islice(self.words, first, None))
        return min(1.0, sum(self.frequencies[word] for word in words) or UNKNOWN_FREQUENCY)

    def frequency(self, word: str) -> float:
        """The estimated share of rows that have exactly this word."""
        return self.frequencies.get(word, UNKNOWN_FREQUENCY)


@dataclass(frozen=True)
class _Criterion:
    """One thing that a hit must have: a term (`needle` is its text), or a token of the scope (`needle` is None)."""

    tsquery: str
    needle: str | None
    selectivity: float

    def test(self, search: Search) -> sa.ColumnElement[bool]:
        """The criterion as a test of one row."""
        return search.has_token(*(search.scopes or ())) if self.needle is None else search.contains(self.needle)


@dataclass(frozen=True)
class _Estimate:
    """The estimated costs of a search in milliseconds: `by_index` for all hits, `row` for each row that is scanned.

    `rows` can be scanned, and a share of `selectivity` of them are hits.
    """

    by_index: float
    row: float
    rows: float
    selectivity: float

    def rows_for(self, hits: float) -> float:
        """How many rows must be scanned for so many hits."""
        return min(self.rows, hits / self.selectivity)


# By pool, which all engines of one database share.
_statistics: weakref.WeakKeyDictionary[sa.Pool, _Statistics] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Create what is missing, and remove what another version has created."""
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(OUTDATED)}")
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {INDEX} ON portal_search USING gin (({_WORDS_SQL}))")
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {NEWEST} ON portal_search (module, seq)")
    for kind, name in BY_OWNER.items():
        columns = f"module, {_OWNER_SQL.format(kind)}, seq"
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON portal_search ({columns})")


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(INDEXES)}")


def rebuild(connection: sa.Connection) -> None:
    """Fill the index again from the texts."""
    connection.exec_driver_sql(f"REINDEX INDEX {INDEX}")
    _analyze(connection)


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """Many texts are written inside: the statistics are refreshed afterwards."""
    yield
    _analyze(connection)


def _analyze(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ANALYZE portal_search")
    _statistics.pop(connection.engine.pool, None)


def first_window(connection: sa.Connection, search: Search, limit: int, counted: int) -> int:
    """How many of the newest rows are scanned first; 0 if the index costs less.

    A window is at least as large as the hits that are counted: scanning that many rows takes a millisecond, finding
    that many hits ten.
    """
    estimate = _estimate(search, _cached_statistics(connection))
    needed = estimate.rows_for(limit)
    if needed * estimate.row > estimate.by_index:
        return 0
    return int(min(max(needed * 1.5, counted, MIN_FIRST_WINDOW), MAX_FIRST_WINDOW))


def next_window(connection: sa.Connection, search: Search, limit: int, scanned: int, hits: int) -> int:
    """The size of the next window, as large as the hits so far promise to be enough; 0 if the index costs less."""
    estimate = _estimate(search, _cached_statistics(connection))
    needed = (limit - hits) * scanned / max(hits, 1)
    return 0 if min(needed, estimate.rows) * estimate.row > estimate.by_index else int(max(1000, needed * 1.3))


def _estimate(search: Search, statistics: _Statistics) -> _Estimate:
    criteria = _criteria(search, statistics)
    indexed, by_index = _choose_indexed(criteria, statistics)
    selectivity = math.prod(criterion.selectivity for criterion in criteria)
    if not indexed:
        return _Estimate(math.inf, SCANNED_ROW, statistics.rows, selectivity)
    if not _owner_tokens(search):
        return _Estimate(by_index, SCANNED_ROW, statistics.rows, selectivity)
    of_scope = criteria[0].selectivity
    return _Estimate(by_index, SCOPED_ROW, of_scope * statistics.rows, selectivity / of_scope)


def _owner_tokens(search: Search) -> tuple[str, ...]:
    """The tokens of the scope if its rows are read owner by owner, watcher by watcher; () if all of the module are."""
    scopes = search.scopes or ()
    return scopes if len(scopes) <= MAX_BRANCHES else ()


def window_candidates(search: Search, start: PageStart) -> Candidates:
    """The next rows of the module, or of the scope in it, each tested for all criteria."""
    places = tuple(map(search.needles.index, search.words.needles))
    tokens = _owner_tokens(search)
    cache_key: tuple[Any, ...]
    if not tokens:
        cache_key = ("all", len(search.scopes or ()), search.scopes is None, places)
        return Candidates(lambda: _visible_rows(search, start).limit(BATCH_SIZE), {}, cache_key)
    owners = {f"owner_{place}": token for place, token in enumerate(tokens) if token[:2] in BY_OWNER}
    watchers = {f"watcher_{place}": int(token[2:]) for place, token in enumerate(tokens) if token[:2] == WATCHER}
    cache_key = ("scope", tuple(token[:2] for token in tokens), places)
    return Candidates(lambda: _rows_of_people(search, start, owners, watchers), {**owners, **watchers}, cache_key)


def _visible_rows(search: Search, start: PageStart) -> sa.Select[tuple[int, int, bool]]:
    rows = _tested_rows(search, start, [search.contains(needle) for needle in search.words.needles])
    return rows if search.scopes is None else rows.where(search.has_token(*search.scopes))


def _rows_of_people(
    search: Search, start: PageStart, owners: dict[str, str], watchers: Iterable[str]
) -> sa.Select[tuple[int, int, bool]]:
    """The rows of each owner and the shared rows, each read in order by an index, and the few of each watcher, merged.

    `owners`: parameter → token; `watchers`: parameters.
    """
    tests = [search.contains(needle) for needle in search.words.needles]
    branches = [
        _tested_rows(search, start, tests).where(_owner(token[:2]) == sa.bindparam(name, type_=sa.Text()))
        for name, token in owners.items()
    ]
    branches += [_tested_rows(search, start, tests).where(_watched(search, name)) for name in watchers]
    shared = _tested_rows(search, start, search.index_tests()).where(_owner("_p") == sa.literal_column("''"))
    parts = [sa.select(branch.limit(BATCH_SIZE).subquery()) for branch in (*branches, shared)]
    rows = sa.union_all(*parts).subquery("rows_of_scope")
    # One row may belong to a person and to the person's company, and be watched.
    return start.order(sa.select(rows).ext(distinct_on(rows.c["seq"])), rows.c["seq"]).limit(BATCH_SIZE)


def _watched(search: Search, parameter: str) -> sa.ColumnElement[bool]:
    """The rows of the records to which a person was added."""
    watcher = search.table.metadata.tables["portal_watcher"]
    person = sa.bindparam(parameter, type_=sa.BigInteger())
    records = sa.select(watcher.c["record"]).where(
        watcher.c["module"] == search.module.name, watcher.c["person"] == person
    )
    return Among(search.table.c["record"], records.scalar_subquery())


def _owner(kind: str) -> sa.ColumnElement[str]:
    return sa.literal_column(_OWNER_SQL.format(kind), sa.Text())


def _tested_rows(
    search: Search, start: PageStart, tests: list[sa.ColumnElement[bool]]
) -> sa.Select[tuple[int, int, bool]]:
    is_hit = sa.and_(sa.true(), *tests, *search.condition_tests(search.table)).label("is_hit")
    rows = search.rows().add_columns(is_hit).where(*search.visible_tests(search.table))
    return start.limit(rows, search.table.c["seq"])


def index_candidates(connection: sa.Connection, search: Search, start: PageStart) -> Candidates:
    """The hits by the GIN index, however far away they are: it finds the rare criteria, the others are tested."""
    statistics = _cached_statistics(connection)
    criteria = _criteria(search, statistics)
    indexed, _cost = _choose_indexed(criteria, statistics)
    if not indexed:
        return Candidates(lambda: _rows_with_condition(search, start), {}, ("condition",))
    tested = [criterion for criterion in criteria if criterion not in indexed]
    places = tuple(map(criteria.index, tested))
    cache_key = ("index", places, len(criteria), len(search.words.phrases), len(search.tokens))
    tsquery = " & ".join(criterion.tsquery for criterion in indexed)
    return Candidates(lambda: _rows_by_index(search, start, tested), {"tsquery": tsquery}, cache_key)


def matches(connection: sa.Connection, search: Search, most: int) -> sa.Select[Any] | None:
    """A statement for up to `most` rows of all modules with the words; None where the index has too many."""
    statistics = _cached_statistics(connection)
    criteria = _criteria(search, statistics)
    indexed, cost = _choose_indexed(criteria, statistics)
    expected = math.prod(criterion.selectivity for criterion in criteria) * statistics.rows
    if expected > most or cost > MAX_MATCHING:
        return None
    tsquery = sa.cast(sa.bindparam("tsquery", type_=sa.Text()), TSQUERY)
    columns = [search.table.c[name] for name in ("seq", "module", "record", "part", "scope")]
    tests = [criterion.test(search) for criterion in criteria if criterion not in indexed]
    rows = sa.select(*columns, sa.true()).where(_words.op("@@", is_comparison=True)(tsquery))
    rows = rows.where(*tests, *map(search.contains, search.words.phrases)).limit(most)
    return rows.params(tsquery=" & ".join(criterion.tsquery for criterion in indexed))


def _rows_with_condition(search: Search, start: PageStart) -> sa.Select[tuple[int, int, bool]]:
    rows = _tested_rows(search, start, []).where(*search.condition_tests(search.table))
    return rows.limit(BATCH_SIZE)


def _rows_by_index(search: Search, start: PageStart, tested: list[_Criterion]) -> sa.Select[tuple[int, int, bool]]:
    tsquery = sa.cast(sa.bindparam("tsquery", type_=sa.Text()), TSQUERY)
    hits = (
        sa.select(search.table.c["seq"], search.table.c["record"])
        # Not by the columns module and part: PostgreSQL would read all of their index as well.
        .where(_words.op("@@", is_comparison=True)(tsquery), search.has_token(search.module_token))
        .where(*(criterion.test(search) for criterion in tested), *map(search.contains, search.words.phrases))
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    rows = sa.select(hits.c["seq"], hits.c["record"], sa.true().label("is_hit")).where(
        *search.visible_tests(hits), *search.condition_tests(hits)
    )
    return start.limit(rows, hits.c["seq"]).limit(BATCH_SIZE)


def _choose_indexed(criteria: list[_Criterion], statistics: _Statistics) -> tuple[list[_Criterion], float]:
    """The criteria for which the GIN index is asked, rarest first, and the cost in milliseconds.

    One more is added if reading its entries takes less than fetching the rows that it rules out.
    """
    indexed: list[_Criterion] = []
    fetched, cost = statistics.rows, 0.0
    for criterion in sorted(criteria, key=lambda criterion: criterion.selectivity):
        reading = criterion.selectivity * statistics.rows * READ_ENTRY
        if not indexed or reading < fetched * (1 - criterion.selectivity) * FETCHED_ROW:
            indexed, fetched, cost = [*indexed, criterion], fetched * criterion.selectivity, cost + reading
    return indexed, cost + fetched * FETCHED_ROW


def _criteria(search: Search, statistics: _Statistics) -> list[_Criterion]:
    """The scope, if there is one, then the terms."""
    terms = [_Criterion(_tsquery(term), term.needle, statistics.selectivity(term)) for term in search.words.terms]
    if search.scopes is None:
        return terms
    tsquery = "(" + " | ".join(f"'{token}'" for token in search.scopes) + ")"
    selectivity = sum(map(statistics.frequency, search.scopes))
    return [_Criterion(tsquery, None, min(1.0, selectivity)), *terms]


def _tsquery(term: Term) -> str:
    return f"'{term.word}'" if term.whole else f"'{term.word}':*"


def _cached_statistics(connection: sa.Connection) -> _Statistics:
    statistics = _statistics.get(connection.engine.pool)
    if statistics is None or time.monotonic() - statistics.at > STATISTICS_LIFETIME:
        statistics = _read_statistics(connection)
        _statistics[connection.engine.pool] = statistics
    return statistics


def _read_statistics(connection: sa.Connection) -> _Statistics:
    collected = connection.execute(
        sa.text(
            "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats"
            " WHERE tablename = :name AND schemaname = current_schema()"
        ),
        {"name": INDEX},
    ).one_or_none()
    rows = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('portal_search')"))
    # The frequencies are followed by their minimum and maximum, which belong to no word.
    frequencies = dict(zip(collected[0], collected[1], strict=False)) if collected and collected[0] else {}
    return _Statistics(time.monotonic(), max(rows or 0.0, 0.0), frequencies, sorted(frequencies))

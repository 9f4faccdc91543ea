"""The search index on PostgreSQL: a GIN index over the tokens of each row, read era by era, because GIN has no order.

Called only by index.py. A row's tokens are its scope, its words and their prefixes of 2 to 8 letters, each with the
number of its *long era*: the range of 262,144 values of `seq` that contains the row. A typed word is thus one index
entry for each long era. Shorter eras, down to 1,024 values, are tokens of their own, for words that are too frequent in
a long era; GIN finds rows with all words of an era by skipping through the lists of rows. Longer prefixes, phrases and
whole words are tested in the text.

A search is one statement, which walks from era to era until the page is full: the next era is longer if the last had
few hits, and if one has too many, a shorter one is read instead. The statistics of ANALYZE only decide where the walk
begins. After the newest eras without hits, longer ones are skipped; the first era with a hit is read in parts.

The index is created while the portal runs; until it exists, the rows are read in order and each is tested.
"""

import contextlib
import math
import time
import weakref
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from portal.database.fetching import Row, fetch
from portal.database.postgresql import schema_of, try_lock, unlock
from portal.database.search.search_request import (
    BATCH_SIZE,
    Candidates,
    Newest,
    PageStart,
    Progress,
    Search,
    other_part,
    shared_statement,
)
from portal.database.search.walk import (
    ERA_BITS,
    EXPECTED_HITS,
    EXPECTED_OF_LONGEST,
    INDEX,
    LONGEST,
    LONGEST_OF_COMMON,
    MAX_PREFIX,
    SHORT,
    SHORTEST,
    TOKENS_SQL,
    VALUES_PER_MODULE,
    needle_parameter,
    required_parameter,
    rows_of_eras,
    text_tests,
    walk_eras,
)

OUTDATED = (  # of earlier versions
    "portal_search_words", "portal_search_seq", "portal_search_by_person", "portal_search_by_organization",
    "portal_search_newest", "portal_search_person", "portal_search_organization", "portal_search_tokens",
)  # fmt: skip
INDEXES = (INDEX, *OUTDATED)
BUILDING = 7_022_601_119  # the advisory lock of the process that makes the index; any number that nobody else uses
FEW_ROWS = 20_000  # that are indexed at once: it takes ten seconds at most
# Kilobytes of written rows that wait until a writer sorts a hundred of them into the index: every search reads the
# waiting ones, and that writer takes 30 ms longer.
PENDING = 256

STATISTICS_LIFETIME = 60  # seconds for which frequencies are cached
# The assumed share of rows with a token that is not among the thousand most frequent ones that ANALYZE collects: it may
# be one of the next.
COMMON_UNKNOWN = 0.01
LARGE_MODULE = 0.5  # of all rows, above which the module is tested in each hit instead of in the index
# Candidates in a window if each must be tested for a condition.
FIRST_TESTED, NEXT_TESTED = 150, 2000

# An expression would take far longer. If you change the function, rename it, which creates a new index.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {INDEX}(scope text, words text, seq bigint) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
SELECT ARRAY(
  SELECT token || '@' || (seq >> {LONGEST}) FROM unnest(string_to_array(btrim(scope), ' ') || ARRAY(
    SELECT left(word, size) FROM unnest(string_to_array(btrim(words), ' ')) word, generate_series(2, {MAX_PREFIX}) size
    WHERE size <= greatest(length(word), 2) AND word <> '_'
  )) token
) || ARRAY(
  SELECT '_e' || bits || '_' || (seq >> bits)
  FROM generate_series({ERA_BITS[0]}, {ERA_BITS[-2]}, {ERA_BITS.step}) bits
) $$
"""  # noqa: S608


@dataclass(frozen=True)
class _Statistics:
    """The statistics of ANALYZE about the tokens: the share of `rows` with each, in any era."""

    at: float
    complete: bool  # whether the index is usable
    rows: float
    frequencies: dict[str, float]

    def selectivity(self, search: Search, unknown: float) -> float:
        """The estimated share of rows with the words and within the scope."""
        share = math.prod(self.frequencies.get(token, unknown) for token in _required(search, self))
        if search.scopes is None:
            return share
        return share * min(1.0, sum(self.frequencies.get(token, unknown) for token in search.scopes))


# By pool, which is shared by all engines of one database, and by schema.
_statistics: weakref.WeakKeyDictionary[sa.Pool, dict[str, _Statistics]] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Creates the GIN index immediately if there are few rows; otherwise `finish` creates it."""
    if is_complete(connection) or _has_many_rows(connection):
        return
    connection.exec_driver_sql(_FUNCTION)
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(INDEXES)}")
    connection.exec_driver_sql(_create_index())
    _forget_statistics(connection)


def finish(engine: sa.Engine) -> None:
    """Creates the GIN index while others read and write, and removes those of other versions, in only one process."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if not try_lock(connection, BUILDING):
            return
        try:
            if not is_complete(connection):
                connection.exec_driver_sql(_FUNCTION)
                connection.exec_driver_sql(f"DROP INDEX IF EXISTS {INDEX}")  # of an unfinished build
                connection.exec_driver_sql(_create_index("CONCURRENTLY"))
                _analyze(connection)
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(OUTDATED)}")
        finally:
            unlock(connection, BUILDING)


def is_complete(connection: sa.Connection) -> bool:
    """Whether the GIN index exists and is usable."""
    valid = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(connection.scalar(valid, {"name": INDEX}))


def is_finished(connection: sa.Connection) -> bool:
    """Whether the GIN index exists, and none of another version."""
    outdated = sa.text("SELECT count(to_regclass(name)) FROM unnest(CAST(:names AS text[])) AS name")
    return is_complete(connection) and not connection.scalar(outdated, {"names": list(OUTDATED)})


def _has_many_rows(connection: sa.Connection) -> bool:
    rows = sa.text("SELECT count(*) FROM (SELECT 1 FROM portal_search LIMIT :few) few")
    return connection.scalar(rows, {"few": FEW_ROWS}) == FEW_ROWS


def _create_index(how: str = "") -> str:
    settings = f"WITH (gin_pending_list_limit = {PENDING})"
    return f"CREATE INDEX {how} {INDEX} ON portal_search USING gin (({TOKENS_SQL})) {settings}"


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows of the search table on PostgreSQL in order, many per statement: each statement plans the function of
    the index again, which takes longer than writing a row."""
    connection.execute(table.insert().returning(table.c["seq"], sort_by_parameter_order=True), rows)


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """PostgreSQL's part of `index.filling`: refreshes the statistics after many texts were written in the block."""
    yield
    _analyze(connection)


def _analyze(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ANALYZE portal_search")
    _forget_statistics(connection)


def _forget_statistics(connection: sa.Connection) -> None:
    _statistics.pop(connection.engine.pool, None)


def next_window(connection: sa.Connection, search: Search, needed: int, progress: Progress) -> int:
    """How many matches to read next from GIN: as many as the hits needed; more if each is tested for a condition."""
    if search.condition is None:
        return needed
    return max(needed, NEXT_TESTED if progress.scanned else FIRST_TESTED)


def candidates(connection: sa.Connection, search: Search, start: PageStart, window: int | None) -> Candidates:
    """The next rows that GIN finds, each with whether it fulfills the condition; without a window, all rows that do."""
    statistics = _cached_statistics(connection)
    cache_key: tuple[Any, ...]
    if not statistics.complete:
        scopes = None if search.scopes is None else len(search.scopes)
        cache_key = ("tested", scopes, window is None, *map(search.needles.index, search.words.needles))
        return Candidates(lambda: _tested_rows(search, start, window is not None), {}, cache_key)
    required = _required(search, statistics)
    cache_key = (search.scopes is None, window is None, len(required), len(text_tests(search)))
    build = _hits if window is None else _matches
    parameters = _walk_parameters(search, statistics, required)
    return Candidates(lambda: build(search, start, len(required)), parameters, cache_key)


def _matches(search: Search, start: PageStart, required: int) -> sa.Select[tuple[int, int, bool]]:
    rows = rows_of_eras(walk_eras(search, start, required, BATCH_SIZE))
    is_hit = sa.and_(sa.true(), *search.condition_tests(rows)).label("is_hit")
    return start.order(sa.select(rows.c["seq"], rows.c["record"], is_hit), rows.c["seq"]).limit(BATCH_SIZE)


def _hits(search: Search, start: PageStart, required: int) -> sa.Select[tuple[int, int, bool]]:
    rows = rows_of_eras(walk_eras(search, start, required, None))
    hits = sa.select(rows.c["seq"], rows.c["record"], sa.true().label("is_hit"))
    return start.order(hits.where(*search.condition_tests(rows)), rows.c["seq"]).limit(BATCH_SIZE)


def answered_by_newest(connection: sa.Connection, searches: Sequence[Search]) -> list[Search]:
    """The searches that `newest` answers on PostgreSQL: none while the index is missing."""
    return list(searches) if _cached_statistics(connection).complete else []


def newest(connection: sa.Connection, searches: Sequence[Search], limit: int, counted: int) -> list[Newest]:
    """The newest `limit` hits of each search on PostgreSQL, and their number up to `counted`; see index.newest.

    One statement for searches with scopes, another for those without.
    """
    answers: dict[Search, Newest] = {}
    for with_scopes in (True, False):
        alike = [search for search in searches if (search.scopes is not None) is with_scopes]
        if alike:
            rows = _newest_rows(connection, alike, limit, counted)
            hits = [
                Newest(row["records"] or [], min(row["number"], counted), more=row["number"] >= counted) for row in rows
            ]
            answers.update(zip(alike, hits, strict=True))
    return [answers[search] for search in searches]


def _newest_rows(connection: sa.Connection, searches: Sequence[Search], limit: int, counted: int) -> Sequence[Row]:
    """A row with the newest hits of each search on PostgreSQL; either all of them have scopes, or none."""
    statistics, first = _cached_statistics(connection), searches[0]
    words = _word_tokens(first)
    key = ("newest", first.scopes is None, len(words), len(text_tests(first)), limit)
    statement = shared_statement(first, key, lambda: _newest_statement(first, len(words), limit))
    parameters = _walk_parameters(first, statistics, words) | _of_modules(searches, statistics)
    return fetch(connection, statement, parameters | {"before": None, "counted": counted})


def _newest_statement(search: Search, words: int, limit: int) -> sa.Select[Any]:
    """The walk on PostgreSQL for each row of `searches`: the modules, each with its differing values."""
    arrays = [sa.bindparam(f"search_{name}", type_=ARRAY(type_)) for name, type_ in VALUES_PER_MODULE.items()]
    table = sa.func.unnest(*arrays).table_valued(*VALUES_PER_MODULE, with_ordinality="place").render_derived("searches")
    rows = rows_of_eras(
        walk_eras(search, PageStart(), words, sa.bindparam("counted", type_=sa.Integer()), of_modules=True)
    )
    newest_records = f"(array_agg(hits_of_eras.record ORDER BY hits_of_eras.seq DESC))[1:{limit}]"
    records = sa.literal_column(newest_records, ARRAY(sa.BigInteger())).label("records")
    hits = sa.select(sa.func.count().label("number"), records).select_from(rows).lateral("hits")
    statement = sa.select(table.c["place"], hits.c["number"], hits.c["records"])
    return statement.select_from(table.join(hits, sa.true())).order_by(table.c["place"])


def _of_modules(searches: Sequence[Search], statistics: _Statistics) -> dict[str, list[Any]]:
    """The values of `VALUES_PER_MODULE` for several searches on PostgreSQL."""
    walks = [_walk_parameters(search, statistics, []) for search in searches]
    return {
        "search_token": [_required(search, statistics)[0] for search in searches],
        "search_module": [search.module.name for search in searches],
        "search_other_part": [other_part(search.part) for search in searches],
        "search_scopes": [walk.get("scopes") for walk in walks],
        "search_bits": [walk["bits"] for walk in walks],
        "search_longest": [walk["longest"] for walk in walks],
    }


def _tested_rows(search: Search, start: PageStart, in_window: bool) -> sa.Select[tuple[int, int, bool]]:
    is_hit = sa.and_(sa.true(), *search.condition_tests(search.table))
    rows = search.rows().add_columns(is_hit.label("is_hit")).where(*search.index_tests())
    rows = rows.where(*search.visible_tests(search.table), *([] if in_window else [is_hit]))
    return start.limit(rows, search.table.c["seq"]).limit(BATCH_SIZE)


def _walk_parameters(search: Search, statistics: _Statistics, required: Sequence[str]) -> dict[str, Any]:
    share = statistics.selectivity(search, COMMON_UNKNOWN)
    bits = max((bits for bits in ERA_BITS if share * (1 << bits) <= EXPECTED_HITS), default=SHORTEST)
    if share * (1 << LONGEST) <= EXPECTED_OF_LONGEST:
        bits = LONGEST
    parameters: dict[str, Any] = {required_parameter(place).key: token for place, token in enumerate(required)}
    parameters |= {needle_parameter(place).key: needle for place, needle in enumerate(text_tests(search))}
    parameters |= {"bits": bits, "longest": LONGEST if bits > SHORT else LONGEST_OF_COMMON}
    return parameters if search.scopes is None else parameters | {"scopes": "@ ".join(search.scopes) + "@"}


def _required(search: Search, statistics: _Statistics) -> list[str]:
    """The tokens that GIN requires of every hit: words, and the module if it is rarer than many words."""
    words = _word_tokens(search)
    if words and statistics.frequencies.get(search.module_token, 0.0) >= LARGE_MODULE:
        return words
    return [search.module_token, *words]


def _word_tokens(search: Search) -> list[str]:
    return list(dict.fromkeys(term.word[:MAX_PREFIX] for term in search.words.terms))


def _cached_statistics(connection: sa.Connection) -> _Statistics:
    of_pool = _statistics.setdefault(connection.engine.pool, {})
    schema = schema_of(connection)
    statistics = of_pool.get(schema)
    if statistics is None or time.monotonic() - statistics.at > STATISTICS_LIFETIME:
        statistics = of_pool[schema] = _read_statistics(connection)
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
    frequencies: dict[str, float] = defaultdict(float)
    if collected and collected[0]:
        # The frequencies are followed by their minimum and maximum, which do not belong to tokens.
        for token, frequency in zip(collected[0], collected[1], strict=False):
            frequencies[token.partition("@")[0]] += frequency
    return _Statistics(time.monotonic(), is_complete(connection), max(rows or 0.0, 0.0), dict(frequencies))

"""The search index on PostgreSQL: a GIN index over the tokens of each row, read era by era, because GIN has no order.

Called by index.py only. A row's tokens are its scope, its words, their beginnings of 2 to 8 letters, and its *eras*:
numbers of stretches of `seq`, from 1,024 to four million rows long. A typed beginning is thus one entry of the index,
and a search asks it for rows with all words of the newest era, which GIN finds by leaping from one list of rows to the
other; then for older eras, until the page is full. Longer beginnings, phrases and whole words are tested in the text.

While the index is missing, which is made beside a running portal, the rows are read in order and each is tested.
"""

import contextlib
import math
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from portal.database.postgresql import schema_of
from portal.database.search.request import BATCH_SIZE, Candidates, PageStart, Progress, Search, Term, Window

INDEX = "portal_search_tokens"
OUTDATED = (  # of the versions before
    "portal_search_words", "portal_search_seq", "portal_search_by_person", "portal_search_by_organization",
    "portal_search_newest", "portal_search_person", "portal_search_organization",
)  # fmt: skip
INDEXES = (INDEX, *OUTDATED)
MAX_PREFIX = 8
OWN_LOCK = ":lock + hashtext(current_schema())"  # portals in schemas of one database have an index each
BUILDING = 7_022_601_119  # the advisory lock of who makes the index; any number that nobody else uses
FEW_ROWS = 20_000  # that are indexed at once: it takes ten seconds at most
# Rows that are written wait here, in kilobytes, for a writer who sorts a hundred of them in at once: every search reads
# what waits, and that writer takes 30 ms longer.
PENDING = 256

STATISTICS_LIFETIME = 60  # seconds for which frequencies are cached
UNKNOWN_FREQUENCY = 0.0002  # the assumed share of rows with a token that ANALYZE did not collect
ERA_BITS = range(10, 23, 2)  # an era of each kind is so many powers of two long
LONGEST_ERA = 1 << ERA_BITS[-1]  # many more rows than can be written while statistics are cached
FINENESS = 8  # a window consists of about so many eras of its finest kind
GROWTH = 8  # how many times longer than the last the next window is at most
# Hits that are read in the first window, where each must be tested for a condition, and in any other.
FIRST_TESTED, NEXT_WINDOW = 150, 2000
ROWS_OF_ALL = 4  # times as many hits as needed are read at once instead of era by era

# An expression would take far longer. Whoever changes the function gives it another name, and so makes a new index.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {INDEX}(scope text, words text, seq bigint) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
SELECT string_to_array(btrim(scope), ' ') || ARRAY(
  SELECT left(word, size) FROM unnest(string_to_array(btrim(words), ' ')) word, generate_series(2, {MAX_PREFIX}) size
  WHERE size <= greatest(length(word), 2) AND word <> '_'
) || ARRAY(
  SELECT '_e' || bits || '_' || (seq >> bits)
  FROM generate_series({ERA_BITS[0]}, {ERA_BITS[-1]}, {ERA_BITS.step}) bits
) $$
"""  # noqa: S608
# PostgreSQL uses the index only for an expression that is written exactly like this. “C” compares bytes.
_TOKENS_SQL = f'({INDEX}(portal_search.scope, portal_search.text, portal_search.seq) COLLATE "C")'
_tokens: sa.ColumnElement[Any] = sa.literal_column(_TOKENS_SQL, ARRAY(sa.Text()))


@dataclass(frozen=True)
class _Statistics:
    """What ANALYZE collected about the tokens. `rows` of the table, the greatest `newest` of their seqs."""

    at: float
    complete: bool  # whether the index can be used
    rows: float
    newest: int
    frequencies: dict[str, float]

    def selectivity(self, search: Search) -> float:
        """The estimated share of rows that have the words and are within the scope."""
        share = math.prod(self.frequencies.get(token, UNKNOWN_FREQUENCY) for token in _required(search))
        if search.scopes is None:
            return share
        return share * min(1.0, sum(self.frequencies.get(token, UNKNOWN_FREQUENCY) for token in search.scopes))


# By pool, which all engines of one database share, and by schema.
_statistics: weakref.WeakKeyDictionary[sa.Pool, dict[str, _Statistics]] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Create what is missing at once beside few rows; beside many, `finish` creates it."""
    if is_complete(connection) or _has_many_rows(connection):
        return
    connection.exec_driver_sql(_FUNCTION)
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(INDEXES)}")
    connection.exec_driver_sql(_create_index())
    _forget_statistics(connection)


def finish(engine: sa.Engine) -> None:
    """Create the index while others read and write, and remove those of another version. One process does it."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        lock = {"lock": BUILDING}
        if not connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({OWN_LOCK})"), lock):
            return
        try:
            if not is_complete(connection):
                connection.exec_driver_sql(_FUNCTION)
                connection.exec_driver_sql(f"DROP INDEX IF EXISTS {INDEX}")  # of a build that did not end
                connection.exec_driver_sql(_create_index("CONCURRENTLY"))
                _analyze(connection)
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(OUTDATED)}")
        finally:
            connection.execute(sa.text(f"SELECT pg_advisory_unlock({OWN_LOCK})"), lock)


def is_complete(connection: sa.Connection) -> bool:
    """Whether the index is there and can be used."""
    valid = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(connection.scalar(valid, {"name": INDEX}))


def _has_many_rows(connection: sa.Connection) -> bool:
    rows = sa.text("SELECT count(*) FROM (SELECT 1 FROM portal_search LIMIT :few) few")
    return connection.scalar(rows, {"few": FEW_ROWS}) == FEW_ROWS


def _create_index(how: str = "") -> str:
    settings = f"WITH (gin_pending_list_limit = {PENDING})"
    return f"CREATE INDEX {how} {INDEX} ON portal_search USING gin (({_TOKENS_SQL})) {settings}"


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(INDEXES)}")
    _forget_statistics(connection)


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
    _forget_statistics(connection)


def _forget_statistics(connection: sa.Connection) -> None:
    _statistics.pop(connection.engine.pool, None)


def next_window(connection: sa.Connection, search: Search, start: PageStart, wanted: int, progress: Progress) -> Window:
    """The eras in which so many hits more are to be expected."""
    statistics = _cached_statistics(connection)
    if not statistics.complete:
        return Window(wanted)
    tested, first = bool(search.condition_tests(search.table)), not progress.span
    size = max(wanted, FIRST_TESTED if tested else 0) if first else max(wanted, NEXT_WINDOW)
    span = _span(search, statistics, size if tested else wanted, progress)
    before = start.before if start.before is not None else statistics.newest + 1
    if start.oldest_first:
        edge = (start.after or 0) + span
        return Window(size, _rounded(edge, span, up=True), span) if edge <= statistics.newest else Window(size)
    edge = _rounded(before - span, span, up=False)
    return Window(size, edge, span) if edge > 0 else Window(size)


def _span(search: Search, statistics: _Statistics, hits: int, progress: Progress) -> int:
    """How many numbers of `seq` are expected to hold so many hits."""
    if progress.span:
        growth = hits * 1.3 / progress.scanned_last if progress.scanned_last else GROWTH
        return int(progress.span * max(1.0, min(GROWTH, growth)))
    density = min(1.0, statistics.rows / statistics.newest) if statistics.newest else 1.0
    share = statistics.selectivity(search) * density
    if share * statistics.newest < ROWS_OF_ALL * hits:
        return statistics.newest + LONGEST_ERA
    return max(1 << ERA_BITS[0], int(hits * 1.3 / share))


def _bits(span: int) -> int:
    """The kind of eras of which a window of `span` is made."""
    return max((bits for bits in ERA_BITS if FINENESS << bits <= span), default=ERA_BITS[0])


def _rounded(edge: int, span: int, up: bool) -> int:
    bits = _bits(span)
    return (edge >> bits) + up << bits


def _eras(first: int, end: int) -> list[str]:
    """The tokens of the fewest eras that hold every seq from `first` to before `end`, and perhaps some beyond `end`.

    `first` is where an era of the finest kind begins.
    """
    tokens: list[str] = []
    while first < end:
        fitting = [bits for bits in ERA_BITS if not first & (1 << bits) - 1 and first + (1 << bits) <= end]
        bits = max(fitting, default=ERA_BITS[0])
        tokens.append(f"_e{bits}_{first >> bits}")
        first += 1 << bits
    return tokens


def candidates(connection: sa.Connection, search: Search, start: PageStart, window: Window | None) -> Candidates:
    """The hits of the window, newest first, each with whether it fulfils the condition; all the rest without one."""
    statistics = _cached_statistics(connection)
    cache_key: tuple[Any, ...]
    if not statistics.complete:
        scopes = None if search.scopes is None else len(search.scopes)
        cache_key = ("tested", scopes, _places(search, search.words.needles))
        return Candidates(lambda: _tested_rows(search, start), {}, cache_key)
    parameters: dict[str, Any] = {"required": _required(search)}
    if search.scopes is not None:
        parameters["scopes"] = list(search.scopes)
    if window and window.edge is not None:
        parameters["eras"] = _eras_between(start, window.edge, statistics)
    names = tuple(parameters)
    cache_key = (*names, _places(search, _text_tests(search)))
    return Candidates(lambda: _rows_by_index(search, start, names), parameters, cache_key)


def _eras_between(start: PageStart, edge: int, statistics: _Statistics) -> list[str]:
    finest = (1 << ERA_BITS[0]) - 1
    if start.oldest_first:
        return _eras((start.after or 0) & ~finest, edge)
    if start.before is not None:
        return _eras(edge, start.before)
    return _eras(edge, ((statistics.newest >> ERA_BITS[-1]) + 2) * LONGEST_ERA)  # with what was written meanwhile


def matches(connection: sa.Connection, search: Search, most: int) -> sa.Select[Any] | None:
    """A statement for up to `most` rows of all modules with the words; None where the index has too many."""
    statistics = _cached_statistics(connection)
    if not statistics.complete or statistics.selectivity(search) * statistics.rows > most:
        return None
    columns = [search.table.c[name] for name in ("seq", "module", "record", "part", "scope")]
    rows = sa.select(*columns, sa.true()).where(_has_all("required"), *map(search.contains, _text_tests(search)))
    return rows.limit(most).params(required=_required(search))


def _tested_rows(search: Search, start: PageStart) -> sa.Select[tuple[int, int, bool]]:
    is_hit = sa.and_(sa.true(), *search.condition_tests(search.table)).label("is_hit")
    rows = search.rows().add_columns(is_hit).where(*search.index_tests(), *search.visible_tests(search.table))
    return start.limit(rows, search.table.c["seq"]).limit(BATCH_SIZE)


def _rows_by_index(search: Search, start: PageStart, parameters: Sequence[str]) -> sa.Select[tuple[int, int, bool]]:
    # Neither ordered within nor by the columns module and part: PostgreSQL might read another index.
    rows = sa.select(search.table.c["seq"], search.table.c["record"]).where(_has_all("required"))
    rows = rows.where(*(_has_any(name) for name in parameters[1:]), *map(search.contains, _text_tests(search)))
    hits = rows.cte("hits").prefix_with("MATERIALIZED")
    is_hit = sa.and_(sa.true(), *search.condition_tests(hits)).label("is_hit")
    select = sa.select(hits.c["seq"], hits.c["record"], is_hit).where(*search.visible_tests(hits))
    return start.limit(select, hits.c["seq"]).limit(BATCH_SIZE)


def _has_all(name: str) -> sa.ColumnElement[bool]:
    return _tokens.op("@>", is_comparison=True)(_unknown(name))


def _has_any(name: str) -> sa.ColumnElement[bool]:
    return _tokens.op("&&", is_comparison=True)(_unknown(name))


def _unknown(name: str) -> sa.ColumnElement[Any]:
    """A parameter whose value the planner cannot know: for tokens of most rows it would not use the index, but work out
    the tokens of every row."""
    return sa.select(sa.bindparam(name, type_=ARRAY(sa.Text()))).scalar_subquery()


def _required(search: Search) -> list[str]:
    """The tokens that every hit has: module and words."""
    module = [] if search.module is search.table else [search.module_token]
    return [*module, *dict.fromkeys(term.word[:MAX_PREFIX] for term in search.words.terms)]


def _text_tests(search: Search) -> tuple[str, ...]:
    """What the index does not hold, and is tested in the text: phrases, long beginnings and whole words."""
    tested = [term.needle for term in search.words.terms if _is_tested(term)]
    return (*dict.fromkeys(tested), *search.words.phrases)


def _places(search: Search, needles: Sequence[str]) -> tuple[int, ...]:
    return tuple(map(search.needles.index, needles))


def _is_tested(term: Term) -> bool:
    return len(term.word) > MAX_PREFIX or (term.whole and len(term.word) > 1)


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
    rows, newest = connection.execute(
        sa.text(
            "SELECT (SELECT reltuples FROM pg_class WHERE oid = to_regclass('portal_search')),"
            " (SELECT max(seq) FROM portal_search)"
        )
    ).one()
    # The frequencies are followed by their minimum and maximum, which belong to no token.
    frequencies = dict(zip(collected[0], collected[1], strict=False)) if collected and collected[0] else {}
    return _Statistics(time.monotonic(), is_complete(connection), max(rows or 0.0, 0.0), newest or 0, frequencies)

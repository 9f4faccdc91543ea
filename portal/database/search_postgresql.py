"""The search index on PostgreSQL: GIN over the words, and a plan for each search, because GIN knows no order.

Called by search.py only. Common words are looked for in the newest rows, rare ones by the index; which is which is
known from the frequencies that ANALYZE keeps. Left to itself PostgreSQL took up to 8 seconds for a search in a
million rows, planned it takes 1 to 70 ms.
"""

import contextlib
import math
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from portal.database.search_request import Search, Term, Way

INDEX = "portal_search_words"
NEWEST = "portal_search_newest"
KEPT = 60  # seconds for which frequencies are taken as they were
MOST_SCANNED = 20_000
RARE = 0.001  # of all rows
LESS_RARE = 0.003
# Milliseconds, measured: a row looked at in the order of its change, a row fetched by the index, an entry read in it.
SCANNED_ROW, FETCHED_ROW, READ_ENTRY = 0.003, 0.0026, 0.001

# Must stay as it is written, or the index is not used: PostgreSQL compares expressions by their form.
_WORDS = "array_to_tsvector(string_to_array(btrim(portal_search.scope || portal_search.text), ' '))"
_words = sa.literal_column(_WORDS)


@dataclass(frozen=True)
class _Statistics:
    at: float
    rows: float
    frequencies: dict[str, float]

    def share(self, term: Term) -> float:
        """The share of rows that have the term; 0 for what is too rare to be counted."""
        if term.whole:
            return self.frequencies.get(term.word, 0.0)
        return min(1.0, sum(share for word, share in self.frequencies.items() if word.startswith(term.word)))


@dataclass(frozen=True)
class _Demand:
    """A thing that a row must have: as a question to the index, as a test of the row, and how many rows have it."""

    question: str
    test: sa.ColumnElement[bool]
    share: float


# By pool, which all engines of one database share whatever their options.
_statistics: weakref.WeakKeyDictionary[sa.Pool, _Statistics] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Make what is missing."""
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {INDEX} ON portal_search USING gin (({_WORDS}))")
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {NEWEST} ON portal_search (module, part, seq)")


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {INDEX}, {NEWEST}")


def rebuild(connection: sa.Connection) -> None:
    """Make the index anew from the texts."""
    connection.exec_driver_sql(f"REINDEX INDEX {INDEX}")
    _analyze(connection)


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """Many texts are written inside: their words are counted afterwards."""
    yield
    _analyze(connection)


def _analyze(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ANALYZE portal_search")
    _statistics.pop(connection.engine.pool, None)


def looks_around_first(connection: sa.Connection, search: Search, limit: int) -> bool:
    """Whether the newest rows are looked at before the index is asked: not when its answer costs less."""
    statistics = _known_statistics(connection)
    shares = [demand.share for demand in _demands(search, statistics)]
    if not shares:
        return True
    found = math.prod(max(share, 0.0001) for share in shares)
    by_scan = limit / found * SCANNED_ROW
    by_index = min(shares) * statistics.rows * FETCHED_ROW
    by_index += sum(share for share in shares if share < LESS_RARE) * statistics.rows * READ_ENTRY
    return min(shares) >= RARE and by_scan <= by_index


def window(search: Search, way: Way, size: int) -> sa.Select[tuple[int, int, bool]]:
    """The next `size` rows of the module: seq, record, and whether all that was asked holds."""
    holds = sa.and_(sa.true(), *search.tests(), *search.holds(search.table)).label("holds")
    return way.along(search.rows().add_columns(holds), search.table.c["seq"]).limit(size)


def rest(connection: sa.Connection, search: Search, way: Way, limit: int) -> sa.Select[tuple[int, int]]:
    """The next `limit` hits by the index: it is asked for what is rare, its answer is tested for the rest."""
    demands = sorted(_demands(search, _known_statistics(connection)), key=lambda demand: demand.share)
    if not demands:
        return way.along(search.rows().where(*search.holds(search.table)), search.table.c["seq"]).limit(limit)
    asked = [demand for place, demand in enumerate(demands) if place == 0 or demand.share < LESS_RARE]
    question = sa.cast(" & ".join(demand.question for demand in asked), TSQUERY)
    hits = (
        sa.select(search.table.c["seq"], search.table.c["record"])
        # Not by the columns module and part: their index would be read as well, all of it.
        .where(_words.op("@@", is_comparison=True)(question), search.bears(search.token))
        .where(*(demand.test for demand in demands if demand not in asked), *map(search.has, search.words.phrases))
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    return way.along(sa.select(hits.c["seq"], hits.c["record"]).where(*search.holds(hits)), hits.c["seq"]).limit(limit)


def count(search: Search, cap: int) -> None:
    """There is no quicker way here than to find them."""


def _demands(search: Search, statistics: _Statistics) -> list[_Demand]:
    terms = [_Demand(_question(term), search.has(term.needle), statistics.share(term)) for term in search.words.terms]
    if search.scopes is None:
        return terms
    question = "(" + " | ".join(f"'{token}'" for token in search.scopes) + ")"
    share = sum(statistics.frequencies.get(token, 0.0) for token in search.scopes)
    return [_Demand(question, search.bears(*search.scopes), min(1.0, share)), *terms]


def _question(term: Term) -> str:
    return f"'{term.word}'" if term.whole else f"'{term.word}':*"


def _known_statistics(connection: sa.Connection) -> _Statistics:
    known = _statistics.get(connection.engine.pool)
    if known is None or time.monotonic() - known.at > KEPT:
        known = _read_statistics(connection)
        _statistics[connection.engine.pool] = known
    return known


def _read_statistics(connection: sa.Connection) -> _Statistics:
    found = connection.execute(
        sa.text(
            "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats"
            " WHERE tablename = :name AND schemaname = current_schema()"
        ),
        {"name": INDEX},
    ).one_or_none()
    rows = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('portal_search')"))
    # The frequencies are followed by the least and the greatest of them, for which there is no word.
    frequencies = dict(zip(found[0], found[1], strict=False)) if found and found[0] else {}
    return _Statistics(time.monotonic(), max(rows or 0.0, 0.0), frequencies)

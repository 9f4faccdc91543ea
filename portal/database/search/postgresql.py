"""The search index on PostgreSQL: GIN over the words, and a plan for each search, because GIN knows no order.

Called by search.py only. Common words are looked for in the newest rows of the scope, which indexes of their own give
in order; rare ones by the index of words. Which is which is known from the frequencies that ANALYZE keeps. Left to
itself PostgreSQL took up to 8 seconds for a search in a million rows, planned it takes 1 to 25 ms.
"""

import bisect
import contextlib
import itertools
import math
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, distinct_on

from portal.database.search.request import BATCH_SIZE, Candidates, Direction, Search, Term

INDEX = "portal_search_words"
NEWEST = "portal_search_newest"
BY_OWNER = {"_p": "portal_search_person", "_o": "portal_search_organization"}  # by how their tokens begin
INDEXES = (INDEX, NEWEST, *BY_OWNER.values())
KEPT = 60  # seconds for which frequencies are taken as they were
UNCOUNTED = 0.0005  # the share of rows that a word is taken to have when ANALYZE did not count it
MOST_BRANCHES = 10  # tokens of a scope whose rows are looked at one by one
FIRST_LOOK, LONGEST_LOOK = 300, 2_000  # rows looked at before anything is known
# Milliseconds, measured: a row looked at among all, among those of a scope, fetched by the index; an entry read in it.
SCANNED_ROW, SCOPED_ROW, FETCHED_ROW, READ_ENTRY = 0.0008, 0.0014, 0.0026, 0.00015

# Must stay as it is written, or the index is not used: PostgreSQL compares expressions by their form.
_WORDS = "array_to_tsvector(string_to_array(btrim(portal_search.scope || portal_search.text), ' '))"
_words = sa.literal_column(_WORDS)
# Whose a row is, when it bears one token of the kind; with several of one kind it is shared, and the column empty.
_OWNER = (
    "(CASE WHEN portal_search.scope ~ '_p[0-9]+ _p|_o[0-9]+ _o' THEN ''"
    " ELSE substring(portal_search.scope, ' ({}[0-9]+)') END)"
)


@dataclass(frozen=True)
class _Statistics:
    at: float
    rows: float
    frequencies: dict[str, float]
    words: list[str]  # those of the frequencies, in order

    def share(self, term: Term) -> float:
        """The share of rows that have the term."""
        if term.whole:
            return self.share_of_word(term.word)
        first = bisect.bisect_left(self.words, term.word)
        known = itertools.takewhile(lambda word: word.startswith(term.word), itertools.islice(self.words, first, None))
        return min(1.0, sum(self.frequencies[word] for word in known) or UNCOUNTED)

    def share_of_word(self, word: str) -> float:
        return self.frequencies.get(word, UNCOUNTED)


@dataclass(frozen=True)
class _Demand:
    """A thing that a row must have: as a question to the index, and how many rows have it. `needle`: what must stand in
    the text; None for the scope."""

    question: str
    needle: str | None
    share: float

    def test(self, search: Search) -> sa.ColumnElement[bool]:
        """As a test of the row."""
        return search.bears(*search.scopes) if self.needle is None else search.has(self.needle)


@dataclass(frozen=True)
class _Plan:
    """What a search costs, in milliseconds: `by_index` the whole, `row` one row that is looked at. There are `rows`,
    and a `share` of them are hits."""

    by_index: float
    row: float
    rows: float
    share: float

    def rows_for(self, hits: float) -> float:
        """How many rows must be looked at for so many hits."""
        return min(self.rows, hits / self.share)


# By pool, which all engines of one database share whatever their options.
_statistics: weakref.WeakKeyDictionary[sa.Pool, _Statistics] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Make what is missing."""
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {INDEX} ON portal_search USING gin (({_WORDS}))")
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {NEWEST} ON portal_search (module, part, seq)")
    for kind, name in BY_OWNER.items():
        columns = f"module, part, {_OWNER.format(kind)}, seq"
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON portal_search ({columns})")


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    connection.exec_driver_sql(f"DROP INDEX IF EXISTS {', '.join(INDEXES)}")


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


def first_look(connection: sa.Connection, search: Search, limit: int, counted: int) -> int:
    """How many of the newest rows are looked at before the index is asked; 0 when its answer costs less.

    Hits are counted in as many rows as they may be at most: that is a millisecond, to find so many ten.
    """
    plan = _planned(search, _known_statistics(connection))
    needed = plan.rows_for(limit)
    if needed * plan.row > plan.by_index:
        return 0
    return int(min(max(needed * 1.5, counted, FIRST_LOOK), LONGEST_LOOK))


def next_look(connection: sa.Connection, search: Search, limit: int, looked: int, number: int) -> int:
    """How many next: as many as the hits so far let expect to be enough; 0 when the index costs less than these."""
    plan = _planned(search, _known_statistics(connection))
    needed = (limit - number) * looked / max(number, 1)
    return 0 if min(needed, plan.rows) * plan.row > plan.by_index else int(max(1000, needed * 1.3))


def _planned(search: Search, statistics: _Statistics) -> _Plan:
    demands = _demands(search, statistics)
    asked, by_index = _asked_of_index(demands, statistics)
    share = math.prod(demand.share for demand in demands)
    if not asked:
        return _Plan(math.inf, SCANNED_ROW, statistics.rows, share)
    if not _looks_in_scope(search):
        return _Plan(by_index, SCANNED_ROW, statistics.rows, share)
    return _Plan(by_index, SCOPED_ROW, demands[0].share * statistics.rows, share / demands[0].share)


def _looks_in_scope(search: Search) -> bool:
    return search.scopes is not None and len(search.scopes) <= MOST_BRANCHES


def window(search: Search, way: Direction) -> Candidates:
    """The next rows of the module, or of the scope in it: seq, record, and whether all that was asked holds."""
    places = tuple(map(search.needles.index, search.words.needles))
    if not _looks_in_scope(search):
        shape = ("all", len(search.scopes or ()), search.scopes is None, places)
        return Candidates(lambda: _branch(search, way, search.tests()).limit(BATCH_SIZE), {}, shape)
    owners = {f"owner_{place}": token for place, token in enumerate(search.scopes)}
    shape = ("scope", tuple(token[:2] for token in search.scopes), places)
    return Candidates(lambda: _in_scope(search, way, owners), owners, shape)


def _in_scope(search: Search, way: Direction, owners: dict[str, str]) -> sa.Select[tuple[int, int, bool]]:
    tests = [search.has(needle) for needle in search.words.needles]
    branches = [
        _branch(search, way, tests).where(_owner(token[:2]) == sa.bindparam(name, type_=sa.Text()))
        for name, token in owners.items()
    ]
    branches.append(_branch(search, way, search.tests()).where(_owner("_p") == sa.literal_column("''")))
    parts = [sa.select(branch.limit(BATCH_SIZE).subquery()) for branch in branches]
    rows = sa.union_all(*parts).subquery("rows_of_scope")
    # A row may be somebody's own and the company's as well.
    return way.in_order(sa.select(rows).ext(distinct_on(rows.c["seq"])), rows.c["seq"]).limit(BATCH_SIZE)


def _owner(kind: str) -> sa.ColumnElement[str]:
    return sa.literal_column(_OWNER.format(kind), sa.Text())


def _branch(search: Search, way: Direction, tests: list[sa.ColumnElement[bool]]) -> sa.Select[tuple[int, int, bool]]:
    holds = sa.and_(sa.true(), *tests, *search.holds(search.table)).label("holds")
    return way.along(search.rows().add_columns(holds), search.table.c["seq"])


def rest(connection: sa.Connection, search: Search, way: Direction) -> Candidates:
    """The hits by the index, however far they are: it is asked for what is rare, its answer is tested for the rest."""
    statistics = _known_statistics(connection)
    demands = _demands(search, statistics)
    asked, _cost = _asked_of_index(demands, statistics)
    if not asked:
        hits = search.holds(search.table)
        return Candidates(lambda: _branch(search, way, []).where(*hits).limit(BATCH_SIZE), {}, ("rest of all",))
    tested = [demand for demand in demands if demand not in asked]
    shape = ("index", tuple(map(demands.index, tested)), len(demands), len(search.words.phrases), len(search.tokens))
    question = " & ".join(demand.question for demand in asked)
    return Candidates(lambda: _by_index(search, way, tested), {"question": question}, shape)


def _by_index(search: Search, way: Direction, tested: list[_Demand]) -> sa.Select[tuple[int, int, bool]]:
    question = sa.cast(sa.bindparam("question", type_=sa.Text()), TSQUERY)
    hits = (
        sa.select(search.table.c["seq"], search.table.c["record"])
        # Not by the columns module and part: their index would be read as well, all of it.
        .where(_words.op("@@", is_comparison=True)(question), search.bears(search.token))
        .where(*(demand.test(search) for demand in tested), *map(search.has, search.words.phrases))
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    rows = sa.select(hits.c["seq"], hits.c["record"], sa.true().label("holds")).where(*search.holds(hits))
    return way.along(rows, hits.c["seq"]).limit(BATCH_SIZE)


def _asked_of_index(demands: list[_Demand], statistics: _Statistics) -> tuple[list[_Demand], float]:
    """What the index is asked for, the rarest first, and what that costs. One thing more is asked for when to read
    its entries takes less than to fetch the rows that it would rule out."""
    asked: list[_Demand] = []
    fetched, cost = statistics.rows, 0.0
    for demand in sorted(demands, key=lambda demand: demand.share):
        reading = demand.share * statistics.rows * READ_ENTRY
        if not asked or reading < fetched * (1 - demand.share) * FETCHED_ROW:
            asked, fetched, cost = [*asked, demand], fetched * demand.share, cost + reading
    return asked, cost + fetched * FETCHED_ROW


def _demands(search: Search, statistics: _Statistics) -> list[_Demand]:
    terms = [_Demand(_question(term), term.needle, statistics.share(term)) for term in search.words.terms]
    if search.scopes is None:
        return terms
    question = "(" + " | ".join(f"'{token}'" for token in search.scopes) + ")"
    share = sum(map(statistics.share_of_word, search.scopes))
    return [_Demand(question, None, min(1.0, share)), *terms]


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
    return _Statistics(time.monotonic(), max(rows or 0.0, 0.0), frequencies, sorted(frequencies))

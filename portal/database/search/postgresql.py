"""The search index on PostgreSQL: a GIN index over the tokens of each row, read era by era, because GIN has no order.

Called by index.py only. A row's tokens are its scope, its words and their beginnings of 2 to 8 letters, each with the
number of its *long era*: of the stretch of 262,144 values of `seq` in which the row is. What is typed is thus one entry
of the index for each long era. Shorter eras, down to 1,024 values, are tokens of their own, for words that a long era
has too many of; GIN finds rows with all words of an era by leaping from one list of rows to the other. Longer
beginnings, phrases and whole words are tested in the text.

A search is one statement, which walks from era to era until the page is full: the next era is longer where the last had
few hits, and where one has too many, a shorter one is read instead. What ANALYZE collected only decides where the walk
begins. Behind the newest eras, which have no hit, longer ones are leaped over; the first that has one is read in parts.

While the index is missing, which is made beside a running portal, the rows are read in order and each is tested.
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
from sqlalchemy.dialects.postgresql import ARRAY, array

from portal.database.postgresql import schema_of
from portal.database.search.request import (
    BATCH_SIZE,
    Candidates,
    PageStart,
    PositionIn,
    Progress,
    Search,
    Term,
    other_part,
)

INDEX = "portal_search_eras"
OUTDATED = (  # of the versions before
    "portal_search_words", "portal_search_seq", "portal_search_by_person", "portal_search_by_organization",
    "portal_search_newest", "portal_search_person", "portal_search_organization", "portal_search_tokens",
)  # fmt: skip
INDEXES = (INDEX, *OUTDATED)
MAX_PREFIX = 8
OWN_LOCK = ":lock + hashtext(current_schema())"  # portals in schemas of one database have an index each
BUILDING = 7_022_601_119  # the advisory lock of the process that makes the index; any number that nobody else uses
FEW_ROWS = 20_000  # that are indexed at once: it takes ten seconds at most
# Rows that are written wait here, in kilobytes, for a writer who sorts a hundred of them in at once: every search reads
# what waits, and that writer takes 30 ms longer.
PENDING = 256

STATISTICS_LIFETIME = 60  # seconds for which frequencies are cached
# The assumed share of rows with a token that ANALYZE did not collect. It collects the thousand most frequent ones.
UNKNOWN_FREQUENCY = 0.0002
COMMON_UNKNOWN = 0.01  # that of one which may be among the more frequent of these
LARGE_MODULE = 0.5  # of all rows, from which on the module is tested in each hit instead of the index
SHORTEST, LONGEST = 10, 18  # an era is two to the power of so many values of `seq` long
ERA_BITS = range(SHORTEST, LONGEST + 1, 2)
# The first era has about so many hits at most. To read more of a long one costs less than to look for shorter ones.
EXPECTED_HITS, EXPECTED_OF_LONGEST = 500, 1500
FEW_HITS = 250  # of an era: the next one is longer
# Hits that are read of an era; if it has more, one that is so much shorter is read instead. Behind an era without hits
# it only matters whether there are some.
MOST_HITS, MOST_BEHIND_NONE, FEWER_BITS = 2000, 250, 4
# Words that begin with a short era read no longer one than this: GIN goes through all hits before the first is read.
SHORT, LONGEST_OF_COMMON = 12, 14
# Candidates in a window, where each must be tested for a condition.
FIRST_TESTED, NEXT_TESTED = 150, 2000

# An expression would take far longer. Whoever changes the function gives it another name, and so makes a new index.
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
# PostgreSQL uses the index only for an expression that is written exactly like this. “C” compares bytes.
_TOKENS_SQL = f'({INDEX}(portal_search.scope, portal_search.text, portal_search.seq) COLLATE "C")'
_tokens: sa.ColumnElement[Any] = sa.literal_column(_TOKENS_SQL, ARRAY(sa.Text()))
# What a search gives its statement: the tokens of the scope, each with a sign for the number of its era, and a space
# between two; the lengths of the first and of the longest era.
_SCOPES = sa.bindparam("scopes", type_=sa.Text())
_BITS, _LONGEST = sa.bindparam("bits", type_=sa.Integer()), sa.bindparam("longest", type_=sa.Integer())
_LONG_ERA = sa.literal_column(f"'@' || (era.number >> ({LONGEST} - walk.bits))", sa.Text())
_SHORT_ERA: sa.ColumnElement[Any] = sa.literal_column(
    f"CASE WHEN walk.bits < {LONGEST} THEN ARRAY['_e' || walk.bits || '_' || era.number] ELSE '{{}}' END"
)
_BEFORE, _AFTER = sa.bindparam("before", type_=sa.BigInteger()), sa.bindparam("after", type_=sa.BigInteger())


@dataclass(frozen=True)
class _Statistics:
    """What ANALYZE collected about the tokens: the share of `rows` with each, in whatever era."""

    at: float
    complete: bool  # whether the index can be used
    rows: float
    frequencies: dict[str, float]

    def selectivity(self, search: Search, unknown: float = UNKNOWN_FREQUENCY) -> float:
        """The estimated share of rows that have the words and are within the scope."""
        share = math.prod(self.frequencies.get(token, unknown) for token in _required(search, self))
        if search.scopes is None:
            return share
        return share * min(1.0, sum(self.frequencies.get(token, unknown) for token in search.scopes))


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


def is_finished(connection: sa.Connection) -> bool:
    """Whether the index is there, and none of another version beside it."""
    outdated = sa.text("SELECT count(to_regclass(name)) FROM unnest(CAST(:names AS text[])) AS name")
    return is_complete(connection) and not connection.scalar(outdated, {"names": list(OUTDATED)})


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


def next_window(connection: sa.Connection, search: Search, wanted: int, progress: Progress) -> int:
    """How many matches are read next: as many hits as are wanted, and more where each is tested for a condition."""
    if search.condition is None:
        return wanted
    return max(wanted, NEXT_TESTED if progress.scanned else FIRST_TESTED)


def candidates(connection: sa.Connection, search: Search, start: PageStart, window: int | None) -> Candidates:
    """The next rows with the words, each with whether it fulfils the condition; all that do without a window."""
    statistics = _cached_statistics(connection)
    cache_key: tuple[Any, ...]
    if not statistics.complete:
        scopes = None if search.scopes is None else len(search.scopes)
        cache_key = ("tested", scopes, window is None, *map(search.needles.index, search.words.needles))
        return Candidates(lambda: _tested_rows(search, start, window is not None), {}, cache_key)
    required = _required(search, statistics)
    cache_key = (search.scopes is None, window is None, len(required), len(_text_tests(search)))
    build = _hits if window is None else _matches
    parameters = _walk_parameters(search, statistics, required)
    return Candidates(lambda: build(search, start, len(required)), parameters, cache_key)


def _matches(search: Search, start: PageStart, required: int) -> sa.Select[tuple[int, int, bool]]:
    rows = _rows_of(_walk(search, start, required, BATCH_SIZE))
    is_hit = sa.and_(sa.true(), *search.condition_tests(rows)).label("is_hit")
    return start.order(sa.select(rows.c["seq"], rows.c["record"], is_hit), rows.c["seq"]).limit(BATCH_SIZE)


def _hits(search: Search, start: PageStart, required: int) -> sa.Select[tuple[int, int, bool]]:
    rows = _rows_of(_walk(search, start, required, None))
    hits = sa.select(rows.c["seq"], rows.c["record"], sa.true().label("is_hit"))
    return start.order(hits.where(*search.condition_tests(rows)), rows.c["seq"]).limit(BATCH_SIZE)


def matches(connection: sa.Connection, search: Search, most: int) -> sa.Select[Any] | None:
    """A statement for the newest `most` rows of all modules with the words; None where there are probably more."""
    statistics = _cached_statistics(connection)
    if not statistics.complete or statistics.selectivity(search) * statistics.rows > most:
        return None
    required, table = _required(search, statistics), search.table
    rows = _rows_of(_walk(search, PageStart(), len(required), sa.literal(most)))
    columns = [table.c[name] for name in ("seq", "module", "record", "part", "scope")]
    statement = sa.select(*columns, sa.true()).select_from(rows.join(table, table.c["seq"] == rows.c["seq"]))
    return statement.limit(most).params(before=None, **_walk_parameters(search, statistics, required))


def _tested_rows(search: Search, start: PageStart, in_window: bool) -> sa.Select[tuple[int, int, bool]]:
    is_hit = sa.and_(sa.true(), *search.condition_tests(search.table))
    rows = search.rows().add_columns(is_hit.label("is_hit")).where(*search.index_tests())
    rows = rows.where(*search.visible_tests(search.table), *([] if in_window else [is_hit]))
    return start.limit(rows, search.table.c["seq"]).limit(BATCH_SIZE)


def _walk(search: Search, start: PageStart, required: int, size: sa.ColumnElement[int] | None) -> sa.CTE:
    """The eras one after the other, until `size` rows are read or there are no more, each with its rows as arrays.

    `edge` and `bits` say where the next era ends, or begins for a page that is read oldest first, and how long it is;
    `longest` how long the next ones may be, `most` how many hits are read of it, `number` how many all eras before had.
    """
    newest = sa.select(sa.func.max(search.table.c["seq"])).scalar_subquery()
    if start.oldest_first:
        edge, era, next_edge = _AFTER + 1, "walk.edge >> walk.bits", "((era.number + 1) << walk.bits)"
        next_row = f"(SELECT min(next.seq) FROM portal_search next WHERE next.seq >= {next_edge})"
    else:
        edge = sa.func.coalesce(_BEFORE, newest + 1)
        era, next_edge = "(walk.edge - 1) >> walk.bits", "(era.number << walk.bits)"
        next_row = f"(SELECT max(next.seq) + 1 FROM portal_search next WHERE next.seq < {next_edge})"
    first = {"most": f"{MOST_HITS}", "seqs": "'{}'::bigint[]", "records": "'{}'::bigint[]", "number": "0::bigint"}
    given = [edge.label("edge"), _BITS.label("bits")]
    walk = sa.select(*given, *_columns(first), _LONGEST.label("longest")).cte("walk", recursive=True)
    rows = _rows_of_era(search, start, required).subquery("rows")
    all_rows = {"seqs": "array_agg(rows.seq)", "records": "array_agg(rows.record)", "number": "count(*)"}
    read = sa.select(*_columns(all_rows)).select_from(rows).lateral("read")
    has_more, at_long_era = "read.number = walk.most", f"{next_edge} & {(1 << LONGEST) - 1} = 0"
    has_few = f"(read.number << walk.bits) < {FEW_HITS} * abs(walk.edge - {next_edge})"
    # That begins there: one that overlaps the last might be found too long again and again.
    longest = " ".join(f"WHEN {next_edge} & {(1 << bits) - 1} = 0 THEN {bits}" for bits in reversed(ERA_BITS))
    longest = f"least(walk.longest, CASE {longest} END)"
    following = {
        # Behind a long era the walk goes on at the next row: there may be billions of numbers without any.
        "edge": f"CASE WHEN {has_more} THEN walk.edge WHEN {at_long_era} THEN {next_row} ELSE {next_edge} END",
        "bits": f"CASE WHEN {has_more} THEN greatest(walk.bits - {FEWER_BITS}, {SHORTEST})"
        f" WHEN read.number = 0 THEN {longest} WHEN {has_few} THEN least(walk.bits + 2, {longest}) ELSE walk.bits END",
        "most": f"CASE WHEN {has_more} AND walk.bits - {FEWER_BITS} > {SHORTEST} THEN {EXPECTED_HITS}"
        f" WHEN read.number = 0 AND {longest} > {SHORTEST} THEN {MOST_BEHIND_NONE} ELSE {MOST_HITS} END",
        "seqs": f"CASE WHEN NOT {has_more} THEN read.seqs END",
        "records": f"CASE WHEN NOT {has_more} THEN read.records END",
        "number": f"walk.number + CASE WHEN {has_more} THEN 0 ELSE read.number END",
    }
    # Where a long era has too many, it is read to its end in short ones.
    next_longest = sa.case(
        (sa.literal_column(has_more), sa.literal_column(f"least(walk.longest, {LONGEST_OF_COMMON})")),
        (sa.literal_column(at_long_era), _LONGEST),
        else_=walk.c["longest"],
    )
    eras = walk.join(sa.select(*_columns({"number": era})).lateral("era"), sa.true()).join(read, sa.true())
    steps = sa.select(*_columns(following), next_longest).select_from(eras)
    steps = steps.where(walk.c["edge"] <= newest if start.oldest_first else walk.c["edge"] > sa.literal_column("0"))
    return walk.union_all(steps if size is None else steps.where(walk.c["number"] < size))


def _columns(expressions: Mapping[str, str]) -> list[sa.Label[Any]]:
    return [sa.literal_column(sql).label(name) for name, sql in expressions.items()]


def _rows_of_era(search: Search, start: PageStart, required: int) -> sa.Select[tuple[int, int]]:
    """The rows of one era with the words and so many tokens, up to `walk.most`."""
    table = search.table
    tokens = [_required_parameter(place) + _LONG_ERA for place in range(required)]
    # Each is a condition of its own: GIN leaps from one to the other, but within one looks at each entry of a list.
    rows = sa.select(table.c["seq"], table.c["record"]).where(*(_has("@>", array([token])) for token in tokens))
    rows = rows.where(_has("@>", _SHORT_ERA))
    if search.scopes is not None:
        scopes = sa.func.replace(_SCOPES, sa.literal_column("'@'"), _LONG_ERA)
        rows = rows.where(_has("&&", sa.func.string_to_array(scopes, sa.literal_column("' '"))))
    # Written so that PostgreSQL reads no other index for it.
    rows = rows.where(sa.literal_column(f"portal_search.seq - walk.edge {'>=' if start.oldest_first else '<'} 0"))
    if search.module is not table:
        module, part = _unknown(search.module.name), _unknown(other_part(search.part))
        rows = rows.where(table.c["module"] == module, table.c["part"] != part, *search.visible_tests(table))
    needles = map(_needle_parameter, range(len(_text_tests(search))))
    tests = (PositionIn(table.c["text"], needle) > sa.literal_column("0") for needle in needles)
    return rows.where(*tests).limit(sa.literal_column("walk.most"))


def _has(operator: str, tokens: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return _tokens.op(operator, is_comparison=True)(tokens)


def _required_parameter(place: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"required_{place}", type_=sa.Text())


def _needle_parameter(place: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"tested_{place}", type_=sa.Text())


def _unknown(value: str | int) -> sa.ScalarSelect[Any]:
    """A parameter whose value PostgreSQL does not plan for, so that it sees that one plan is right for all."""
    return sa.select(sa.literal(value)).scalar_subquery()


def _rows_of(walk: sa.CTE) -> sa.Subquery:
    each = sa.func.unnest(walk.c["seqs"], walk.c["records"]).table_valued("seq", "record").render_derived("each")
    return sa.select(each.c["seq"], each.c["record"]).select_from(walk.join(each, sa.true())).subquery("found")


def _walk_parameters(search: Search, statistics: _Statistics, required: Sequence[str]) -> dict[str, Any]:
    share = statistics.selectivity(search, COMMON_UNKNOWN)
    bits = max((bits for bits in ERA_BITS if share * (1 << bits) <= EXPECTED_HITS), default=SHORTEST)
    if share * (1 << LONGEST) <= EXPECTED_OF_LONGEST:
        bits = LONGEST
    parameters: dict[str, Any] = {_required_parameter(place).key: token for place, token in enumerate(required)}
    parameters |= {_needle_parameter(place).key: needle for place, needle in enumerate(_text_tests(search))}
    parameters |= {"bits": bits, "longest": LONGEST if bits > SHORT else LONGEST_OF_COMMON}
    return parameters if search.scopes is None else parameters | {"scopes": "@ ".join(search.scopes) + "@"}


def _required(search: Search, statistics: _Statistics) -> list[str]:
    """The tokens that every hit has: words, and the module if it is rarer than many words."""
    words = list(dict.fromkeys(term.word[:MAX_PREFIX] for term in search.words.terms))
    if search.module is search.table or (
        words and statistics.frequencies.get(search.module_token, 0.0) >= LARGE_MODULE
    ):
        return words
    return [search.module_token, *words]


def _text_tests(search: Search) -> tuple[str, ...]:
    """What the index does not hold, and is tested in the text: phrases, long beginnings and whole words.

    At least nothing, which every text has: one statement more would have to be planned, which takes longer.
    """
    tested = [term.needle for term in search.words.terms if _is_tested(term)]
    return (*dict.fromkeys(tested), *search.words.phrases) or ("",)


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
    rows = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('portal_search')"))
    frequencies: dict[str, float] = defaultdict(float)
    if collected and collected[0]:
        # The frequencies are followed by their minimum and maximum, which belong to no token.
        for token, frequency in zip(collected[0], collected[1], strict=False):
            frequencies[token.partition("@")[0]] += frequency
    return _Statistics(time.monotonic(), is_complete(connection), max(rows or 0.0, 0.0), dict(frequencies))

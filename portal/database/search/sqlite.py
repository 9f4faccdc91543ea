"""The search index on SQLite: FTS5 in addition to the table of texts, kept up to date by triggers.

Called only by index.py. FTS5 answers in the order of rowid, so the newest matches come first. It has words without
positions (`detail=none`) and their prefixes of 2 to 8 letters: longer prefixes and phrases are tested in the text of
each match.
"""

import contextlib
import json
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.search.search_request import BATCH_SIZE, Candidates, Newest, PageStart, Progress, Search

INDEX = "portal_search_fts"
MAX_PREFIX = 8
BUFFER, FILLING_BUFFER = 2**20, 2**26  # bytes; the first is FTS5's own
# Matches in a window, if more than their words must be tested.
FIRST_WINDOW, SECOND_WINDOW, MAX_WINDOW = 150, 2000, 20_000
SMALL_MODULE = 5_000  # rows, up to which a module is searched by its token first
LARGE_MODULE = 50_000  # rows, up to which it is searched together with others
SIZE_LIFETIME = 60  # seconds for which the number of a module's rows is cached

# Not unicode61: folding has already decided which characters are letters, with a newer Unicode version than SQLite's.
# The ascii tokenizer takes everything non-ASCII for a letter, so that only spaces separate words.
_CREATE = f"""
CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(
  scope, text, content='portal_search', content_rowid='seq', tokenize="ascii tokenchars '_'",
  prefix='2 3 4 5 6 7 8', detail='none', columnsize=0)
"""
_INSERT = "INSERT INTO portal_search_fts(rowid, scope, text) VALUES (new.seq, new.scope, new.text);"
_DELETE = """
INSERT INTO portal_search_fts(portal_search_fts, rowid, scope, text) VALUES ('delete', old.seq, old.scope, old.text);
"""
_TRIGGERS = {
    f"{INDEX}_added": f"AFTER INSERT ON portal_search BEGIN {_INSERT} END",
    f"{INDEX}_removed": f"AFTER DELETE ON portal_search BEGIN {_DELETE} END",
    f"{INDEX}_changed": f"AFTER UPDATE ON portal_search BEGIN {_DELETE} {_INSERT} END",
}
# The number of hits of several searches, each only from the index, and the records of the newest ones.
_NEWEST = f"""
WITH found AS MATERIALIZED (
  SELECT search.key AS place, (
    SELECT json_group_array(seq) FROM (
      SELECT {INDEX}.rowid AS seq FROM {INDEX} {{texts}} WHERE {INDEX} MATCH search.value {{tests}}
      ORDER BY {INDEX}.rowid DESC LIMIT :counted
    )
  ) AS hits FROM json_each(:expressions) search
)
SELECT json_array_length(hits), (
  SELECT json_group_array(record) FROM (
    SELECT portal_search.record FROM json_each(hits) hit JOIN portal_search ON portal_search.seq = hit.value
    WHERE hit.key < :limit ORDER BY hit.key LIMIT :limit
  )
) FROM found ORDER BY place
"""  # noqa: S608 - names of our own
# Counted in the index of modules and records, which does not have the part: the counts may be up to twice too high.
_ROWS = """
SELECT value, (SELECT count(*) FROM (SELECT 1 FROM portal_search WHERE module = value LIMIT :most))
FROM json_each(:modules)
"""
_fts = sa.table(INDEX, sa.column("rowid", sa.BigInteger()))
# By pool, which is shared by all engines of one database: module → when it was counted, number of rows.
_module_rows: weakref.WeakKeyDictionary[sa.Pool, dict[str, tuple[float, int]]] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Creates the FTS5 table and its triggers if they are missing, and fills it if the table of texts has rows."""
    new = not connection.scalar(sa.text("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": INDEX})
    connection.exec_driver_sql(_CREATE)
    _create_triggers(connection)
    if new:
        _rebuild(connection)


def _rebuild(connection: sa.Connection) -> None:
    """Fills the index again from the texts: 0.07 ms per row, far less than with the triggers."""
    _set_buffer(connection, FILLING_BUFFER)
    connection.exec_driver_sql("INSERT INTO portal_search_fts(portal_search_fts) VALUES ('rebuild')")
    _set_buffer(connection, BUFFER)


def _set_buffer(connection: sa.Connection, size: int) -> None:
    """Sets how many bytes of new entries FTS5 collects before it writes them; what is written must be merged later."""
    setting = "INSERT INTO portal_search_fts(portal_search_fts, rank) VALUES ('hashsize', ?)"
    connection.exec_driver_sql(setting, (size,))


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows of the search table on SQLite in order."""
    connection.execute(table.insert(), rows)


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """SQLite's part of `index.filling`: FTS5 is filled once afterwards instead of by a trigger for every row."""
    _drop_triggers(connection)
    yield
    _create_triggers(connection)
    _rebuild(connection)


def _create_triggers(connection: sa.Connection) -> None:
    for name, event in _TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER IF NOT EXISTS {name} {event}")


def _drop_triggers(connection: sa.Connection) -> None:
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")


def next_window(connection: sa.Connection, search: Search, needed: int, progress: Progress) -> int | None:
    """How many matches to read next from FTS5, estimated from the hits so far; None if the index costs less.

    It does if it finds hits without reading matches in other modules.
    """
    scanned, hits = progress.scanned, progress.hits
    if not scanned:
        small = _rows_of_modules(connection, [search.module.name])[search.module.name] < SMALL_MODULE
        return None if small else max(needed, FIRST_WINDOW if _needs_tests(search) else 0)
    if not _needs_tests(search):
        return None
    if scanned < SECOND_WINDOW:
        return SECOND_WINDOW - scanned
    return max(1000, int(needed / hits * scanned * 1.3)) if hits >= 3 else MAX_WINDOW - scanned


def candidates(connection: sa.Connection, search: Search, start: PageStart, window: int | None) -> Candidates:
    """The next matches of FTS5 for words and scope, each tested for the rest; without a window, the hits in the index.

    In a window, the module is part of the rest: its token is in nearly every row, and skipping these in the index took
    ten times as long as finding the words.
    """
    parameters = {"expression": _match_expression(search, of_module=window is None)}
    if window is None:
        return Candidates(lambda: _hits(search, start), parameters, ("index", _needle_places(search)))
    return Candidates(lambda: _tested_matches(search, start), parameters, ("window", _needle_places(search)))


def _tested_matches(search: Search, start: PageStart) -> sa.Select[tuple[int, int, bool]]:
    is_hit = sa.and_(*search.in_part, *_tests(search)).label("is_hit")
    return _matches(search, start).add_columns(is_hit).limit(BATCH_SIZE)


def _hits(search: Search, start: PageStart) -> sa.Select[tuple[int, int, bool]]:
    hits = _matches(search, start).where(*_tests(search))
    return hits.add_columns(sa.true().label("is_hit")).limit(BATCH_SIZE)


def answered_by_newest(connection: sa.Connection, searches: Sequence[Search]) -> list[Search]:
    """The searches that `newest` answers on SQLite as fast as `find`: a large module has many tokens to skip."""
    rows = _rows_of_modules(connection, [search.module.name for search in searches])
    return [search for search in searches if rows[search.module.name] < LARGE_MODULE]


def newest(connection: sa.Connection, searches: Sequence[Search], limit: int, counted: int) -> list[Newest]:
    """The newest `limit` hits of each search on SQLite, and their number up to `counted`; see index.newest."""
    needles = _unindexed_needles(searches[0])
    tests = "".join(f" AND instr(portal_search.text, :needle_{place}) > 0" for place in range(len(needles)))
    texts = f"JOIN portal_search ON portal_search.seq = {INDEX}.rowid" if needles else ""
    values = {f"needle_{place}": needle for place, needle in enumerate(needles)}
    values["expressions"] = json.dumps([_match_expression(search, of_module=True) for search in searches])
    statement = sa.text(_NEWEST.format(texts=texts, tests=tests))
    rows = connection.execute(statement, values | {"limit": limit, "counted": counted})
    return [Newest(json.loads(records), number, more=number >= counted) for number, records in rows]


def _matches(search: Search, start: PageStart) -> sa.Select[tuple[int, int]]:
    table, seq = search.table, _fts.c["rowid"]
    expression = sa.bindparam("expression", type_=sa.Text())
    matches = sa.literal_column(INDEX).op("MATCH", is_comparison=True)(expression)
    rows = sa.select(seq.label("seq"), table.c["record"]).select_from(_fts.join(table, table.c["seq"] == seq))
    return start.limit(rows.where(matches, *_visible(search)), seq)


def _visible(search: Search) -> list[sa.ColumnElement[bool]]:
    """Whether a match of FTS5 is visible and in this module; [] if tokens express what is visible."""
    tests = search.visible_tests(search.table)
    return [*search.in_part, *tests] if tests else []


def _match_expression(search: Search, of_module: bool) -> str:
    """The right side of MATCH for a search with FTS5."""
    parts = [f'"{term.word}"' if term.whole else f'"{term.word[:MAX_PREFIX]}"*' for term in search.words.terms]
    if search.scopes is not None:
        parts.insert(0, "(" + " OR ".join(f'"{token}"' for token in search.scopes) + ")")
    return " AND ".join([f'"{search.module_token}"', *parts] if of_module or not parts else parts)


def _tests(search: Search) -> list[sa.ColumnElement[bool]]:
    return [search.contains(needle) for needle in _unindexed_needles(search)] + search.condition_tests(search.table)


def _needs_tests(search: Search) -> bool:
    return search.condition is not None or bool(_unindexed_needles(search))


def _unindexed_needles(search: Search) -> tuple[str, ...]:
    """What FTS5 does not have in its index and SQLite must test in the text: phrases and long prefixes."""
    long = [term.needle for term in search.words.terms if not term.whole and len(term.word) > MAX_PREFIX]
    return (*search.words.phrases, *long)


def _needle_places(search: Search) -> tuple[int, ...]:
    return tuple(map(search.needles.index, _unindexed_needles(search)))


def _rows_of_modules(connection: sa.Connection, modules: Sequence[str]) -> dict[str, int]:
    """How many rows a module has in FTS5, up to LARGE_MODULE: to decide if its token is rarer than most words.

    The result is cached for a minute: it only affects speed.
    """
    cache, now = _module_rows.setdefault(connection.engine.pool, {}), time.monotonic()
    unknown = [module for module in modules if module not in cache or now - cache[module][0] > SIZE_LIFETIME]
    if unknown:
        rows = connection.execute(sa.text(_ROWS), {"modules": json.dumps(unknown), "most": LARGE_MODULE})
        cache.update({module: (now, number) for module, number in rows})
    return {module: cache[module][1] for module in modules}

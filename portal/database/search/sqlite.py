"""The search index on SQLite: FTS5 beside the table of texts, kept up to date by triggers.

Called by index.py only. FTS5 answers in the order of rowid, so that the newest matches come first. It holds words
without positions (`detail=none`) and their beginnings of 2 to 8 letters: longer beginnings and phrases are tested in
the text of each match.
"""

import contextlib
import time
import weakref
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from portal.database.search.request import BATCH_SIZE, Candidates, PageStart, Progress, Search, Term

INDEX = "portal_search_fts"
MAX_PREFIX = 8
BUFFER, FILLING_BUFFER = 2**20, 2**26  # bytes; the first is FTS5's own
# Matches in a window, where matches must be tested for more than their words.
FIRST_WINDOW, SECOND_WINDOW, MAX_WINDOW = 150, 2000, 20_000
SMALL_MODULE = 5_000  # rows, up to which a module is searched by its token first
SIZE_LIFETIME = 60  # seconds for which a module counts as small or large without another look

# Not unicode61: which characters are letters was decided when the text was folded, by a newer Unicode than SQLite's.
# The ascii tokenizer takes whatever is not ASCII for a letter, so that only spaces separate words.
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
_fts = sa.table(INDEX, sa.column("rowid", sa.BigInteger()))
# By pool, which all engines of one database share: module token → when it was looked at, whether it is small.
_small_modules: weakref.WeakKeyDictionary[sa.Pool, dict[str, tuple[float, bool]]] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Create what is missing; an index created beside a table with rows is filled."""
    new = not connection.scalar(sa.text("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": INDEX})
    connection.exec_driver_sql(_CREATE)
    _create_triggers(connection)
    if new:
        _rebuild(connection)


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    _drop_triggers(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {INDEX}")


def _rebuild(connection: sa.Connection) -> None:
    """Fill the index again from the texts: 0.07 ms per row, a tenth of what the triggers take."""
    _set_buffer(connection, FILLING_BUFFER)
    connection.exec_driver_sql("INSERT INTO portal_search_fts(portal_search_fts) VALUES ('rebuild')")
    _set_buffer(connection, BUFFER)


def _set_buffer(connection: sa.Connection, size: int) -> None:
    """How many bytes of new entries FTS5 collects before it writes them; whatever is written has to be merged later."""
    setting = "INSERT INTO portal_search_fts(portal_search_fts, rank) VALUES ('hashsize', ?)"
    connection.exec_driver_sql(setting, (size,))


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """Many texts are written inside: the index is filled once afterwards instead of at every row."""
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


def next_window(connection: sa.Connection, search: Search, wanted: int, progress: Progress) -> int | None:
    """How many matches are read next, as many as the hits so far promise to be enough; None if the index costs less.

    It does where it finds hits without reading other modules' matches.
    """
    scanned, hits = progress.scanned, progress.hits
    if not scanned:
        small = _is_small_module(connection, search)
        return None if small else max(wanted, FIRST_WINDOW if _needs_tests(search) else 0)
    if not _needs_tests(search):
        return None
    if scanned < SECOND_WINDOW:
        return SECOND_WINDOW - scanned
    return max(1000, int(wanted / hits * scanned * 1.3)) if hits >= 3 else MAX_WINDOW - scanned


def candidates(connection: sa.Connection, search: Search, start: PageStart, window: int | None) -> Candidates:
    """The next matches of the words and the scope, each tested for the rest; without a window the hits by the index.

    In a window the module is part of the rest: its token is in nearly every row, and skipping all of these in the index
    took ten times as long as finding the words.
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


def matches(connection: sa.Connection, search: Search, most: int) -> sa.Select[Any] | None:
    """A statement for the newest `most` rows of all modules with the words, each with whether it has the rest."""
    rows = _matches(search, PageStart()).limit(most).subquery()
    table = search.table
    is_hit = sa.and_(sa.true(), *_tests(search)).label("is_hit")
    columns = [table.c[name] for name in ("seq", "module", "record", "part", "scope")]
    joined = rows.join(table, table.c["seq"] == rows.c["seq"])
    statement = sa.select(*columns, is_hit).select_from(joined)
    return statement.params(expression=_match_expression(search, of_module=False))


def _matches(search: Search, start: PageStart) -> sa.Select[tuple[int, int]]:
    table, seq = search.table, _fts.c["rowid"]
    expression = sa.bindparam("expression", type_=sa.Text())
    matches = sa.literal_column(INDEX).op("MATCH", is_comparison=True)(expression)
    rows = sa.select(seq.label("seq"), table.c["record"]).select_from(_fts.join(table, table.c["seq"] == seq))
    return start.limit(rows.where(matches, *_visible(search)), seq)


def _visible(search: Search) -> list[sa.ColumnElement[bool]]:
    """Whether a match is visible, and of this module; [] where tokens express what is visible."""
    tests = search.visible_tests(search.table)
    return [*search.in_part, *tests] if tests else []


def _match_expression(search: Search, of_module: bool) -> str:
    """What stands right of MATCH."""
    parts = [*map(_match_term, search.words.terms)]
    if search.scopes is not None:
        parts.insert(0, "(" + " OR ".join(f'"{token}"' for token in search.scopes) + ")")
    return " AND ".join([f'"{search.module_token}"', *parts] if of_module or not parts else parts)


def _match_term(term: Term) -> str:
    return f'"{term.word}"' if term.whole else f'"{term.word[:MAX_PREFIX]}"*'


def _tests(search: Search) -> list[sa.ColumnElement[bool]]:
    return [search.contains(needle) for needle in _unindexed_needles(search)] + search.condition_tests(search.table)


def _needs_tests(search: Search) -> bool:
    return search.condition is not None or bool(_unindexed_needles(search))


def _unindexed_needles(search: Search) -> tuple[str, ...]:
    """What the index does not hold, and is tested in the text: phrases and long beginnings."""
    long = [term.needle for term in search.words.terms if not term.whole and len(term.word) > MAX_PREFIX]
    return (*search.words.phrases, *long)


def _needle_places(search: Search) -> tuple[int, ...]:
    return tuple(map(search.needles.index, _unindexed_needles(search)))


def _is_small_module(connection: sa.Connection, search: Search) -> bool:
    """Whether the module has so few rows that its token is rarer than most words.

    The answer is cached for a minute: it decides about speed only.
    """
    cache = _small_modules.setdefault(connection.engine.pool, {})
    at, small = cache.get(search.module_token, (0.0, False))
    if time.monotonic() - at > SIZE_LIFETIME or not at:
        # Counted in the index of modules and records, which does not hold the part: the counts differ by half.
        of_module = search.table.c["module"] == search.module.name
        rows = sa.select(sa.literal_column("1")).where(of_module).limit(SMALL_MODULE).subquery()
        small = connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one() < SMALL_MODULE
        cache[search.module_token] = time.monotonic(), small
    return small

"""The search index on SQLite: FTS5 beside the table of texts, kept by triggers; its matches come newest first.

Called by search.py only. Words stand in the index without places (`detail=none`) and with their first 2 to 8 letters:
what is longer, and quoted words, are looked for in the text of what matches.
"""

import contextlib
import time
import weakref
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from portal.database.search.request import BATCH_SIZE, Candidates, Direction, Search, Term

INDEX = "portal_search_fts"
LONGEST_PREFIX = 8
FIRST_LOOK, SECOND_LOOK, LONGEST_LOOK = 150, 2000, 20_000  # matches, where more is asked than words
SMALL = 5_000  # rows of a module, up to which it is better looked for by its token
KEPT = 60  # seconds for which a module is taken for as small as it was

# Not unicode61: what a letter is was decided when the text was folded, by a newer Unicode than SQLite knows.
# The ascii tokenizer takes whatever is not ASCII for a letter, so that spaces alone part the words.
_CREATE = f"""
CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(
  scope, text, content='portal_search', content_rowid='seq', tokenize="ascii tokenchars '_'",
  prefix='2 3 4 5 6 7 8', detail='none', columnsize=0)
"""
_ADD = "INSERT INTO portal_search_fts(rowid, scope, text) VALUES (new.seq, new.scope, new.text);"
_TAKE_AWAY = """
INSERT INTO portal_search_fts(portal_search_fts, rowid, scope, text) VALUES ('delete', old.seq, old.scope, old.text);
"""
_TRIGGERS = {
    f"{INDEX}_added": f"AFTER INSERT ON portal_search BEGIN {_ADD} END",
    f"{INDEX}_removed": f"AFTER DELETE ON portal_search BEGIN {_TAKE_AWAY} END",
    f"{INDEX}_changed": f"AFTER UPDATE ON portal_search BEGIN {_TAKE_AWAY} {_ADD} END",
}
_fts = sa.table(INDEX, sa.column("rowid", sa.BigInteger()))
# By pool, which all engines of one database share whatever their options; when it was asked, and whether it is small.
_sizes: weakref.WeakKeyDictionary[sa.Pool, dict[str, tuple[float, bool]]] = weakref.WeakKeyDictionary()


def create(connection: sa.Connection) -> None:
    """Make what is missing; an index made beside a table that has rows is filled."""
    new = not connection.scalar(sa.text("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": INDEX})
    connection.exec_driver_sql(_CREATE)
    _create_triggers(connection)
    if new:
        rebuild(connection)


def drop(connection: sa.Connection) -> None:
    """Remove the index; the texts stay."""
    _drop_triggers(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {INDEX}")


def rebuild(connection: sa.Connection) -> None:
    """Make the index anew from the texts: 0.2 ms per row, a third of what the triggers take."""
    connection.exec_driver_sql("INSERT INTO portal_search_fts(portal_search_fts) VALUES ('rebuild')")


@contextlib.contextmanager
def filling(connection: sa.Connection) -> Iterator[None]:
    """Many texts are written inside: the index is made anew afterwards instead of at every row."""
    _drop_triggers(connection)
    yield
    _create_triggers(connection)
    rebuild(connection)


def _create_triggers(connection: sa.Connection) -> None:
    for name, does in _TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER IF NOT EXISTS {name} {does}")


def _drop_triggers(connection: sa.Connection) -> None:
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")


def first_look(connection: sa.Connection, search: Search, limit: int, counted: int) -> int:
    """How many matches are looked at first; 0 where the index says at once which of them are hits."""
    if _is_small(connection, search):
        return 0
    return max(limit, counted, FIRST_LOOK if _asks_more(search) else 0)


def next_look(connection: sa.Connection, search: Search, limit: int, looked: int, number: int) -> int:
    """How many next: as many as the hits so far let expect to be enough. 0 where most matches are other modules'."""
    if not _asks_more(search):
        return 0
    if looked < SECOND_LOOK:
        return SECOND_LOOK - looked
    return max(1000, int((limit - number) / number * looked * 1.3)) if number >= 3 else LONGEST_LOOK - looked


def window(search: Search, way: Direction) -> Candidates:
    """The next matches of the words and the scope: seq, record, and whether the rest that was asked holds too.

    The module is part of the rest: its token stands in nearly every row, and to pass over all of these took ten times
    as long as to find what bears the words.
    """

    def build() -> sa.Select[Any]:
        here = (search.table.c["module"] == search.module.name, search.table.c["part"] == search.part)
        holds = sa.and_(*here, *_checks(search)).label("holds")
        return _matches(search, way).add_columns(holds).limit(BATCH_SIZE)

    values = {"expression": _expression(search, of_module=False)}
    return Candidates(build, values, ("window", _places(search)))


def rest(connection: sa.Connection, search: Search, way: Direction) -> Candidates:
    """The hits, however far they are."""

    def build() -> sa.Select[Any]:
        hits = _matches(search, way).where(*_checks(search))
        return hits.add_columns(sa.true().label("holds")).limit(BATCH_SIZE)

    return Candidates(build, {"expression": _expression(search, of_module=True)}, ("rest", _places(search)))


def _matches(search: Search, way: Direction) -> sa.Select[tuple[int, int]]:
    table, seq = search.table, _fts.c["rowid"]
    expression = sa.bindparam("expression", type_=sa.Text())
    matches = sa.literal_column(INDEX).op("MATCH", is_comparison=True)(expression)
    rows = sa.select(seq.label("seq"), table.c["record"]).select_from(_fts.join(table, table.c["seq"] == seq))
    return way.along(rows.where(matches), seq)


def _expression(search: Search, of_module: bool) -> str:
    asked = [*map(_question, search.words.terms)]
    if search.scopes is not None:
        asked.insert(0, "(" + " OR ".join(f'"{token}"' for token in search.scopes) + ")")
    return " AND ".join([f'"{search.token}"', *asked] if of_module or not asked else asked)


def _question(term: Term) -> str:
    return f'"{term.word}"' if term.whole else f'"{term.word[:LONGEST_PREFIX]}"*'


def _checks(search: Search) -> list[sa.ColumnElement[bool]]:
    return [search.has(needle) for needle in _looked_for(search)] + search.holds(search.table)


def _asks_more(search: Search) -> bool:
    return search.condition is not None or bool(_looked_for(search))


def _looked_for(search: Search) -> tuple[str, ...]:
    """What the index does not know, and is looked for in the text."""
    long = [term.needle for term in search.words.terms if not term.whole and len(term.word) > LONGEST_PREFIX]
    return (*search.words.phrases, *long)


def _places(search: Search) -> tuple[int, ...]:
    return tuple(map(search.needles.index, _looked_for(search)))


def _is_small(connection: sa.Connection, search: Search) -> bool:
    """Whether the module has so few rows that its token says more than any word. Known for a while: it only decides
    about the way."""
    known = _sizes.setdefault(connection.engine.pool, {})
    at, small = known.get(search.token, (0.0, False))
    if time.monotonic() - at > KEPT or not at:
        # Counted in the index of modules and records, which knows nothing of parts: they differ by half.
        rows = sa.select(sa.literal_column("1")).where(search.table.c["module"] == search.module.name).limit(SMALL)
        small = connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) < SMALL
        known[search.token] = time.monotonic(), small
    return small

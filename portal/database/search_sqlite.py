"""The search index on SQLite: FTS5 beside the table of texts, kept by triggers; its matches come newest first.

Called by search.py only. Words stand in the index without places (`detail=none`) and with their first 2 to 8 letters:
what is longer, and quoted words, are looked for in the text of what matches.
"""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.search_request import Search, Term, Way

INDEX = "portal_search_fts"
LONGEST_PREFIX = 8

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


def looks_around_first(connection: sa.Connection, search: Search, limit: int) -> bool:
    """Whether the newest matches are looked at before all of them: not when each of them is a hit anyhow."""
    return bool(_checks(search))


def window(search: Search, way: Way, size: int) -> sa.Select[tuple[int, int, bool]]:
    """The next `size` matches: seq, record, and whether the rest that was asked holds too."""
    holds = sa.and_(sa.true(), *_checks(search)).label("holds")
    return _matches(search, way).add_columns(holds).limit(size)


def rest(connection: sa.Connection, search: Search, way: Way, limit: int) -> sa.Select[tuple[int, int]]:
    """The next `limit` hits, however far they are."""
    return _matches(search, way).where(*_checks(search)).limit(limit)


def count(search: Search, cap: int) -> sa.Select[tuple[int]] | None:
    """How many matches there are, up to `cap`, where each of them is a hit; None where each has to be looked at."""
    if _checks(search):
        return None
    matches = sa.literal_column(INDEX).op("MATCH", is_comparison=True)(_expression(search))
    return sa.select(sa.func.count()).select_from(sa.select(_fts.c["rowid"]).where(matches).limit(cap).subquery())


def _matches(search: Search, way: Way) -> sa.Select[tuple[int, int]]:
    table, seq = search.table, _fts.c["rowid"]
    matches = sa.literal_column(INDEX).op("MATCH", is_comparison=True)(_expression(search))
    rows = sa.select(seq.label("seq"), table.c["record"]).select_from(_fts.join(table, table.c["seq"] == seq))
    return way.along(rows.where(matches), seq)


def _expression(search: Search) -> str:
    scope = [] if search.scopes is None else ["(" + " OR ".join(f'"{token}"' for token in search.scopes) + ")"]
    return " AND ".join([f'"{search.token}"', *scope, *map(_question, search.words.terms)])


def _question(term: Term) -> str:
    return f'"{term.word}"' if term.whole else f'"{term.word[:LONGEST_PREFIX]}"*'


def _checks(search: Search) -> list[sa.ColumnElement[bool]]:
    long = [term.needle for term in search.words.terms if not term.whole and len(term.word) > LONGEST_PREFIX]
    return [search.has(needle) for needle in (*search.words.phrases, *long)] + search.holds(search.table)

"""The search index: one table for all modules, written in the record's own transaction; and the search in it.

Called by records/, which gives the texts, the tokens of the scope and the condition: nothing here decides who may
see what. Each change deletes a record's rows and inserts them again, so that the order of `seq` is the order of the
last change, and a page begins where the last one ended. What the two databases do differently stands in
search_sqlite.py and search_postgresql.py; what a search is made of, in search_request.py.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.database import search_postgresql, search_sqlite
from portal.database.search_request import (
    MOST_TYPED_WORDS,
    Search,
    Way,
    Words,
    indexed_text,
    module_token,
    typed_words,
)

__all__ = [
    "COUNTED", "MOST_TYPED_WORDS", "Entry", "Hit", "Search", "Words", "count", "create_index", "drop_index", "filling",
    "indexed_text", "is_index_object", "organization", "page", "person", "put", "put_many", "rebuild", "remove",
    "replace_text", "search_table", "typed_words",
]  # fmt: skip

COUNTED = 1001  # hits; more are “1,000+”
BATCH = 500
FIRST_LOOK, SECOND_LOOK, LONGEST_LOOK = 150, 2000, 20_000  # rows
FEW = 3000  # records that a condition leaves, few enough to be named one by one


def search_table(metadata: sa.MetaData) -> sa.Table:
    """The table of texts: a row per record, and one more for staff where a module has internal fields."""
    return sa.Table(
        "portal_search",
        metadata,
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("module", sa.Text()),
        sa.Column("record", sa.BigInteger()),
        sa.Column("part", sa.SmallInteger()),  # 0: what everyone may match; 1: the internal fields too, for staff
        sa.Column("scope", sa.Text()),  # tokens, a space before each: _mtickets _p17 _o42
        sa.Column("text", sa.Text()),  # words, a space before and after each
        sa.UniqueConstraint("module", "record", "part"),
        # The number of a deleted row must not come again, or an old change would look like the newest.
        sqlite_autoincrement=True,
    )


@dataclass(frozen=True)
class Entry:
    """What the index keeps of one record.

    `internal`: the texts that only staff may match, None where the module has no such fields.
    `scopes`: what stands in the record itself, made by `person` and `organization`.
    """

    module: str
    record: int
    texts: Sequence[str]
    reference: str = ""
    scopes: Sequence[str] = ()
    internal: Sequence[str] | None = None

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table."""
        rows = [self._row(0, self.texts)]
        return rows if self.internal is None else [*rows, self._row(1, [*self.texts, *self.internal])]

    def _row(self, part: int, texts: Sequence[str]) -> dict[str, Any]:
        return {
            "module": self.module,
            "record": self.record,
            "part": part,
            "scope": "".join(f" {token}" for token in dict.fromkeys([module_token(self.module, part), *self.scopes])),
            "text": indexed_text(texts, self.reference),
        }


class Hit(NamedTuple):
    """A record that was found; `seq` is its place in the order of changes, the greatest the newest."""

    seq: int
    record: int


def person(identity: int) -> str:
    """The token of a record's owner."""
    return f"_p{identity}"


def organization(identity: int) -> str:
    """The token of a record's organization."""
    return f"_o{identity}"


# -- the index itself -------------------------------------------------------------------------------------------------


def create_index(connection: sa.Connection) -> None:
    """Make what the table's own columns do not say, where it is missing; the table must be there."""
    _backend(connection).create(connection)


def drop_index(connection: sa.Connection) -> None:
    """Remove what `create_index` made; the texts stay."""
    _backend(connection).drop(connection)


def is_index_object(name: str) -> bool:
    """Whether a table or an index of the database is part of the index, and none of the tables' comparison."""
    return name.startswith(search_sqlite.INDEX) or name in (search_postgresql.INDEX, search_postgresql.NEWEST)


def rebuild(connection: sa.Connection) -> None:
    """Make the index anew from the texts."""
    _backend(connection).rebuild(connection)


def filling(connection: sa.Connection) -> AbstractContextManager[None]:
    """A block in which many thousand records are put: the index follows at its end. An exception must roll back."""
    return _backend(connection).filling(connection)


# -- writing ----------------------------------------------------------------------------------------------------------


def put(connection: sa.Connection, table: sa.Table, entry: Entry) -> None:
    """A record was made or changed: it is the newest now."""
    put_many(connection, table, [entry])


def put_many(connection: sa.Connection, table: sa.Table, entries: Iterable[Entry]) -> None:
    """Records were made or changed, in this order; one record once. Within `filling` it is ten times as fast."""
    remaining = iter(entries)
    while batch := list(islice(remaining, BATCH)):
        for module in {entry.module for entry in batch}:
            records = [entry.record for entry in batch if entry.module == module]
            connection.execute(table.delete().where(table.c["module"] == module, table.c["record"].in_(records)))
        connection.execute(table.insert(), [row for entry in batch for row in entry.rows()])


def replace_text(connection: sa.Connection, table: sa.Table, entry: Entry) -> None:
    """A record's texts or tokens changed by a change elsewhere: it keeps its place in the order."""
    kept = _of(table, entry.module, entry.record)
    rows = entry.rows()
    for row in rows:
        changed = table.update().where(*kept, table.c["part"] == row["part"]).values(row)
        if not connection.execute(changed).rowcount:
            connection.execute(table.insert(), row)
    connection.execute(table.delete().where(*kept, table.c["part"] >= len(rows)))


def remove(connection: sa.Connection, table: sa.Table, module: str, record: int) -> None:
    """A record was deleted."""
    connection.execute(table.delete().where(*_of(table, module, record)))


def _of(table: sa.Table, module: str, record: int) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c["module"] == module, table.c["record"] == record


# -- searching --------------------------------------------------------------------------------------------------------


def count(connection: sa.Connection, search: Search, cap: int = COUNTED) -> int:
    """How many records are found; it stops at `cap`."""
    if search.scopes is not None and not search.scopes:
        return 0
    quickly = _backend(connection).count(search, cap)
    return len(page(connection, search, cap)) if quickly is None else connection.execute(quickly).scalar_one()


def page(
    connection: sa.Connection, search: Search, limit: int, before: int | None = None, after: int | None = None
) -> list[Hit]:
    """Up to `limit` hits, newest change first: those next to `before` or to `after`, which are numbers of hits."""
    if search.scopes is not None and not search.scopes:
        return []
    way = Way(before, after)
    found = _hits(connection, search, way, limit)
    return found[::-1] if way.upwards else found


def _hits(connection: sa.Connection, search: Search, way: Way, limit: int) -> list[Hit]:
    hits: list[Hit] = []
    if _backend(connection).looks_around_first(connection, search, limit):
        hits, left = _look_around(connection, search, way, limit)
        if left is None:
            return hits
        way = left
        few = _few_records(connection, search)
        if few is not None:
            return hits + _among(connection, search, few, way, limit - len(hits))
    rest = _backend(connection).rest(connection, search, way, limit - len(hits))
    return hits + [Hit(*row) for row in connection.execute(rest)]


def _look_around(connection: sa.Connection, search: Search, way: Way, limit: int) -> tuple[list[Hit], Way | None]:
    """The hits among the next rows, and the way that is left; None when they are enough, or there are no more rows."""
    hits: list[Hit] = []
    looked, size = 0, FIRST_LOOK
    while looked + size <= LONGEST_LOOK:
        rows = connection.execute(_look(connection, search, way, size, limit - len(hits))).all()
        hits += [Hit(row.seq, row.record) for row in rows if row.seq is not None]
        if len(hits) >= limit or rows[0].looked < size:
            return hits, None
        way, looked = way.from_here(rows[0].last), looked + size
        size = _next_look(looked, len(hits), limit)
    return hits, way


def _look(connection: sa.Connection, search: Search, way: Way, size: int, limit: int) -> sa.Select[Any]:
    """The hits among the next `size` rows, each with how many there were and the last; a row without a hit if none."""
    rows = _backend(connection).window(search, way, size).cte("next_rows")
    last = (sa.func.max if way.upwards else sa.func.min)(rows.c["seq"])
    facts = sa.select(sa.func.count().label("looked"), last.label("last")).select_from(rows).subquery("facts")
    hits = sa.select(facts, rows.c["seq"], rows.c["record"]).select_from(facts.outerjoin(rows, rows.c["holds"]))
    return way.in_order(hits, rows.c["seq"]).limit(limit)


def _next_look(looked: int, found: int, limit: int) -> int:
    """How many rows to look at next: as many as the hits so far let expect to be enough."""
    if looked < SECOND_LOOK:
        return SECOND_LOOK - looked
    return max(1000, int((limit - found) / found * looked * 1.3)) if found >= 3 else LONGEST_LOOK


def _few_records(connection: sa.Connection, search: Search) -> list[int] | None:
    """The records that the condition leaves, if they are few: then they are asked, not the index."""
    if search.condition is None:
        return None
    identity = search.module.c["id"]
    found = connection.scalars(sa.select(identity).where(search.condition).limit(FEW + 1)).all()
    return list(found) if len(found) <= FEW else None


def _among(connection: sa.Connection, search: Search, records: list[int], way: Way, limit: int) -> list[Hit]:
    seq, record = search.table.c["seq"], search.table.c["record"]
    rows = search.rows().where(record.in_(records), *search.tests())
    return [Hit(*row) for row in connection.execute(way.along(rows, seq).limit(limit))]


def _backend(connection: sa.Connection) -> ModuleType:
    return search_sqlite if connection.dialect.name == "sqlite" else search_postgresql

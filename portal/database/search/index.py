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

from portal.database.search import postgresql as search_postgresql
from portal.database.search import sqlite as search_sqlite
from portal.database.search.request import (
    BATCH_SIZE,
    MOST_TYPED_WORDS,
    Candidates,
    Direction,
    Search,
    Words,
    indexed_text,
    module_token,
    parse_words,
)

__all__ = [
    "COUNTED", "MOST_TYPED_WORDS", "Entry", "Found", "Hit", "Search", "Words", "count", "create_index", "drop_index",
    "filling", "find", "indexed_text", "is_index_object", "organization", "page", "person", "put", "put_many",
    "rebuild", "remove", "replace_texts", "search_table", "parse_words",
]  # fmt: skip

COUNTED = 1001  # hits; more are “1,000+”
BATCH = 500
LEAST = 26  # hits that are looked for before a count may end: as many as tell that a page has a next one
LONGEST_LOOK = 20_000  # rows
MOST_KEPT = 200  # statements
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


@dataclass(frozen=True)
class Found:
    """The hits of a page, and how many there are from its beginning on; `more` when counting stopped at `number`."""

    hits: list[Hit]
    number: int = 0
    more: bool = False


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
    return name.startswith(search_sqlite.INDEX) or name in search_postgresql.INDEXES


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


def replace_texts(connection: sa.Connection, table: sa.Table, entries: Iterable[Entry]) -> None:
    """Texts or tokens of records of one module changed by a change elsewhere: they keep their places in the order."""
    wanted = {(row["record"], row["part"]): row for entry in entries for row in entry.rows()}
    if not wanted:
        return
    module, seq = next(iter(wanted.values()))["module"], table.c["seq"]
    these = table.c["module"] == module, table.c["record"].in_({record for record, _part in wanted})
    known = {(row.record, row.part): row for row in connection.execute(sa.select(table).where(*these))}
    changed = [
        {"row": row.seq, "new_scope": wanted[key]["scope"], "new_text": wanted[key]["text"]}
        for key, row in known.items()
        if key in wanted and (row.scope, row.text) != (wanted[key]["scope"], wanted[key]["text"])
    ]
    if changed:
        new = {"scope": sa.bindparam("new_scope"), "text": sa.bindparam("new_text")}
        connection.execute(table.update().where(seq == sa.bindparam("row")).values(new), changed)
    if lacking := [row for key, row in wanted.items() if key not in known]:
        connection.execute(table.insert(), lacking)
    if needless := [row.seq for key, row in known.items() if key not in wanted]:
        connection.execute(table.delete().where(seq.in_(needless)))


def remove(connection: sa.Connection, table: sa.Table, module: str, record: int) -> None:
    """A record was deleted."""
    connection.execute(table.delete().where(*_of(table, module, record)))


def _of(table: sa.Table, module: str, record: int) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c["module"] == module, table.c["record"] == record


# -- searching --------------------------------------------------------------------------------------------------------


def count(connection: sa.Connection, search: Search, cap: int = COUNTED) -> Found:
    """How many records are found, without telling which; it stops at `cap`, or where counting on takes longer."""
    return find(connection, search, min(cap, LEAST), counted=cap)


def page(
    connection: sa.Connection, search: Search, limit: int, before: int | None = None, after: int | None = None
) -> list[Hit]:
    """Up to `limit` hits, newest change first: those next to `before` or to `after`, which are numbers of hits."""
    return find(connection, search, limit, before, after).hits


def find(
    connection: sa.Connection,
    search: Search,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    counted: int = 0,
) -> Found:
    """A page as `page` gives it, and in the same go how many hits there are, as far as `counted`.

    In one statement where that is enough: to look for the same words twice took as long again.
    """
    if search.scopes is not None and not search.scopes:
        return Found([])
    way = Direction(before, after)
    found = _look_around(connection, search, way, limit, counted)
    return Found(found.hits[::-1], found.number, found.more) if way.upwards else found


def _look_around(connection: sa.Connection, search: Search, way: Direction, limit: int, counted: int) -> Found:
    """The hits among the next rows, more and more of them while that costs least; then those that an index names."""
    backend = _backend(connection)
    hits: list[Hit] = []
    looked = number = 0
    size = backend.first_look(connection, search, limit, counted)
    while size:
        asked = _ask(connection, search, backend.window(search, way), way, size, limit - len(hits))
        hits, looked, number = hits + asked.hits, looked + asked.looked, number + asked.number
        if asked.looked < size or len(hits) >= limit:
            return Found(hits, number, asked.looked == size)
        way = way.from_here(asked.last)
        size = backend.next_look(connection, search, limit, looked, number) if looked < LONGEST_LOOK else 0
    few = _few_records(connection, search) if looked else None
    rest = backend.rest(connection, search, way) if few is None else _among(search, few, way)
    most = max(limit - len(hits), counted - number)
    asked = _ask(connection, search, rest, way, most, limit - len(hits))
    return Found(hits + asked.hits, number + asked.number, asked.number >= most)


class _Asked(NamedTuple):
    """What a statement answered: the first hits, how many rows it looked at, the last of them, all hits in them."""

    hits: list[Hit]
    looked: int
    last: int
    number: int


def _ask(
    connection: sa.Connection, search: Search, asking: Candidates, way: Direction, size: int, limit: int
) -> _Asked:
    """The first `limit` hits among the `size` next rows of `asking`, and the facts."""
    values = search.values | way.values | asking.values | {"size": size, "wanted": max(limit, 1)}
    answer = connection.execute(_statement(search, asking, way), values).all()
    looked, end, held = answer[0][:3]
    return _Asked([Hit(row[3], row[4]) for row in answer if row[3] is not None][:limit], looked, end, held)


def _statement(search: Search, asking: Candidates, way: Direction) -> sa.Select[Any]:
    if asking.shape is None or search.condition is not None:
        return _with_facts(asking.build(), way)
    kept = search.table.info.setdefault("statements", {})
    shape = (search.module.name, search.part, way.before is None, way.after is None, *asking.shape)
    found = kept.get(shape)
    if found is None:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[shape] = _with_facts(asking.build(), way)
    return found


def _with_facts(select: sa.Select[Any], way: Direction) -> sa.Select[Any]:
    """The first of the rows of `select` that hold, each with the facts about all; a row without a hit if none."""
    rows = select.cte("next_rows")
    last = (sa.func.max if way.upwards else sa.func.min)(rows.c["seq"])
    number = sa.func.count().filter(rows.c["holds"])
    facts = sa.select(sa.func.count().label("looked"), last.label("last"), number.label("number")).select_from(rows)
    within = facts.subquery("facts")
    hits = sa.select(within, rows.c["seq"], rows.c["record"]).select_from(within.outerjoin(rows, rows.c["holds"]))
    return way.in_order(hits, rows.c["seq"]).limit(sa.bindparam("wanted", type_=sa.Integer()))


def _few_records(connection: sa.Connection, search: Search) -> list[int] | None:
    """The records that the condition leaves, if they are few: then they are asked, not the index."""
    if search.condition is None:
        return None
    identity = search.module.c["id"]
    found = connection.scalars(sa.select(identity).where(search.condition).limit(FEW + 1)).all()
    return list(found) if len(found) <= FEW else None


def _among(search: Search, records: list[int], way: Direction) -> Candidates:
    rows = search.rows().where(search.table.c["record"].in_(records), *search.tests())
    select = way.along(rows.add_columns(sa.true().label("holds")), search.table.c["seq"])
    return Candidates(lambda: select.limit(BATCH_SIZE), {}, None)


def _backend(connection: sa.Connection) -> ModuleType:
    return search_sqlite if connection.dialect.name == "sqlite" else search_postgresql

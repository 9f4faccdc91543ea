"""The search index: one table of texts for all modules, written in each record's own transaction, and its search.

Called by records/, which provides the texts, the tokens of the scope and the condition: nothing here decides who may
see what. A change deletes the rows of a record and inserts them again, so that the order of `seq` is the order of the
last change, and a page begins where the previous one ended.

A search reads *candidate* rows, newest first, in windows of growing size, and tests each; that is cheapest if hits are
common. When the next window would cost more than the index, the remaining hits come from the index, or from the records
that the condition leaves, if these are few. The two engines, sqlite.py and postgresql.py, estimate the costs; both find
the same. search_request.py has the parts of a search.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.batches import batched
from portal.database.fetching import fetch
from portal.database.search import postgresql, sqlite
from portal.database.search.search_request import (
    BATCH_SIZE,
    BOTH,
    PUBLIC,
    STAFF,
    Candidates,
    Newest,
    PageStart,
    Progress,
    Search,
    shared_statement,
)
from portal.database.search.tokens import module_token
from portal.database.search.words import indexed_text
from portal.fields.column_types import serial_column

COUNTED = 1001  # hits; more are shown as “1,000+”
BATCH = 500  # records
MIN_COUNTED = 26  # hits before a count may stop early: enough to know whether a page has a next one
MAX_SCANNED = 20_000  # candidates that are read in windows
FEW_RECORDS = 3000  # left by a condition, few enough to list them in a statement


def search_table(metadata: sa.MetaData) -> sa.Table:
    """The table of texts: a row per record, and a second one for staff if a record has internal texts."""
    return sa.Table(
        "portal_search",
        metadata,
        serial_column("seq"),
        sa.Column("module", sa.Text()),
        sa.Column("record", sa.BigInteger()),
        sa.Column("part", sa.SmallInteger()),  # PUBLIC, STAFF (with the internal texts) or BOTH
        sa.Column("scope", sa.Text()),  # tokens, a space before each: _mtickets _p17 _o42
        sa.Column("text", sa.Text()),  # words, a space before and after each
        sa.UniqueConstraint("module", "record", "part"),
        # The number of a deleted row must not be reused, or an old change would look like the newest.
        sqlite_autoincrement=True,
    )


@dataclass(frozen=True)
class Entry:
    """The entry of the search index for one record: its texts and tokens.

    `scopes`: tokens of `owner_token`, `organization_token` and `watcher_token`. `internal`: texts that only staff may
    search, None if the module has no such fields.
    """

    module: str
    record: int
    texts: Sequence[str]
    reference: str = ""
    scopes: Sequence[str] = ()
    internal: Sequence[str] | None = None

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table."""
        if self.internal is None:
            return [self._row(PUBLIC, self.texts)]
        if not self.internal:
            return [self._row(BOTH, self.texts)]
        return [self._row(PUBLIC, self.texts), self._row(STAFF, [*self.texts, *self.internal])]

    def _row(self, part: int, texts: Sequence[str]) -> dict[str, Any]:
        readers = (PUBLIC, STAFF) if part == BOTH else (part,)
        modules = [module_token(self.module, reader) for reader in readers]
        return {
            "module": self.module,
            "record": self.record,
            "part": part,
            "scope": "".join(f" {token}" for token in dict.fromkeys([*modules, *self.scopes])),
            "text": indexed_text(texts, self.reference),
        }


class Hit(NamedTuple):
    """A matching record; `seq` is its place in the order of changes, the greatest being the newest."""

    seq: int
    record: int


@dataclass(frozen=True)
class SearchResult:
    """The hits of a page, and the number of hits from its start; `more` if counting stopped at `number`."""

    hits: list[Hit]
    number: int = 0
    more: bool = False


def create_search_index(connection: sa.Connection) -> None:
    """Creates the missing parts of the index; the table must exist."""
    _engine_of(connection).create(connection)


def finish_search_index(engine: sa.Engine) -> None:
    """Creates what `create_search_index` left out because it takes long with many rows, while others read and write."""
    if engine.dialect.name == "postgresql":
        postgresql.finish(engine)


def is_finished(connection: sa.Connection) -> bool:
    """Whether nothing is left for `finish_search_index`."""
    return connection.dialect.name != "postgresql" or postgresql.is_finished(connection)


def is_index_object(name: str) -> bool:
    """Whether a table or an index is part of the search index, so that migrations leave it alone."""
    return name.startswith(sqlite.INDEX) or name in postgresql.INDEXES


def filling(connection: sa.Connection) -> AbstractContextManager[None]:
    """A block to write thousands of entries: the index is updated at its end. An exception must roll back."""
    return _engine_of(connection).filling(connection)


# -- writing ----------------------------------------------------------------------------------------------------------


def put_many(connection: sa.Connection, table: sa.Table, entries: Iterable[Entry]) -> None:
    """Writes entries of created or changed records to the search index, in this order: they are now the newest.

    Within `filling`, this is ten times as fast.
    """
    for batch in batched(entries, BATCH):
        for module in {entry.module for entry in batch}:
            records = [entry.record for entry in batch if entry.module == module]
            connection.execute(table.delete().where(table.c["module"] == module, table.c["record"].in_(records)))
        _engine_of(connection).insert(connection, table, [row for entry in batch for row in entry.rows()])


def replace_texts(connection: sa.Connection, table: sa.Table, entries: Iterable[Entry]) -> None:
    """Rewrites entries of one module in the search table after a change elsewhere: they keep their places in the order.

    Only if a record gets its first internal text, staff find it as the newest.
    """
    for batch in batched(entries, BATCH):
        _replace_some(connection, table, batch)


def _replace_some(connection: sa.Connection, table: sa.Table, entries: Sequence[Entry]) -> None:
    new_rows = {(row["record"], row["part"] == STAFF): row for entry in entries for row in entry.rows()}
    module, seq = next(iter(new_rows.values()))["module"], table.c["seq"]
    of_records = table.c["module"] == module, table.c["record"].in_({record for record, _of_staff in new_rows})
    old_rows = {(row.record, row.part == STAFF): row for row in connection.execute(sa.select(table).where(*of_records))}
    changed = [
        {"row": row.seq, **{f"new_{name}": new[name] for name in ("part", "scope", "text")}}
        for key, row in old_rows.items()
        if (new := new_rows.get(key)) and (row.part, row.scope, row.text) != (new["part"], new["scope"], new["text"])
    ]
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("part", "scope", "text")}
        connection.execute(table.update().where(seq == sa.bindparam("row")).values(values), changed)
    if added := [row for key, row in new_rows.items() if key not in old_rows]:
        _engine_of(connection).insert(connection, table, added)
    if removed := [row.seq for key, row in old_rows.items() if key not in new_rows]:
        connection.execute(table.delete().where(seq.in_(removed)))


def remove(connection: sa.Connection, table: sa.Table, module: str, records: Sequence[int]) -> None:
    """Removes the entries of deleted records from the search index."""
    connection.execute(table.delete().where(table.c["module"] == module, table.c["record"].in_(records)))


# -- searching --------------------------------------------------------------------------------------------------------


def newest(connection: sa.Connection, searches: Sequence[Search], limit: int) -> list[Newest]:
    """The newest `limit` hits of each of several searches, and their number up to COUNTED.

    The searches have the same words; only these, module, part and scopes are used. One statement answers all searches
    except those that are faster on their own.
    """
    engine = _engine_of(connection)
    together = engine.answered_by_newest(connection, [*filter(_may_have_hits, searches)])
    answers = dict(zip(together, engine.newest(connection, together, limit, COUNTED) if together else (), strict=True))
    return [answers.get(search) or _newest_alone(connection, search, limit) for search in searches]


def _newest_alone(connection: sa.Connection, search: Search, limit: int) -> Newest:
    result = find(connection, replace(search, condition=None, visible=None), limit, counted=COUNTED)
    return Newest([hit.record for hit in result.hits], result.number, result.more)


def _may_have_hits(search: Search) -> bool:
    return search.scopes is None or bool(search.scopes)


def count(connection: sa.Connection, search: Search, cap: int = COUNTED) -> SearchResult:
    """The number of hits, up to `cap`; counting may stop earlier if continuing would take long."""
    return find(connection, search, min(cap, MIN_COUNTED), counted=cap)


def page(
    connection: sa.Connection, search: Search, limit: int, before: int | None = None, after: int | None = None
) -> list[Hit]:
    """Up to `limit` hits, newest change first: those next to the hit with `seq` `before` or `after`."""
    return find(connection, search, limit, before, after).hits


def find(
    connection: sa.Connection,
    search: Search,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    counted: int = 0,
) -> SearchResult:
    """A page of hits like `page`, and the number of hits, up to `counted`.

    Both come from the same statements: counting the hits separately would take as long again.
    """
    if not _may_have_hits(search):
        return SearchResult([])
    start = PageStart(before, after)
    result = _find(connection, search, start, limit, counted)
    return SearchResult(result.hits[::-1], result.number, result.more) if start.oldest_first else result


def _find(connection: sa.Connection, search: Search, start: PageStart, limit: int, counted: int) -> SearchResult:
    """Hits in windows of candidates while that is cheapest, then by an index; in reading order."""
    engine = _engine_of(connection)
    hits: list[Hit] = []
    progress = Progress()
    records = _few_records(connection, search, search.visible)
    while records is None and progress.scanned < MAX_SCANNED:
        # The hits are counted if that needs no further statement.
        needed = limit - len(hits) if progress.scanned else max(limit, counted)
        window = engine.next_window(connection, search, needed, progress)
        if window is None:
            break
        candidates = engine.candidates(connection, search, start, window)
        rows = _read(connection, search, candidates, start, window, limit - len(hits))
        hits, ended = hits + rows.hits, rows.scanned < window
        progress = Progress(progress.scanned + rows.scanned, progress.hits + rows.number)
        if ended or len(hits) >= limit:
            return SearchResult(hits, progress.hits, more=not ended)
        start = start.moved_to(rows.last)
    if records is None and progress.scanned:
        records = _few_records(connection, search, search.condition)
    if records is None:
        candidates = engine.candidates(connection, search, start, None)
    else:
        candidates = _candidates_among(search, records, start)
    size = max(limit - len(hits), counted - progress.hits)
    rest = _read(connection, search, candidates, start, size, limit - len(hits))
    return SearchResult(hits + rest.hits, progress.hits + rest.number, more=rest.number >= size)


class _Rows(NamedTuple):
    """The result of one statement: the first hits, the number of candidates, the last of them, the number of hits."""

    hits: list[Hit]
    scanned: int
    last: int
    number: int


def _read(
    connection: sa.Connection, search: Search, candidates: Candidates, start: PageStart, size: int, limit: int
) -> _Rows:
    """The first `limit` hits among the next `size` candidates."""
    limits = {"size": size, "limit": max(limit, 1)}
    parameters = search.parameters | start.parameters | candidates.parameters | limits
    rows = fetch(connection, _statement(search, candidates, start), parameters)
    hits = [Hit(row["seq"], row["record"]) for row in rows if row["seq"] is not None][:limit]
    return _Rows(hits, rows[0]["scanned"], rows[0]["last"], rows[0]["number"])


def _statement(search: Search, candidates: Candidates, start: PageStart) -> sa.Select[Any]:
    if candidates.cache_key is None or search.condition is not None or search.visible is not None:
        return _hits_and_totals(candidates.build(), start)
    key = (search.module.name, search.part, start.before is None, start.after is None, *candidates.cache_key)
    return shared_statement(search, key, lambda: _hits_and_totals(candidates.build(), start))


def _hits_and_totals(candidates: sa.Select[Any], start: PageStart) -> sa.Select[Any]:
    """The first hits among the candidates, each row with the totals over all candidates; one row if there is no hit."""
    rows = candidates.cte("candidates")
    last = (sa.func.max if start.oldest_first else sa.func.min)(rows.c["seq"])
    number = sa.func.count().filter(rows.c["is_hit"])
    totals = sa.select(sa.func.count().label("scanned"), last.label("last"), number.label("number")).select_from(rows)
    limit = sa.bindparam("limit", type_=sa.Integer())
    hits = start.order(sa.select(rows.c["seq"], rows.c["record"]).where(rows.c["is_hit"]), rows.c["seq"]).limit(limit)
    one, first = totals.subquery("totals"), hits.subquery("hits")
    return start.order(sa.select(one, first).select_from(one.outerjoin(first, sa.true())), first.c["seq"])


def _few_records(
    connection: sa.Connection, search: Search, condition: sa.ColumnElement[bool] | None
) -> list[int] | None:
    """The records that the condition of a search leaves, if they are few: searching these costs less than the index."""
    if condition is None:
        return None
    record_id = search.module.c["id"]
    records = connection.scalars(sa.select(record_id).where(condition).limit(FEW_RECORDS + 1)).all()
    return list(records) if len(records) <= FEW_RECORDS else None


def _candidates_among(search: Search, records: list[int], start: PageStart) -> Candidates:
    rows = search.rows().where(search.table.c["record"].in_(records), *search.index_tests())
    rows = rows.where(*search.visible_tests(search.table), *search.condition_tests(search.table))
    select = start.limit(rows.add_columns(sa.true().label("is_hit")), search.table.c["seq"])
    return Candidates(lambda: select.limit(BATCH_SIZE), {}, None)


def _engine_of(connection: sa.Connection) -> ModuleType:
    """The search engine of the connection's database: sqlite.py or postgresql.py."""
    return sqlite if connection.dialect.name == "sqlite" else postgresql

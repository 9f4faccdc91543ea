"""One search in one module: its words and scope, where its page begins, and the row tests of its statements.

Both engines, sqlite.py and postgresql.py, get a `Search` from index.py and return `Candidates`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa

from portal.database.postgresql import cache_plan
from portal.database.search.tokens import module_token
from portal.database.search.words import SearchWords
from portal.fields.column_types import SqlByDatabase

MAX_CACHED_STATEMENTS = 500
INDEX_VERSION = 1  # of the table of texts, whose columns do not depend on the declaration

# The parts of the index. A row that everyone may search is also for staff, unless staff have a row of their own.
PUBLIC, STAFF, BOTH = 0, 1, 2

BATCH_SIZE = sa.bindparam("size", type_=sa.Integer())  # how many candidate rows a statement reads


class PositionIn(SqlByDatabase):
    """The position of one text in another, 0 if it is not there. It is no pattern: no character is special."""

    type = sa.Integer()
    inherit_cache = True
    sqlite = "instr({0}, {1})"
    postgresql = 'strpos(({0}) COLLATE "C", {1})'  # compares bytes: a quarter faster


@dataclass(frozen=True)
class Search:
    """One search in the index: its words and scope in one module.

    `scopes`: tokens of which a record must have one, None for all records. `part`: STAFF also searches internal texts.
    On the module's table, `visible` are the records that the reader may see, if tokens cannot express them, and
    `condition` (tabs and filters) must also hold. Records that are not visible count toward no window or limit.
    """

    table: sa.Table
    module: sa.Table
    words: SearchWords
    scopes: tuple[str, ...] | None = None
    part: int = PUBLIC
    condition: sa.ColumnElement[bool] | None = None
    visible: sa.ColumnElement[bool] | None = None

    @property
    def module_token(self) -> str:
        """The token of every row of this module and part."""
        return module_token(self.module.name, self.part)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The values of the parameters of `contains` and `has_token`."""
        tokens = {f"token_{place}": f" {token} " for place, token in enumerate(self.tokens)}
        return tokens | {f"needle_{place}": needle for place, needle in enumerate(self.needles)}

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All tokens that a statement of this search may use."""
        return (self.module_token, *(self.scopes or ()))

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """All texts that a statement of this search may use."""
        return tuple(dict.fromkeys([*(term.needle for term in self.words.terms), *self.words.phrases]))

    def contains(self, needle: str) -> sa.ColumnElement[bool]:
        """Whether the text of a row contains one of `needles`."""
        parameter = sa.bindparam(f"needle_{self.needles.index(needle)}", type_=sa.Text())
        return PositionIn(self.table.c["text"], parameter) > sa.literal_column("0")

    def has_token(self, *tokens: str) -> sa.ColumnElement[bool]:
        """Whether a row has one of these, which must be among `tokens`."""
        scope = self.table.c["scope"] + sa.literal_column("' '")
        names = [f"token_{self.tokens.index(token)}" for token in tokens]
        positions = [PositionIn(scope, sa.bindparam(name, type_=sa.Text())) for name in names]
        return sa.or_(sa.false(), *(position > sa.literal_column("0") for position in positions))

    def condition_tests(self, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """The condition as a test of one row of `rows`, which has a column `record`; [] without a condition."""
        return self._module_tests(self.condition, rows)

    def visible_tests(self, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Whether the record of one row of `rows` is visible; [] if tokens express that."""
        return self._module_tests(self.visible, rows)

    def _module_tests(
        self, condition: sa.ColumnElement[bool] | None, rows: sa.FromClause
    ) -> list[sa.ColumnElement[bool]]:
        if condition is None:
            return []
        # Not EXISTS, for which PostgreSQL may read the whole table of the module first.
        one: sa.ColumnClause[int] = sa.literal_column("1")
        matching = sa.select(one).where(self.module.c["id"] == rows.c["record"], condition)
        return [matching.select_from(self.module).correlate(rows).scalar_subquery() == 1]

    def index_tests(self) -> list[sa.ColumnElement[bool]]:
        """The scope and the words as tests of one row of the table."""
        scope = [] if self.scopes is None else [self.has_token(*self.scopes)]
        return [*scope, *map(self.contains, self.words.needles)]

    @property
    def in_part(self) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        """Whether a row belongs to the module and part."""
        return in_part(self.table, self.module.name, self.part)

    def rows(self) -> sa.Select[tuple[int, int]]:
        """All rows of the search table in the module and part: seq and record."""
        return sa.select(self.table.c["seq"], self.table.c["record"]).where(*self.in_part)


def in_part(table: sa.Table, module: str, part: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Whether a row of `table` is searched in a module by readers of `part`: each record has one such row."""
    return table.c["module"] == module, table.c["part"] != other_part(part)


def other_part(part: int) -> int:
    """The part whose rows a search in `part` leaves out."""
    return PUBLIC if part == STAFF else STAFF


@dataclass(frozen=True)
class PageStart:
    """Where a page begins: after the hit `before`, newest change first; or before the hit `after`, oldest first."""

    before: int | None = None
    after: int | None = None

    @property
    def oldest_first(self) -> bool:
        """Whether rows are read in the opposite order, toward the newest."""
        return self.after is not None and self.before is None

    @property
    def parameters(self) -> dict[str, int | None]:
        """The values of the parameters of `limit`."""
        return {"before": self.before, "after": self.after}

    def limit(self, rows: sa.Select[Any], seq: sa.ColumnElement[int]) -> sa.Select[Any]:
        """The rows of the search index after the start of the page, in reading order."""
        if self.before is not None:
            rows = rows.where(seq < sa.bindparam("before", type_=sa.BigInteger()))
        if self.after is not None:
            rows = rows.where(seq > sa.bindparam("after", type_=sa.BigInteger()))
        return self.order(rows, seq)

    def order(self, rows: sa.Select[Any], seq: sa.ColumnElement[int]) -> sa.Select[Any]:
        """The `rows` of a page of hits in reading order."""
        return rows.order_by(seq.asc() if self.oldest_first else seq.desc())

    def moved_to(self, seq: int) -> "PageStart":
        """The start of what follows `seq`."""
        return replace(self, after=seq) if self.oldest_first else replace(self, before=seq)


def shared_statement(search: Search, key: tuple[Any, ...], build: Callable[[], sa.Select[Any]]) -> sa.Select[Any]:
    """The SQL of a search request, which `build` makes once for each key and process; one plan suits all values."""
    cache: dict[tuple[Any, ...], sa.Select[Any]] = search.table.info.setdefault("statements", {})
    statement = cache.get(key)
    if statement is None:
        if len(cache) >= MAX_CACHED_STATEMENTS:
            cache.clear()
        statement = cache[key] = cache_plan(build(), INDEX_VERSION)
    return statement


class Progress(NamedTuple):
    """How many candidates the windows have had so far, and how many of these were hits."""

    scanned: int = 0
    hits: int = 0


class Newest(NamedTuple):
    """The records of the newest hits, and the number of hits; `more` if counting stopped at `number`."""

    records: list[int]
    number: int
    more: bool


class Candidates(NamedTuple):
    """A statement for candidate rows: seq, record, and `is_hit`, whether the row is a hit.

    To `build` a statement takes as long as to execute it, so those with the same `cache_key` are built once. The key
    describes the statement apart from its values; None for a unique statement.
    """

    build: Callable[[], sa.Select[Any]]
    parameters: dict[str, Any]
    cache_key: tuple[Any, ...] | None

"""What is new to an account: records that others changed since the account last looked at them, and who commented last;
what it has hidden until it changes.

A page reads all of it with one statement, built once for all readers of a kind: how many records of each module are
new, how many of them each tab of a list has, and, for the records on the page, when the account looked at them and who
wrote the last comment. A change is whatever moves a record in lists ordered by the last change: nothing internal does.

New records are counted where an index has the newest changes within the reader's scope. Records seen through another
record are marked, but not counted.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from portal.conditions import Condition, always
from portal.database.fetching import Row, fetch
from portal.database.postgresql import cache_plan
from portal.database.sql import AmongIds, Redundant, integer_literal
from portal.fields.column_types import UTCDateTime
from portal.records.policy import Policy, SharedPolicy
from portal.records.reading.count_statements import Count
from portal.records.reading.page_of_records import Record
from portal.records.reading.record_reader import RecordReader
from portal.records.reading.statements import Statements
from portal.records.statement_cache import IDS, StatementKey, id_list_parameter, may_be_shared, values_of

NEWEST = 100  # changed rows that are read in each part of a scope
MOST_COUNTED = 99
MOST_HIDDEN = 500  # records of one module and account; beyond that, those hidden first reappear
NEVER = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)
ALL = 0  # instead of a record: everything in the module
COUNT, SEEN, COMMENTED = "count", "seen", "commented"  # kinds of rows
COMMENTED_IDS = "commented_ids"


@dataclass(frozen=True)
class LastCommenter:
    """Who wrote the last comment of a record that customers may also read."""

    account: int | None
    name: str
    staff: bool


@dataclass(frozen=True)
class News:
    """What is new: `counts` by module, and the rest by the ids of the records of a page."""

    counts: dict[str, Count] = field(default_factory=dict)
    unread: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    last_commenters: dict[int, LastCommenter] = field(default_factory=dict)
    of_tabs: tuple[int, ...] = ()  # how many of the counted records fulfill each of the tabs' conditions


@dataclass(frozen=True)
class PageShown:
    """The page whose news is read with the counts: its records, which `reader` has read.

    `tabs`: conditions for which the new records of the module are also counted. `commented`: the ids of the records for
    which the page shows who commented last.
    """

    reader: RecordReader
    records: Sequence[Record]
    tabs: tuple[Condition, ...] = ()
    commented: Sequence[int] = ()


def read_news(
    connection: sa.Connection, policy: Policy, account: int, start: datetime.datetime | None, page: PageShown | None
) -> News:
    """What is new to an account in all modules of the profile, and on the page that is shown; what happened before
    `start` is not new.
    """
    start = start or NEVER
    values = values_of(policy.reader) | {"news_account": account, "news_from": start}
    here = page if page and page.reader.module.has_news and (page.records or page.tabs) else None
    if here:
        ids = [ALL, *[record.id for record in here.records]]
        tabs = here.reader.with_parameters(here.tabs)
        values |= here.reader.typed.values | {IDS: ids, COMMENTED_IDS: here.commented}
        here = here if tabs is here.tabs else replace(here, tabs=tabs)
    statement = _statement(policy, here)
    return News() if statement is None else _news(fetch(connection, statement, values), start, here)


def _counted_modules(policy: Policy) -> tuple[str, ...]:
    """The modules whose new records are counted, found once for all readers of a kind."""
    shared = policy.shared
    if shared is None:
        return tuple(name for name in policy.modules if is_counted(policy, name))
    return shared.statements.get(
        StatementKey("news modules", ""), lambda: tuple(name for name in shared.modules if is_counted(shared, name))
    )


def is_counted(policy: Policy, module: str) -> bool:
    """Whether news of a module is counted: an index has the newest visible records, however many others have."""
    access = policy.access(module)
    if access is None or not access.menu or not policy.declaration.modules[module].has_news:
        return False
    return policy.sees_all(module) or (access.see != "all" and policy.branches(module) is not None)


def _news(rows: Sequence[Row], start: datetime.datetime, page: PageShown | None) -> News:
    counts, of_tabs = _read_counts([row for row in rows if row["kind"] == COUNT], len(page.tabs) if page else 0)
    seen = [row for row in rows if row["kind"] == SEEN]
    moments = {row["record"]: row["at"] for row in seen}
    unread, hidden = _marks(
        page.records if page else (), moments, {row["record"] for row in seen if row["number"]}, start
    )
    last_commenters = {
        row["record"]: LastCommenter(row["account"], row["name"], bool(row["staff"]))
        for row in rows
        if row["kind"] == COMMENTED
    }
    return News(counts, unread, hidden, last_commenters, of_tabs)


def _read_counts(rows: Sequence[Row], tabs: int) -> tuple[dict[str, Count], tuple[int, ...]]:
    """How many records of each module are new, and how many of them each tab has, of a row for each part of a scope."""
    numbers: dict[str, int] = defaultdict(int)
    stopped: set[str] = set()
    of_tabs: tuple[int, ...] = ()
    for row in rows:
        if not row["examined"]:
            continue
        numbers[row["name"]] += row["number"]
        if row["examined"] > NEWEST:
            stopped.add(row["name"])
        in_tabs = tuple(row[_tab(place)] for place in range(tabs))
        if None not in in_tabs:
            of_tabs = tuple(map(sum, zip(of_tabs, in_tabs, strict=True))) if of_tabs else in_tabs
    counts = {
        name: Count(min(number, MOST_COUNTED), number > MOST_COUNTED or name in stopped)
        for name, number in numbers.items()
        if number
    }
    return counts, of_tabs


def _marks(
    records: Sequence[Record], seen: Mapping[int, datetime.datetime], hides: set[int], start: datetime.datetime
) -> tuple[frozenset[int], frozenset[int]]:
    """The ids of the records that changed since the account looked at them, and of those hidden until they change."""
    floor, changes = seen.get(ALL, start), {record.id: record.changed for record in records if record.changed}
    known = frozenset(record for record, looked in seen.items() if record in changes and looked >= changes[record])
    return frozenset(record for record, changed in changes.items() if changed > floor) - known, known & hides


# -- what is hidden ----------------------------------------------------------------------------------------------------


def hidden_records(records: RecordReader, account: int) -> list[int]:
    """The ids of the records that the account has hidden and that have not changed since."""
    seen = records.policy.tables.seen.c
    return _unchanged(records, account, seen["hidden"].is_not(None), seen["at"], seen["hidden"])


def dismissed_records(records: RecordReader, account: int) -> list[int]:
    """The ids of the notices that the account has dismissed and that have not changed since."""
    seen = records.policy.tables.seen.c
    return _unchanged(records, account, sa.true(), seen["dismissed"], seen["dismissed"])


def _unchanged(
    records: RecordReader,
    account: int,
    condition: sa.ColumnElement[bool],
    since: sa.ColumnElement[Any],
    order: sa.ColumnElement[Any],
) -> list[int]:
    seen, table = records.policy.tables.seen, records.table
    mine = seen.c["account"] == account, seen.c["module"] == records.name, condition
    query = sa.select(seen.c["record"]).join(table, table.c["id"] == seen.c["record"])
    unchanged = query.where(*mine, since >= table.c["modified"])
    return list(records.connection.scalars(unchanged.order_by(order.desc()).limit(MOST_HIDDEN)))


# -- the statement -----------------------------------------------------------------------------------------------------


def _statement(policy: Policy, page: PageShown | None) -> Any:
    """The statement, shared if the scopes of all modules and the conditions of the tabs are; None if nothing can be
    new."""
    shared, statement = policy.shared, None
    if shared is not None:
        purpose = "news and last commenters" if page and page.commented else "news"
        key = StatementKey(purpose, page.reader.name if page else "", conditions=(page.tabs if page else (),))
        statement = shared.statements.get(key, lambda: _shared(policy, shared, page))
    return _NewsStatement(policy, page).build(_counted_modules(policy)) if statement is None else statement


def _shared(policy: Policy, shared: SharedPolicy, page: PageShown | None) -> Any:
    """The statement for what is new, for all readers of the kind of `policy`; None if each needs their own, or none."""
    counted = _counted_modules(policy)
    if not all(map(shared.scope_is_shared, counted)) or not may_be_shared(page.tabs if page else ()):
        return None
    statement = _NewsStatement(shared, page).build(counted)
    return None if statement is None else cache_plan(statement, policy.tables.version)


@dataclass(frozen=True)
class _NewsStatement:
    """What is new to the reader of `policy`, as one statement. Values that are the same for all readers are literals in
    it: each parameter costs time on every page."""

    policy: Policy
    page: PageShown | None

    def build(self, counted: Sequence[str]) -> Any:
        """The counts of the modules in `counted`, and for the page's records what was seen and who commented last."""
        parts = [part for module in counted for part in self._counts(module)]
        if self.page is not None:
            parts.append(self._seen_records(self.page.reader.name))
            if self.page.commented:
                parts.append(self._last_commenters(self.page.reader.name))
        return sa.union_all(*(self._row(part, with_types=part is parts[0]) for part in parts)) if parts else None

    def _row(self, part: sa.Select[Any], with_types: bool) -> sa.Select[Any]:
        """A part with the columns that all parts have: its own, and NULL for the others; `with_types`: cast to their
        types."""
        types: dict[str, Any] = {
            "kind": sa.Text(),
            "name": sa.Text(),
            "record": sa.BigInteger(),
            "at": UTCDateTime(),
            "number": sa.BigInteger(),
            "examined": sa.BigInteger(),
            "account": sa.Integer(),
            "staff": sa.Boolean(),
        }
        types |= {_tab(place): sa.BigInteger() for place in range(len(self._tabs))}
        # Only NULL is cast: SQLite would convert a moment to a number.
        empty = {
            name: (sa.cast(sa.null(), type_) if with_types else sa.null()).label(name) for name, type_ in types.items()
        }
        own = {column.name: column for column in part.selected_columns}
        return part.with_only_columns(*(empty | own).values(), maintain_column_froms=True)

    @property
    def _tabs(self) -> tuple[Condition, ...]:
        return self.page.tabs if self.page else ()

    def _seen(self, module: str) -> tuple[sa.FromClause, sa.ColumnElement[bool]]:
        """The table of what accounts have seen, and the condition for what this one has seen in a module."""
        seen = self.policy.tables.seen.alias("seen")  # short: the PostgreSQL driver parses the whole text every time
        account = sa.bindparam("news_account", type_=sa.Integer())
        return seen, sa.and_(seen.c["account"] == account, seen.c["module"] == _text(module))

    def _floor(self, module: str) -> sa.ColumnElement[Any]:
        """The moment before which nothing in the module is new."""
        seen, mine = self._seen(module)
        start = sa.bindparam("news_from", type_=UTCDateTime())
        all_of_it = sa.select(seen.c["at"]).where(mine, seen.c["record"] == integer_literal(ALL))
        return sa.func.coalesce(all_of_it.scalar_subquery(), start, type_=UTCDateTime())

    # -- how many ---------------------------------------------------------------------------------------------------

    def _counts(self, module: str) -> Iterator[sa.Select[Any]]:
        """How many of the newest rows there are in each part of the scope, and how many are new; in the module shown,
        also by tab."""
        tabs = self._tabs if self.page and self.page.reader.name == module else ()
        for rows in self._newest(module, tabs):
            seen, mine = self._seen(module)
            since = sa.and_(mine, seen.c["record"] == rows.c["id"], seen.c["at"] >= rows.c["modified"])
            is_new = seen.c["at"].is_(None)
            of_tabs = [
                sa.func.count(rows.c[_tab(place)]).filter(is_new).label(_tab(place)) for place in range(len(tabs))
            ]
            columns: list[sa.ColumnElement[Any]] = [
                _text(COUNT).label("kind"),
                _text(module).label("name"),
                sa.func.count().filter(is_new).label("number"),
                sa.func.count().label("examined"),
                *of_tabs,
            ]
            yield sa.select(*columns).select_from(rows.outerjoin(seen, since))

    def _newest(self, module: str, tabs: tuple[Condition, ...]) -> Iterator[sa.Subquery]:
        """The newest rows changed after the floor, in each part of the scope."""
        policy, table = self.policy, self.policy.tables.module(module)
        sql, one = Statements(policy, module).sql, integer_literal(1)
        in_tabs = [
            (one if always(condition) else sa.case((sql(condition), one))).label(_tab(place))
            for place, condition in enumerate(tabs)
        ]
        scope = [Redundant(policy.scope(module))] if policy.narrows_branches(module) else []
        for branch in policy.branches(module) or [sa.false()]:
            newest = sa.select(table.c["id"], table.c["modified"], *in_tabs)
            newest = newest.where(branch, table.c["modified"] > self._floor(module), *scope)
            newest = newest.order_by(table.c["modified"].desc(), table.c["id"].desc())
            yield newest.limit(integer_literal(NEWEST + 1)).offset(integer_literal(0)).subquery("changed")

    # -- the records of the page ------------------------------------------------------------------------------------

    def _seen_records(self, module: str) -> sa.Select[Any]:
        """When the account looked at the records IDS, and whether it has hidden them."""
        seen, mine = self._seen(module)
        is_hidden = sa.case((seen.c["hidden"].is_not(None), integer_literal(1)), else_=integer_literal(0))
        columns = _text(SEEN).label("kind"), seen.c["record"], seen.c["at"], is_hidden.label("number")
        return sa.select(*columns).where(mine, AmongIds(seen.c["record"], id_list_parameter()))

    def _last_commenters(self, module: str) -> sa.Select[Any]:
        """Who wrote the last comment that customers may read on each of the records COMMENTED_IDS."""
        comment, other = self.policy.tables.comment, self.policy.tables.comment.alias()
        public = other.c["module"] == _text(module), other.c["internal"].is_(False)
        commented = AmongIds(other.c["record"], id_list_parameter(COMMENTED_IDS))
        last = sa.select(sa.func.max(other.c["id"])).where(*public, commented).group_by(other.c["record"])
        columns = comment.c["record"], comment.c["account"], comment.c["staff"]
        name = comment.c["author"].label("name")
        return sa.select(_text(COMMENTED).label("kind"), name, *columns).where(comment.c["id"].in_(last))


def _tab(place: int) -> str:
    return f"tab_{place}"


def _text(text: str) -> sa.ColumnElement[str]:
    """The name of a module, or a kind of row, as SQL in the statement for what is new."""
    return sa.literal_column(f"'{text}'", sa.Text())

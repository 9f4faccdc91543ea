"""What is new to an account: records that others changed since the account last looked at them, and who spoke last.

All that a page says of it is one statement, built once for all readers of a kind: how many records of each module are
new, how many of these each tab of a list has, and of the records on the page which are new, which are hidden, and who
wrote the last comment. What counts as a change is what gives a record its place in lists ordered by the last change:
nothing internal does.

Records are numbered where an index has the reader's own newest changes. Those that are seen through another record are
marked, and not counted.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.conditions import Condition, always
from portal.database.engine import cache_plan
from portal.database.fetching import Row, fetch
from portal.database.sql import AmongIds, Redundant, constant
from portal.fields.column_types import UTCDateTime
from portal.records.policy import Policy
from portal.records.reading.count_statements import Count
from portal.records.reading.record_reader import RecordReader
from portal.records.reading.statements import Statements
from portal.records.statement_cache import IDS, StatementKey, id_list_parameter, may_be_shared, values_of

NEWEST = 100  # changed rows that are looked at, in each part of a scope
MOST_COUNTED = 99
NEVER = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)
ALL = 0  # in the place of a record: everything in the module
COUNT, RECORD = "count", "record"  # kinds of rows


@dataclass(frozen=True)
class Onlooker:
    """The account that looks; what happened before `start` is not new to it."""

    account: int
    start: datetime.datetime | None


@dataclass(frozen=True)
class Speaker:
    """Who wrote the last comment of a record that customers may read too."""

    account: int | None
    name: str
    staff: bool


@dataclass(frozen=True)
class News:
    """What is new: `counts` by module, and of the records of a page, by their ids, the rest."""

    counts: dict[str, Count] = field(default_factory=dict)
    unread: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    changed: dict[int, datetime.datetime] = field(default_factory=dict)  # when each was changed last
    speakers: dict[int, Speaker] = field(default_factory=dict)
    of_tabs: tuple[int, ...] = ()  # how many of the counted records fulfil each of the tabs' conditions


@dataclass(frozen=True)
class PageShown:
    """The page whose news are read with the counts: `ids` of the records, which `records` has let through.

    `tabs`: conditions for which the new records of the module are counted too. `moments`: with the moments of the last
    changes.
    """

    records: RecordReader
    ids: Sequence[int]
    tabs: tuple[Condition, ...] = ()
    moments: bool = False


def read_news(connection: sa.Connection, policy: Policy, onlooker: Onlooker, page: PageShown | None = None) -> News:
    """What is new in all modules of the profile, and on the page that is shown."""
    counted = counted_modules(policy)
    shown = page is not None and page.records.module.has_news and bool(page.ids or page.tabs)
    here = page if shown else None
    if not counted and not here:
        return News()
    values = values_of(policy.reader) | {"onlooker": onlooker.account, "news_from": onlooker.start or NEVER}
    if here:
        values[IDS] = list(here.ids)
    return _news(fetch(connection, _statement(policy, counted, here), values))


def counted_modules(policy: Policy) -> tuple[str, ...]:
    """The modules in which what is new is counted, found once for all readers of a kind."""
    shared = policy.shared
    if shared is None or shared.statements is None:
        return tuple(name for name in policy.modules if is_counted(policy, name))
    return shared.statements.get(
        StatementKey("news modules", ""), lambda: tuple(name for name in shared.modules if is_counted(shared, name))
    )


def is_counted(policy: Policy, module: str) -> bool:
    """Whether an index has the newest of the records that the reader may see, whoever else has how many."""
    access = policy.access(module)
    if access is None or not access.menu or not policy.declaration.modules[module].has_news:
        return False
    return policy.sees_all(module) or (access.see != "all" and policy.branches(module) is not None)


def _news(rows: Sequence[Row]) -> News:
    counts: dict[str, Count] = {}
    changed: dict[int, datetime.datetime] = {}
    speakers: dict[int, Speaker] = {}
    of_tabs: tuple[int, ...] = ()
    unread, hidden = set(), set()
    for row in rows:
        kind, module, record_id, at, number, looked_at, name, account, staff, *tabs = row.values()
        if kind == COUNT and number:
            counts[module] = Count(min(number, MOST_COUNTED), number > MOST_COUNTED or looked_at > NEWEST)
            of_tabs = of_tabs if None in tabs else tuple(tabs)
        if kind == COUNT:
            continue
        if number:
            unread.add(record_id)
        if looked_at:
            hidden.add(record_id)
        if name is not None:
            speakers[record_id] = Speaker(account, name, bool(staff))
        if at is not None:
            changed[record_id] = at
    return News(counts, frozenset(unread), frozenset(hidden), changed, speakers, of_tabs)


# -- the statement -----------------------------------------------------------------------------------------------------


def _statement(policy: Policy, counted: Sequence[str], page: PageShown | None) -> Any:
    """The statement, shared where the scope of every module is, and what the tabs ask for."""
    shared, statement = policy.shared, None
    if shared is not None and shared.statements is not None:
        purpose = "news and moments" if page and page.moments else "news"
        key = StatementKey(purpose, page.records.name if page else "", conditions=(page.tabs if page else (),))
        statement = shared.statements.get(key, lambda: _shared(shared, counted, page, policy.tables.version))
    return _NewsStatement(policy, page).build(counted) if statement is None else statement


def _shared(policy: Policy, counted: Sequence[str], page: PageShown | None, version: int) -> Any:
    """The statement for all readers of a kind; None where each needs one of their own."""
    if not all(map(policy.scope_is_shared, counted)) or not may_be_shared(page.tabs if page else ()):
        return None
    return cache_plan(_NewsStatement(policy, page).build(counted), version)


@dataclass(frozen=True)
class _NewsStatement:
    """What is new to the reader of `policy`, as one statement. What is the same for all readers is written into it:
    each parameter takes its time with every page."""

    policy: Policy
    page: PageShown | None

    def build(self, counted: Sequence[str]) -> Any:
        parts = [self._count(module, typed=module == counted[0]) for module in counted]
        if self.page is not None:
            parts.append(self._records(self.page.records.name))
        return sa.union_all(*parts)

    def _row(
        self, kind: str, module: str, columns: Mapping[str, Any], typed: bool = True
    ) -> list[sa.ColumnElement[Any]]:
        """The columns of a row, which are the same in all parts: `columns`, and NULL; `typed`: with its type."""
        types: dict[str, Any] = {
            "record": sa.BigInteger(),
            "at": UTCDateTime(),
            "number": sa.BigInteger(),
            "looked_at": sa.BigInteger(),
            "name": sa.Text(),
            "account": sa.Integer(),
            "staff": sa.Boolean(),
        }
        types |= {_tab(place): sa.BigInteger() for place in range(len(self._tabs))}
        labels = [_text(kind).label("kind"), _text(module).label("module")]
        # Only NULL is cast: SQLite would read a moment as a number.
        empty = {name: sa.cast(sa.null(), type_) if typed else sa.null() for name, type_ in types.items()}
        return [*labels, *(column.label(name) for name, column in {**empty, **columns}.items())]

    @property
    def _tabs(self) -> tuple[Condition, ...]:
        return self.page.tabs if self.page else ()

    def _seen(self, module: str, record: sa.ColumnElement[Any]) -> tuple[sa.FromClause, sa.ColumnElement[bool]]:
        """The table of what accounts have seen, and the condition for what this one has of a record."""
        seen = self.policy.tables.seen.alias("seen")  # short names: the driver of PostgreSQL reads long texts each time
        account = sa.bindparam("onlooker", type_=sa.Integer())
        of_module = seen.c["account"] == account, seen.c["module"] == _text(module)
        return seen, sa.and_(*of_module, seen.c["record"] == record)

    def _floor(self, module: str) -> sa.ColumnElement[Any]:
        """The moment before which nothing in the module is new."""
        seen, all_of_it = self._seen(module, constant(ALL))
        start = sa.bindparam("news_from", type_=UTCDateTime())
        return sa.func.coalesce(sa.select(seen.c["at"]).where(all_of_it).scalar_subquery(), start, type_=UTCDateTime())

    # -- how many ---------------------------------------------------------------------------------------------------

    def _count(self, module: str, typed: bool) -> sa.Select[Any]:
        """How many of the newest rows of the scope there are, and are new; in the module that is shown by tab too."""
        tabs = self._tabs if self.page and self.page.records.name == module else ()
        rows = self._newest(module, tabs)
        seen, mine = self._seen(module, rows.c["id"])
        is_new = seen.c["at"].is_(None)
        of_tabs = {name: sa.func.count(sa.case((is_new, rows.c[name]))) for name in map(_tab, range(len(tabs)))}
        numbers = {"number": sa.func.count(sa.case((is_new, constant(1)))), "looked_at": sa.func.count()}
        since = rows.outerjoin(seen, sa.and_(mine, seen.c["at"] >= rows.c["modified"]))
        return sa.select(*self._row(COUNT, module, numbers | of_tabs, typed)).select_from(since)

    def _newest(self, module: str, tabs: tuple[Condition, ...]) -> sa.Subquery:
        """The newest rows that were changed after the floor, in each part of the scope."""
        policy, table = self.policy, self.policy.tables.module(module)
        sql = Statements(policy, module).sql
        in_tabs = [
            (constant(1) if always(condition) else sa.case((sql(condition), constant(1)))).label(_tab(place))
            for place, condition in enumerate(tabs)
        ]
        scope = [Redundant(policy.scope(module))] if policy.narrows_branches(module) else []
        parts = []
        for branch in policy.branches(module) or [sa.false()]:
            newest = sa.select(table.c["id"], table.c["modified"], *in_tabs)
            newest = newest.where(branch, table.c["modified"] > self._floor(module), *scope)
            newest = newest.order_by(table.c["modified"].desc(), table.c["id"].desc())
            parts.append(newest.limit(constant(NEWEST + 1)).offset(constant(0)))
        if len(parts) == 1:
            return parts[0].subquery("changed")
        return sa.union_all(*(sa.select(part.subquery("newest")) for part in parts)).subquery("changed")

    # -- the records of the page ------------------------------------------------------------------------------------

    def _records(self, module: str) -> sa.Select[Any]:
        """The records IDS: whether something in them is new, whether they are hidden, who spoke last."""
        table, comment = self.policy.tables.module(module), self.policy.tables.comment
        seen, mine = self._seen(module, table.c["id"])
        modified = table.c["modified"]
        new = sa.and_(modified > self._floor(module), sa.func.coalesce(seen.c["at"] < modified, sa.true()))
        hidden = sa.and_(seen.c["hidden"].is_not(None), seen.c["at"] >= modified)
        columns = {"record": table.c["id"], "number": _one_if(new), "looked_at": _one_if(hidden)}
        source = table.outerjoin(seen, mine)
        if self.policy.declaration.modules[module].comments:
            source = source.outerjoin(comment, comment.c["id"] == self._last_comment(module, table))
            columns |= {"name": comment.c["author"], "account": comment.c["account"], "staff": comment.c["staff"]}
        moments = {"at": modified} if self.page and self.page.moments else {}
        rows = sa.select(*self._row(RECORD, module, columns | moments)).select_from(source)
        rows = rows.where(AmongIds(table.c["id"], id_list_parameter()))
        if moments:
            return rows
        shown = rows.offset(constant(0)).subquery("shown")  # so that each of its columns is worked out once
        remarkable = shown.c["number"] + shown.c["looked_at"] > constant(0)
        return sa.select(shown).where(sa.or_(remarkable, shown.c["name"].is_not(None)))

    def _last_comment(self, module: str, table: sa.Table) -> sa.ColumnElement[Any]:
        """The id of the last comment of a record that customers may read; not looked for where there is none."""
        other = self.policy.tables.comment.alias()
        public = other.c["module"] == _text(module), other.c["record"] == table.c["id"], other.c["internal"].is_(False)
        last = sa.select(sa.func.max(other.c["id"])).where(*public).correlate(table).scalar_subquery()
        return sa.case((table.c["comments"] > constant(0), last))


def _tab(place: int) -> str:
    return f"tab_{place}"


def _text(text: str) -> sa.ColumnElement[str]:
    """The name of a module, or a kind of row."""
    return sa.literal_column(f"'{text}'", sa.Text())


def _one_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, constant(1)), else_=constant(0))

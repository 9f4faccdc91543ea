"""What is new to an account: records that others changed since the account last looked at them, and who spoke last.

All that a page says of it is one statement, built once for all readers of a kind: how many records of each module are
new, and of the records on the page which are new, which are hidden, and who wrote the last comment. What counts as a
change is what gives a record its place in lists ordered by the last change: nothing internal does.

Records are numbered where an index has the reader's own newest changes. Those that are seen through another record are
marked, and not counted.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.database.engine import cache_plan
from portal.database.sql import AmongIds, Redundant
from portal.fields.columns import UTCDateTime
from portal.records.policy import Policy
from portal.records.reading.counts import Count
from portal.records.reading.record_reader import RecordReader
from portal.records.statement_cache import IDS, StatementKey, id_list, values_of

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


def read_news(
    connection: sa.Connection,
    policy: Policy,
    onlooker: Onlooker,
    records: RecordReader | None = None,
    ids: Sequence[int] = (),
    moments: bool = False,
) -> News:
    """What is new in all modules of the profile; and of the records `ids`, which `records` has let through.

    `moments`: with the moments of their last changes.
    """
    here = records.name if records is not None and records.module.has_news and ids else ""
    counted = counted_modules(policy)
    if not counted and not here:
        return News()
    values = values_of(policy.reader) | {"onlooker": onlooker.account, "news_from": onlooker.start or NEVER}
    rows = connection.execute(_statement(policy, counted, here, moments), values | ({IDS: list(ids)} if here else {}))
    return _news(rows.all())


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


def _news(rows: Sequence[Any]) -> News:
    counts: dict[str, Count] = {}
    changed: dict[int, datetime.datetime] = {}
    speakers: dict[int, Speaker] = {}
    unread, hidden = set(), set()
    for kind, module, record_id, at, number, looked_at, name, account, staff in rows:
        if kind == COUNT and number:
            counts[module] = Count(min(number, MOST_COUNTED), number > MOST_COUNTED or looked_at > NEWEST)
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
    return News(counts, frozenset(unread), frozenset(hidden), changed, speakers)


# -- the statement -----------------------------------------------------------------------------------------------------


def _statement(policy: Policy, counted: Sequence[str], here: str, moments: bool) -> Any:
    """The statement, shared where the scope of every module is."""
    shared = policy.shared
    if shared is None or shared.statements is None or not all(map(shared.scope_is_shared, counted)):
        return _build(policy, counted, here, moments)
    key = StatementKey("news and moments" if moments else "news", here)
    return shared.statements.get(key, lambda: cache_plan(_build(shared, counted, here, moments), policy.tables.version))


def _build(policy: Policy, counted: Sequence[str], here: str, moments: bool) -> Any:
    parts = [_count(policy, module) for module in counted]
    if here:
        parts.append(_records(policy, here, moments))
    return sa.union_all(*parts)


def _row(kind: str, module: str, **columns: Any) -> list[sa.ColumnElement[Any]]:
    """The columns of a row, which are the same in all parts."""
    types: dict[str, Any] = {
        "record": sa.BigInteger(),
        "at": UTCDateTime(),
        "number": sa.BigInteger(),
        "looked_at": sa.BigInteger(),
        "name": sa.Text(),
        "account": sa.Integer(),
        "staff": sa.Boolean(),
    }
    labels = [
        sa.literal_column(f"'{text}'", sa.Text()).label(name) for name, text in (("kind", kind), ("module", module))
    ]
    # Only NULL is cast: SQLite would read a moment as a number.
    empty = {name: sa.cast(sa.null(), type_) for name, type_ in types.items()}
    return [*labels, *(column.label(name) for name, column in {**empty, **columns}.items())]


def _account() -> sa.BindParameter[int]:
    return sa.bindparam("onlooker", type_=sa.Integer())


def _floor(policy: Policy, module: str) -> sa.ColumnElement[Any]:
    """The moment before which nothing in the module is new."""
    seen = policy.tables.seen.alias()
    all_of_it = seen.c["account"] == _account(), seen.c["module"] == module, seen.c["record"] == ALL
    start = sa.bindparam("news_from", type_=UTCDateTime())
    return sa.func.coalesce(sa.select(seen.c["at"]).where(*all_of_it).scalar_subquery(), start, type_=UTCDateTime())


def _count(policy: Policy, module: str) -> sa.Select[Any]:
    """How many of the newest rows of the scope are new."""
    rows = sa.union_all(*_newest(policy, module)).subquery()
    seen = policy.tables.seen.alias()
    mine = seen.c["account"] == _account(), seen.c["module"] == module, seen.c["record"] == rows.c["id"]
    new = sa.case((sa.or_(seen.c["at"].is_(None), seen.c["at"] < rows.c["modified"]), 1), else_=0)
    columns = _row(COUNT, module, number=sa.func.coalesce(sa.func.sum(new), 0), looked_at=sa.func.count())
    return sa.select(*columns).select_from(rows.outerjoin(seen, sa.and_(*mine)))


def _newest(policy: Policy, module: str) -> Iterator[sa.Select[Any]]:
    table, columns = policy.tables.module(module), ("id", "modified")
    scope = [] if policy.sees_all(module) else [Redundant(policy.scope(module))]
    for branch in policy.branches(module) or [sa.false()]:
        newest = sa.select(*[table.c[name] for name in columns]).where(
            branch, table.c["modified"] > _floor(policy, module), *scope
        )
        ordered = newest.order_by(table.c["modified"].desc(), table.c["id"].desc()).limit(NEWEST + 1).subquery()
        yield sa.select(*[ordered.c[name] for name in columns])


def _records(policy: Policy, module: str, moments: bool) -> sa.Select[Any]:
    """The records IDS: whether something in them is new, whether they are hidden, who spoke last."""
    table, seen, comment = policy.tables.module(module), policy.tables.seen.alias(), policy.tables.comment
    mine = seen.c["account"] == _account(), seen.c["module"] == module, seen.c["record"] == table.c["id"]
    modified = table.c["modified"]
    unseen = sa.or_(seen.c["at"].is_(None), seen.c["at"] < modified)
    new = sa.case((sa.and_(modified > _floor(policy, module), unseen), 1), else_=0)
    hidden = sa.case((sa.and_(seen.c["hidden"].is_not(None), seen.c["at"] >= modified), 1), else_=0)
    columns = {"record": table.c["id"], "number": new, "looked_at": hidden}
    if moments:
        columns["at"] = modified
    source = table.outerjoin(seen, sa.and_(*mine))
    if policy.declaration.modules[module].comments:
        source = source.outerjoin(comment, comment.c["id"] == _last_comment(policy, module, table))
        columns |= {"name": comment.c["author"], "account": comment.c["account"], "staff": comment.c["staff"]}
    return sa.select(*_row(RECORD, module, **columns)).select_from(source).where(AmongIds(table.c["id"], id_list()))


def _last_comment(policy: Policy, module: str, table: sa.Table) -> sa.ColumnElement[Any]:
    """The id of the last comment of a record that customers may read; not looked for where there is none."""
    other = policy.tables.comment.alias()
    public = other.c["module"] == module, other.c["record"] == table.c["id"], other.c["internal"].is_(False)
    last = sa.select(sa.func.max(other.c["id"])).where(*public).correlate(table).scalar_subquery()
    return sa.case((table.c["comments"] > 0, last))

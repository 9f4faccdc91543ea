"""The comments on a record that one reader may read: customers get none of the supplier's internal ones.

A conversation may be long: a page reads its newest comments, and further ones from where the last batch ended.
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.database.sql import AmongIds, integer_literal
from portal.records.reading.files import files
from portal.records.reading.records import Record, Records
from portal.records.statement_cache import IDS, id_list_parameter

BEYOND = 2**63 - 1  # greater than every id


@dataclass(frozen=True)
class Comment:
    """One comment; `staff` tells the two sides apart."""

    id: int
    author: str
    account: int | None
    staff: bool
    internal: bool
    text: str
    created: datetime.datetime
    channel: str
    folded: str | None = None  # the quoted text and the signature of a mail, for its author and staff
    corrected: datetime.datetime | None = None  # when its author last changed it


def newest_comments(records: Records, record: Record, size: int, before: int = BEYOND) -> list[Comment]:
    """The newest `size` comments on a record, newest first; only those that are older than the id `before`."""
    return _comments(records, record, f"newest {size} comments", partial(_newest, size), before_id=before)


def newest_public_comments(records: Records, record: Record, size: int) -> list[Comment]:
    """The newest `size` comments on a record without internal ones, for any reader."""
    return _comments(records, record, f"newest {size} comments", partial(_newest, size), public=True, before_id=BEYOND)


def comments_by_ids(records: Records, record: Record, ids: Collection[int]) -> list[Comment]:
    """The comments among `ids` that are on a record, newest first."""
    values: dict[str, Any] = {IDS: list(ids)}
    return _comments(records, record, "comments by ids", _by_ids, **values) if ids else []


def find_comment(records: Records, record: Record, comment_id: int) -> Comment | None:
    """One comment; None if it is on another record, not readable or missing alike."""
    return next(iter(comments_by_ids(records, record, [comment_id])), None)


def find_empty_comment(records: Records, record: Record, comment_id: int | None) -> Comment | None:
    """The comment with this id, if it no longer has text or files."""
    own_comment = find_comment(records, record, comment_id) if comment_id is not None else None
    if own_comment is None or own_comment.text or any(file.comment == comment_id for file in files(records, record)):
        return None
    return own_comment


def count_comments(records: Records, record: Record, after: int = 0) -> int:
    """How many comments there are on a record; only those newer than the id `after`."""
    table = records.policy.tables.comment
    on_record = table.c["module"] == records.name, table.c["record"] == record.id, table.c["id"] > after
    query = _for_side(sa.select(sa.func.count()).select_from(table).where(*on_record), table, records.policy.staff)
    return records.connection.execute(query).scalar_one()


def _comments(
    records: Records, record: Record, purpose: str, build: Any, public: bool = False, **values: Any
) -> list[Comment]:
    """The comments of a statement that is built once for each side of the conversation."""
    tables, staff = records.policy.tables, records.policy.staff and not public
    key = f"{purpose} for staff" if staff else purpose
    statement = tables.statement(key, lambda: _for_side(build(tables), tables.comment, staff))
    values |= {"module_name": records.name, "record_id": record.id}
    return [Comment(**row) for row in fetch(records.connection, statement, values)]


def _newest(size: int, tables: Tables) -> sa.Select[Any]:
    before = tables.comment.c["id"] < sa.bindparam("before_id", type_=sa.BigInteger())
    return _on_record(tables).where(before).limit(integer_literal(size))


def _by_ids(tables: Tables) -> sa.Select[Any]:
    return _on_record(tables).where(AmongIds(tables.comment.c["id"], id_list_parameter()))


def _on_record(tables: Tables) -> sa.Select[Any]:
    """The comments on one record, newest first."""
    table = tables.comment
    on_record = table.c["module"] == sa.bindparam("module_name"), table.c["record"] == sa.bindparam("record_id")
    columns = [table.c[name] for name in Comment.__dataclass_fields__]
    return sa.select(*columns).where(*on_record).order_by(table.c["id"].desc())


def _for_side(query: sa.Select[Any], table: sa.Table, staff: bool) -> sa.Select[Any]:
    """What one side of the conversation may read of a query of comments."""
    return query if staff else query.where(table.c["internal"].is_(False))

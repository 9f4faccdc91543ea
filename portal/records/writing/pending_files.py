"""Uploaded files that no record has yet: their bytes are stored, and forms and drafts refer to them by a key.

Thus a form that is shown again, or finished another day, still has its files. A key is only valid for the account that
uploaded the file, and for the module and field that it was uploaded for.
"""

import datetime
import io
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.records.reading.records import Records
from portal.store.store import Store
from portal.store.thumbnail import make_thumbnail

LIFETIME = datetime.timedelta(days=30)  # like drafts
MOST_PENDING = 100  # per account; the oldest are removed first
MOST_KEYS = 100  # of one form


@dataclass(frozen=True)
class PendingFile:
    """A stored file; `size` in bytes, `stored` and `preview` its names in the store, `field` None for an attachment."""

    key: str
    module: str
    field: str | None
    name: str
    size: int
    media_type: str
    stored: str
    preview: str | None


def store_file(
    store: Store, source: BinaryIO, name: str, media_type: str, module: str, field: str | None = None
) -> PendingFile:
    """Stores the bytes of a file that no record has yet, and a thumbnail if one can be made. Raises StoreError."""
    source.seek(0)
    thumbnail = make_thumbnail(source, media_type)
    source.seek(0)
    stored = store.put(source)
    preview_name = store.put(io.BytesIO(thumbnail)).name if thumbnail else None
    key = secrets.token_urlsafe(16)
    return PendingFile(key, module, field, name, stored.size, media_type, stored.name, preview_name)


def keep_pending(
    connection: sa.Connection,
    tables: Tables,
    account_id: int | None,
    files: Sequence[PendingFile],
    now: datetime.datetime,
) -> None:
    """Keeps the rows of uploaded files until a record gets them; the oldest ones of the account make room."""
    table, keys = tables.pending_file, [file.key for file in files]
    present = set(connection.scalars(sa.select(table.c["key"]).where(table.c["key"].in_(keys))))
    rows = [{**asdict(file), "account": account_id, "created": now} for file in files if file.key not in present]
    if rows:
        connection.execute(sa.insert(table), rows)
        mine = table.c["account"] == account_id
        newest = sa.select(table.c["key"]).where(mine).order_by(table.c["created"].desc(), table.c["key"])
        newest = newest.limit(max(MOST_PENDING, len(rows)))
        connection.execute(sa.delete(table).where(mine, table.c["key"].not_in(newest.subquery().select())))


def pending_files(
    records: Records, account_id: int | None, field: str | None, keys: Iterable[str]
) -> dict[str, PendingFile]:
    """The files among `keys` that `account_id` uploaded for `field` of this module, by key in the given order."""
    table, keys = records.policy.tables.pending_file, list(keys)[:MOST_KEYS]
    columns = [table.c[name] for name in PendingFile.__dataclass_fields__]
    query = sa.select(*columns).where(
        table.c["key"].in_(keys),
        table.c["account"] == account_id,
        table.c["module"] == records.name,
        table.c["field"] == field,
    )
    rows = records.connection.execute(query).mappings() if keys else ()
    files = {row["key"]: PendingFile(**row) for row in rows}
    return {key: files[key] for key in keys if key in files}


def drop_pending(records: Records, keys: Collection[str]) -> None:
    """Removes files from the pending ones: a record has them now."""
    table = records.policy.tables.pending_file
    if keys:
        records.connection.execute(sa.delete(table).where(table.c["key"].in_(keys)))


def drop_expired(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> None:
    """Removes pending files that no form has claimed in time."""
    table = tables.pending_file
    connection.execute(sa.delete(table).where(table.c["created"] < now - LIFETIME))

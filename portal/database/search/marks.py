"""The backlog of the search index: marks for entries that must be rewritten.

A mark is made in the transaction of its cause, so that the work survives a killed process; records/indexing does the
work, a few records per transaction. A mark is about a whole module, or its records that link to a renamed one. A
process that works on a mark locks it until the end of the transaction in which it advances the mark: no two processes
do the same work.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.database.search.index_description import searched_description
from portal.declaration.declaration import Declaration


@dataclass(frozen=True)
class Mark:
    """The entries of `module` after the record `after` are out of date; with `target`, only those that link to it."""

    id: int
    module: str
    after: int
    target: tuple[str, int] | None


def mark_modules(connection: sa.Connection, tables: Tables, modules: Iterable[str]) -> None:
    """Marks all search entries of `modules`, which must be rewritten."""
    backlog = tables.backlog
    for name in modules:
        connection.execute(sa.delete(backlog).where(backlog.c["module"] == name))
        row = {"module": name, "after": 0, "contents": _contents_digest(tables.declaration, name)}
        connection.execute(sa.insert(backlog).values(row))


def mark_linking(connection: sa.Connection, tables: Tables, module: str, target: tuple[str, int]) -> None:
    """Marks the entries of the records of `module` that link to `target`, which was renamed."""
    row = {"module": module, "after": 0, "target": target[0], "record": target[1]}
    connection.execute(sa.insert(tables.backlog).values(row))


def has_marks(connection: sa.Connection, tables: Tables) -> bool:
    """Whether there is a mark that this process can work on."""
    if connection.execute(sa.select(tables.backlog.c["id"]).limit(1)).first() is None:
        return False
    return connection.execute(_oldest_mark(tables)).first() is not None


def lock_oldest_mark(connection: sa.Connection, tables: Tables) -> Mark | None:
    """The oldest mark that no other process is working on, locked; None if there is none."""
    row = connection.execute(_oldest_mark(tables).with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    target = (row["target"], row["record"]) if row["target"] else None
    return Mark(row["id"], row["module"], row["after"], target)


def advance_mark(connection: sa.Connection, tables: Tables, mark: Mark, after: int) -> None:
    """Notes that the entries of a mark have been written up to the record `after`."""
    backlog = tables.backlog
    connection.execute(sa.update(backlog).where(backlog.c["id"] == mark.id).values(after=after))


def remove_mark(connection: sa.Connection, tables: Tables, mark: Mark) -> None:
    """Removes a mark whose entries have all been written."""
    connection.execute(sa.delete(tables.backlog).where(tables.backlog.c["id"] == mark.id))


def _oldest_mark(tables: Tables) -> sa.Select[Any]:
    """The oldest mark, ignoring those of another declaration: a process started before the last `portal apply` would
    write outdated entries."""
    return tables.statement("oldest mark", lambda: _select_oldest_mark(tables.declaration, tables.backlog))


def _select_oldest_mark(declaration: Declaration, backlog: sa.Table) -> sa.Select[Any]:
    digests = {name: _contents_digest(declaration, name) for name in declaration.modules}
    of_renamed = sa.and_(backlog.c["contents"].is_(None), backlog.c["module"].in_(list(digests)))
    of_modules = sa.tuple_(backlog.c["module"], backlog.c["contents"]).in_(list(digests.items()))
    return sa.select(backlog).where(sa.or_(of_renamed, of_modules)).order_by(backlog.c["id"]).limit(1)


def _contents_digest(declaration: Declaration, module: str) -> str:
    """A digest, 16 hexadecimal digits, of what the entries of a module are made from."""
    description = json.dumps(searched_description(declaration, declaration.modules[module]), sort_keys=True)
    return hashlib.sha256(description.encode()).hexdigest()[:16]

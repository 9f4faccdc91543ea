"""What of the search index is behind: marks in the database, made in the transaction of their cause, so that the work
survives a killed process. The work itself is of records/indexing/index.py, a few records per transaction.

A mark is about a module, or about those of its records that link to one that was renamed. Whoever takes one locks it
until the end of the transaction, in which it is moved on: two processes never do the same work twice.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.shapes import Declaration, Module


@dataclass(frozen=True)
class Mark:
    """The entries of `module` are behind, beyond the record `after`; with `target` only of those who link to it."""

    id: int
    module: str
    after: int
    target: tuple[str, int] | None


def mark_all(connection: sa.Connection, tables: Tables, modules: Iterable[str]) -> None:
    """All entries of `modules` are to be made anew, as `declaration` wants them."""
    stale = tables.stale
    for name in modules:
        connection.execute(sa.delete(stale).where(stale.c["module"] == name))
        row = {"module": name, "after": 0, "wanted": _wanted(tables.declaration, name)}
        connection.execute(sa.insert(stale).values(row))


def mark_linking(connection: sa.Connection, tables: Tables, module: str, target: tuple[str, int]) -> None:
    """The entries of those records of `module` are behind that link to `target`, which was renamed."""
    row = {"module": module, "after": 0, "target": target[0], "record": target[1]}
    connection.execute(sa.insert(tables.stale).values(row))


def is_behind(connection: sa.Connection, tables: Tables) -> bool:
    """Whether there is a mark that this declaration can work on."""
    if connection.execute(sa.select(tables.stale.c["id"]).limit(1)).first() is None:
        return False
    return connection.execute(_ours(tables)).first() is not None


def take(connection: sa.Connection, tables: Tables) -> Mark | None:
    """The oldest mark that nobody else is at, locked; None where there is none."""
    row = connection.execute(_ours(tables).with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    target = (row["target"], row["record"]) if row["target"] else None
    return Mark(row["id"], row["module"], row["after"], target)


def move_on(connection: sa.Connection, tables: Tables, mark: Mark, after: int) -> None:
    """The entries up to the record `after` have been made."""
    stale = tables.stale
    connection.execute(sa.update(stale).where(stale.c["id"] == mark.id).values(after=after))


def settle(connection: sa.Connection, tables: Tables, mark: Mark) -> None:
    """Nothing is left to be done about it."""
    connection.execute(sa.delete(tables.stale).where(tables.stale.c["id"] == mark.id))


def _ours(tables: Tables) -> sa.Select[tuple[object, ...]]:
    """Not those of another declaration: a process that was started before the last `portal apply` would make the
    entries as they were."""
    return tables.statement("stale", lambda: _first_of(tables.declaration, tables.stale))


def _first_of(declaration: Declaration, stale: sa.Table) -> sa.Select[tuple[object, ...]]:
    known = {name: _wanted(declaration, name) for name in declaration.modules}
    renamed = sa.and_(stale.c["wanted"].is_(None), stale.c["module"].in_(list(known)))
    fits = sa.tuple_(stale.c["module"], stale.c["wanted"]).in_(list(known.items()))
    return sa.select(stale).where(sa.or_(renamed, fits)).order_by(stale.c["id"]).limit(1)


def _wanted(declaration: Declaration, module: str) -> str:
    """A short word for what the entries of a module are made of."""
    made_of = json.dumps(searched(declaration, declaration.modules[module]), sort_keys=True)
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def searched(declaration: Declaration, module: Module) -> dict[str, Any]:
    """What the search index depends on."""
    fields = {}
    for name, each in module.fields.items():
        if each.searched and each.stored:
            titles = [declaration.modules[goal].title_field.name for goal in getattr(each, "to", ())]
            options = {key: list(option.label) for key, option in getattr(each, "options", {}).items()}
            fields[name] = [each.type, each.internal, titles, options]
    return {"owner": module.owner, "organization": module.organization, "fields": fields}

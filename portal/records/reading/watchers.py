"""Who watches a record: people who were added to it, and see it regardless of their profile's scope.

The policy reads the same table for what a watcher sees; here it is read for a record's page, its letters and its entry
in the search index.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.database.sql import AmongIds
from portal.declaration.shapes import Module
from portal.records.statement_cache import IDS, id_list_parameter


def watchers(connection: sa.Connection, tables: Tables, module: Module, record_id: int) -> list[int]:
    """The ids of the people who watch a record, in the order they were added."""
    return watchers_of(connection, tables, module, [record_id]).get(record_id, [])


def watchers_of(connection: sa.Connection, tables: Tables, module: Module, ids: Sequence[int]) -> dict[int, list[int]]:
    """Each record of `ids` that is watched → the people who watch it."""
    people: dict[int, list[int]] = defaultdict(list)
    if module.watchers and ids:
        statement = tables.statement("watchers", lambda: _of_records(tables.watcher.c))
        for row in fetch(connection, statement, {"module_name": module.name, IDS: list(ids)}):
            people[row["record"]].append(row["person"])
    return people


def _of_records(watcher: sa.ColumnCollection[str, sa.Column[Any]]) -> sa.Select[Any]:
    among = watcher["module"] == sa.bindparam("module_name"), AmongIds(watcher["record"], id_list_parameter())
    return sa.select(watcher["record"], watcher["person"]).where(*among).order_by(watcher["added"], watcher["person"])


def who_added(connection: sa.Connection, tables: Tables, module: str, record_id: int, person: int) -> str | None:
    """The name of the person who last added a person to a record; None if the history does not say."""
    event = tables.event
    added = event.c["module"] == module, event.c["record"] == record_id, event.c["kind"] == "watched"
    rows = sa.select(event.c["author"], event.c["details"]).where(*added).order_by(event.c["id"].desc())
    names = (author for author, details in connection.execute(rows) if (details or {}).get("person") == person)
    return next(names, None)

"""Renames fields and options in the history of records, and removes dropped ones, along with the files of a field.

The rows of a `lines` field have no history of their own: their columns are in the changes of the field.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.fields.base import Field
from portal.fields.several_values import join_values, split_values
from portal.fields.table_names import is_rows

BATCH = 1000
Details = dict[str, Any]


def rename_fields_in_history(
    connection: sa.Connection, event: sa.Table, table: str, renames: Mapping[str, str]
) -> None:
    """Gives changes of fields their new names, new name → old name; `table`: of the module or its rows."""
    names = {before: after for after, before in renames.items()}
    if is_rows(table):
        _rewrite_rows(
            connection, event, table, lambda row: {names.get(name, name): value for name, value in row.items()}
        )
        return

    def renamed(details: Details) -> Details:
        lists: Details = {
            key: [names.get(name, name) for name in details[key]] for key in ("fields", "private") if key in details
        }
        changes = {names.get(name, name): pair for name, pair in details.get("changes", {}).items()}
        return {**details, **lists, "changes": changes}

    _rewrite(connection, event, table, names, renamed)


def forget_field_in_history(connection: sa.Connection, tables: Tables, table: str, name: str) -> None:
    """Removes all traces of a dropped field: a new field of that name would show its changes as its own. Its files are
    no longer named by any record, so `portal files` then removes their bytes. `table`: of the module or its rows."""
    if is_rows(table):
        _rewrite_rows(
            connection, tables.event, table, lambda row: {key: value for key, value in row.items() if key != name}
        )
        return

    def without(details: Details) -> Details:
        changes = {key: pair for key, pair in details.get("changes", {}).items() if key != name}
        return {**details, "fields": [key for key in details.get("fields", ()) if key != name], "changes": changes}

    _rewrite(connection, tables.event, table, [name], without)
    for files in (tables.file, tables.pending_file):
        connection.execute(sa.delete(files).where(files.c["module"] == table, files.c["field"] == name))


def rename_options_in_history(
    connection: sa.Connection, event: sa.Table, table: str, field: Field, renames: Mapping[str, str], is_state: bool
) -> None:
    """Renames options in recorded values, new name → old name; `table`: of the module or its rows; `is_state`: whether
    it is the field of the lifecycle."""
    names = {before: after for after, before in renames.items()}

    def value(recorded: Any) -> Any:
        if field.multiple:
            return join_values(names.get(option, option) for option in split_values(recorded))
        return names.get(recorded, recorded)

    if is_rows(table):
        _rewrite_rows(
            connection,
            event,
            table,
            lambda row: {name: value(item) if name == field.name else item for name, item in row.items()},
        )
        return

    def renamed(details: Details) -> Details:
        changes = dict(details.get("changes", {}))
        if field.name in changes:
            changes[field.name] = [value(recorded) for recorded in changes[field.name]]
        state = {"state": names.get(details["state"], details["state"])} if is_state and "state" in details else {}
        return {**details, "changes": changes, **state}

    _rewrite(connection, event, table, [field.name, *(["state"] if is_state else [])], renamed)


def _rewrite_rows(connection: sa.Connection, event: sa.Table, table: str, change: Callable[[Details], Details]) -> None:
    """Renames or removes columns in the history of a `lines` field; `table`: of the rows."""
    module, _, lines = table.partition("$")

    def rows(recorded: Any) -> Any:
        try:
            return json.dumps([change(row) for row in json.loads(recorded)], ensure_ascii=False)
        except (ValueError, TypeError, AttributeError):  # no rows, or the field was of another type
            return recorded

    def changed(details: Details) -> Details:
        changes = dict(details.get("changes", {}))
        if lines in changes:
            changes[lines] = [rows(recorded) for recorded in changes[lines]]
        return {**details, "changes": changes}

    _rewrite(connection, event, module, [lines], changed)


def _rewrite(
    connection: sa.Connection, event: sa.Table, module: str, names: Iterable[str], change: Callable[[Details], Details]
) -> None:
    """Rewrites the details of those events of a module in the history that contain one of `names` as a JSON string."""
    stored = sa.cast(event.c["details"], sa.Text())
    contained = sa.or_(sa.false(), *[stored.contains(f'"{name}"', autoescape=True) for name in names])
    columns, last = (event.c["id"], event.c["details"]), 0
    while True:
        here = event.c["module"] == module, event.c["id"] > last, contained
        rows = connection.execute(sa.select(*columns).where(*here).order_by(event.c["id"]).limit(BATCH)).all()
        for event_id, details in rows:
            if (changed := change(details)) != details:
                connection.execute(sa.update(event).where(event.c["id"] == event_id).values(details=changed))
        if len(rows) < BATCH:
            return
        last = rows[-1][0]

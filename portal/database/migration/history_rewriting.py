"""Renames fields and options in the history of records, and removes dropped ones, along with the files of a field."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.fields.base import Field
from portal.fields.several_values import join_values, split_values

BATCH = 1000
Details = dict[str, Any]


def rename_fields_in_history(
    connection: sa.Connection, event: sa.Table, module: str, renames: Mapping[str, str]
) -> None:
    """Gives changes of fields their new names; `renames`: new name → old name."""
    names = {before: after for after, before in renames.items()}

    def renamed(details: Details) -> Details:
        lists: Details = {
            key: [names.get(name, name) for name in details[key]] for key in ("fields", "private") if key in details
        }
        changes = {names.get(name, name): pair for name, pair in details.get("changes", {}).items()}
        return {**details, **lists, "changes": changes}

    _rewrite(connection, event, module, names, renamed)


def forget_field_in_history(connection: sa.Connection, tables: Tables, module: str, name: str) -> None:
    """Removes all traces of a dropped field: a new field of that name would show its changes as its own. Its files are
    no longer named by any record, so `portal files` then removes their bytes."""

    def without(details: Details) -> Details:
        changes = {key: pair for key, pair in details.get("changes", {}).items() if key != name}
        return {**details, "fields": [key for key in details.get("fields", ()) if key != name], "changes": changes}

    _rewrite(connection, tables.event, module, [name], without)
    for table in (tables.file, tables.pending_file):
        connection.execute(sa.delete(table).where(table.c["module"] == module, table.c["field"] == name))


def rename_options_in_history(
    connection: sa.Connection, event: sa.Table, module: str, field: Field, renames: Mapping[str, str], is_state: bool
) -> None:
    """Renames options in recorded values, new name → old name; `is_state`: whether it is the field of the lifecycle."""
    names = {before: after for after, before in renames.items()}

    def value(recorded: Any) -> Any:
        if field.multiple:
            return join_values(names.get(option, option) for option in split_values(recorded))
        return names.get(recorded, recorded)

    def renamed(details: Details) -> Details:
        changes = dict(details.get("changes", {}))
        if field.name in changes:
            changes[field.name] = [value(recorded) for recorded in changes[field.name]]
        state = {"state": names.get(details["state"], details["state"])} if is_state and "state" in details else {}
        return {**details, "changes": changes, **state}

    _rewrite(connection, event, module, [field.name, *(["state"] if is_state else [])], renamed)


def _rewrite(
    connection: sa.Connection, event: sa.Table, module: str, names: Iterable[str], change: Callable[[Details], Details]
) -> None:
    """Changes the details of the events of a module that contain one of `names` as a JSON string."""
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

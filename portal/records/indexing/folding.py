"""Rewrites folded columns (for comparison without accents and case) after the folding has changed."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.records.reading.records import Records

log = logging.getLogger(__name__)


def refold(system: Records, ids: Sequence[int]) -> None:
    """Rewrites the folded columns of records, and of the rows in them, where they differ, and nothing else."""
    _refold(system, system.table, system.module.everything.values(), system.table.c["id"].in_(ids))
    for field in system.module.fields.values():
        if field.row_fields:
            rows = system.policy.tables.join(system.name, field.name)
            _refold(system, rows, field.row_fields.values(), rows.c["_record"].in_(ids))


def _refold(system: Records, table: sa.Table, fields: Iterable[Field], among: sa.ColumnElement[bool]) -> None:
    folded = [field for field in fields if field.folded and not field.virtual]
    columns = {column.name: column for field in folded for column in (*field.selected(table), table.c[_name(field)])}
    if not folded:
        return
    rows: Sequence[Any] = (
        system.connection.execute(sa.select(table.c["id"], *columns.values()).where(among)).mappings().all()
    )
    for row in rows:
        stored = {_name(field): field.store(field.load(row))[_name(field)] for field in folded}
        changed = {name: text for name, text in stored.items() if row[name] != text}
        if changed:
            _write(system, table, row["id"], changed)


def _write(system: Records, table: sa.Table, row_id: int, columns: dict[str, str]) -> None:
    update = sa.update(table).where(table.c["id"] == row_id)
    try:
        with system.connection.begin_nested():
            system.connection.execute(update.values(columns))
    except sa.exc.IntegrityError:
        why = "another record has a value that now counts as the same"
        log.warning("%s %s keeps its old folding: %s.", table.name, row_id, why)


def _name(field: Field) -> str:
    return str(field.folded)

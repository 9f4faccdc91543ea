"""Folded columns follow another folding: what is compared without accents and case is written again."""

import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.records.reading.records import Records

log = logging.getLogger(__name__)


def refold(system: Records, ids: Sequence[int]) -> None:
    """Writes the folded columns of records anew where they differ, and nothing else."""
    fields = [field for field in system.module.everything.values() if field.folded and not field.virtual]
    columns = {
        column.name: column
        for field in fields
        for column in (*field.selected(system.table), system.table.c[_name(field)])
    }
    if not fields or not ids:
        return
    select = sa.select(system.table.c["id"], *columns.values()).where(system.table.c["id"].in_(ids))
    rows: Sequence[Any] = system.connection.execute(select).mappings().all()
    for row in rows:
        stored = {_name(field): field.store(field.load(row))[_name(field)] for field in fields}
        changed = {name: text for name, text in stored.items() if row[name] != text}
        if changed:
            _write(system, row["id"], changed)


def _write(system: Records, record_id: int, columns: dict[str, str]) -> None:
    update = sa.update(system.table).where(system.table.c["id"] == record_id)
    try:
        with system.connection.begin_nested():
            system.connection.execute(update.values(columns))
    except sa.exc.IntegrityError:
        why = "another record has a value that now counts as the same"
        log.warning("%s %s keeps its old folding: %s.", system.name, record_id, why)


def _name(field: Field) -> str:
    return str(field.folded)

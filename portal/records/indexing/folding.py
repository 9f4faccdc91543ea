"""Folded columns follow another folding: what is compared without accents and case is written again."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.records.reading.records import Records


def refold(system: Records, ids: Sequence[int]) -> None:
    """Writes the folded columns of records anew where they differ, and nothing else."""
    fields = [field for field in system.module.everything.values() if field.folded and not field.computed]
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
            update = sa.update(system.table).where(system.table.c["id"] == row["id"])
            system.connection.execute(update.values(changed))


def _name(field: Field) -> str:
    return str(field.folded)

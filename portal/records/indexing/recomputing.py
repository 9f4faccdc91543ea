"""Formulas, roll-ups and stopwatches of existing records, recomputed because their declaration has changed."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.records.indexing.formulas import (
    computed_columns,
    computed_values,
    lock_rows,
    locked_values,
    names_in_other_texts,
)
from portal.records.indexing.rollups import roll_up, rolling_up
from portal.records.indexing.stopwatches import recompute_stopwatches
from portal.records.reading.records import Records


def recompute(system: Records, ids: Sequence[int]) -> list[int]:
    """Rewrites the roll-ups and stopwatches of records, and their formulas where they differ; returns the ids of those
    that other records now show differently."""
    if not ids:
        return []
    if rollups := [field.rollup for field in system.module.fields.values() if field.rollup]:
        roll_up(system, ids, rollups)
    for name in system.module.fields:
        _recompute_rows(system, name, ids)
    recompute_stopwatches(system, ids)
    formulas, renamed = list(system.module.formulas.values()), []
    if not formulas:
        return []
    currency = system.policy.reader.currency
    names = names_in_other_texts(system.policy.declaration, system.module)
    with rolling_up(system, ids, [column.name for field in formulas for column in field.columns()]):
        for record_id, values in locked_values(system, ids, formulas).items():
            columns = computed_columns(formulas, values, currency)
            before = {name: value for field in formulas for name, value in field.store(values[field.name]).items()}
            if columns != before:
                this_record = system.table.c["id"] == record_id
                system.connection.execute(sa.update(system.table).where(this_record).values(columns))
            if any(columns[name] != before[name] for name in names & columns.keys()):
                renamed.append(record_id)
    return renamed


def _recompute_rows(system: Records, name: str, ids: Sequence[int]) -> None:
    field, currency = system.module.field(name), system.policy.reader.currency
    if not any(column.computed for column in field.row_fields.values()):
        return
    table = system.policy.tables.join(system.name, name)
    rows = system.policy.declaration.row_modules[table.name]
    lock_rows(system, ids)
    for record in system.by_ids(ids, [name]):
        for row in record.values[name]:
            values = computed_values(rows.formulas.values(), row.values, currency)
            if values != row.values:
                columns: dict[str, Any] = {}
                for formula in rows.formulas:
                    columns |= field.row_fields[formula].store(values[formula])
                system.connection.execute(sa.update(table).values(columns).where(table.c["id"] == row.id))

"""The values of formulas: worked out with every write of what they read, and again when a formula has changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.reading.records import Records


def formulas_reading(module: Module, changed: Iterable[str]) -> list[Field]:
    """The formulas that read one of the fields `changed`, or another such formula, in the order of computing."""
    names, reading = set(changed), []
    for name, field in module.formulas.items():
        if not names.isdisjoint(field.sources):
            reading.append(field)
            names.add(name)
    return reading


def computed_values(formulas: Iterable[Field], values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The `values` of a record with those of `formulas`, of which later ones may read earlier ones."""
    known = dict(values)
    for field in formulas:
        known[field.name] = field.compute(known, currency)
    return known


def computed(formulas: Iterable[Field], values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The values of `formulas` in a record with `values`, as columns."""
    formulas = list(formulas)
    known = computed_values(formulas, values, currency)
    return {name: value for field in formulas for name, value in field.store(known[field.name]).items()}


def recomputed(records: Records, record_id: int, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the formulas that follow when the values `changed` are written to a record.

    The record is locked before it is read: of two that change different fields at once the second sees the first.
    """
    formulas = formulas_reading(records.module, changed)
    if not formulas:
        return {}
    values = _locked(records.as_system, [record_id], formulas).get(record_id, {})
    return computed(formulas, {**values, **changed}, records.policy.reader.currency)


def compute_again(system: Records, ids: Sequence[int]) -> None:
    """Writes the formulas of records anew where they differ, and nothing else."""
    if not ids:
        return
    for name in system.module.fields:
        _compute_rows_again(system, name, ids)
    formulas = list(system.module.formulas.values())
    if not formulas:
        return
    currency = system.policy.reader.currency
    for record_id, values in _locked(system, ids, formulas).items():
        columns = computed(formulas, values, currency)
        before = {name: value for field in formulas for name, value in field.store(values[field.name]).items()}
        if columns != before:
            this_record = system.table.c["id"] == record_id
            system.connection.execute(sa.update(system.table).where(this_record).values(columns))


def _compute_rows_again(system: Records, name: str, ids: Sequence[int]) -> None:
    field, currency = system.module.field(name), system.policy.reader.currency
    if not any(column.computed for column in field.row_fields.values()):
        return
    table = system.policy.tables.join(system.name, name)
    rows = system.policy.declaration.row_modules[table.name]
    _lock(system, ids)
    for record in system.by_ids(ids, [name]):
        for row in record.values[name]:
            values = computed_values(rows.formulas.values(), row.values, currency)
            if values != row.values:
                columns: dict[str, Any] = {}
                for formula in rows.formulas:
                    columns |= field.row_fields[formula].store(values[formula])
                system.connection.execute(sa.update(table).values(columns).where(table.c["id"] == row.id))


def _locked(system: Records, ids: Sequence[int], formulas: Sequence[Field]) -> dict[int, Mapping[str, Any]]:
    """The values of records that formulas read and have, by id."""
    _lock(system, ids)
    names = [name for field in formulas for name in (*field.sources, field.name)]
    return {record.id: record.values for record in system.by_ids(ids, names)}


def _lock(system: Records, ids: Sequence[int]) -> None:
    record_id = system.table.c["id"]
    system.connection.execute(sa.select(record_id).where(record_id.in_(ids)).order_by(record_id).with_for_update())

"""The values of formulas, computed whenever a field that they read is written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.reading.records import Records


def formulas_reading(module: Module, changed: Iterable[str]) -> list[Field]:
    """The formulas that read one of the fields `changed`, directly or through another formula, in computing order."""
    names, reading = set(changed), []
    for name, field in module.formulas.items():
        if not names.isdisjoint(field.sources):
            reading.append(field)
            names.add(name)
    return reading


def computed_values(formulas: Iterable[Field], values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The `values` of a record and those of `formulas`, of which later ones may read earlier ones."""
    known = dict(values)
    for field in formulas:
        known[field.name] = field.compute(known, currency)
    return known


def computed_columns(formulas: Iterable[Field], values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The values of `formulas` for a record with `values`, as columns."""
    formulas = list(formulas)
    known = computed_values(formulas, values, currency)
    return {name: value for field in formulas for name, value in field.store(known[field.name]).items()}


def is_in_other_texts(declaration: Declaration, module: Module, changed: Iterable[str]) -> bool:
    """Whether writing the fields `changed` changes the searched text of other records: through the record's title, or
    what they look up in it."""
    changed = set(changed)
    following = changed.union(field.name for field in formulas_reading(module, changed))
    return not following.isdisjoint(names_in_other_texts(declaration, module))


def names_in_other_texts(declaration: Declaration, module: Module) -> set[str]:
    """The fields of a module whose values are in the search entries of records that link to it."""
    return {module.title_field.name, *declaration.searched_elsewhere.get(module.name, ())}


def recomputed(records: Records, record_id: int, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the formulas that must be written along with the values `changed` of a record.

    The record is locked before it is read: if two writers change different fields at once, the second sees the first.
    """
    formulas = formulas_reading(records.module, changed)
    if not formulas:
        return {}
    values = locked_values(records.as_system, [record_id], formulas).get(record_id, {})
    return computed_columns(formulas, {**values, **changed}, records.policy.reader.currency)


def locked_values(system: Records, ids: Sequence[int], formulas: Sequence[Field]) -> dict[int, Mapping[str, Any]]:
    """The values of records that `formulas` read, and their own values, by id."""
    lock_rows(system, ids)
    names = [name for field in formulas for name in (*field.sources, field.name)]
    return {record.id: record.values for record in system.by_ids(ids, names)}


def locked_columns(
    system: Records, ids: Iterable[int], columns: Iterable[sa.ColumnElement[Any]]
) -> dict[int, Mapping[str, Any]]:
    """Columns of records by id that formulas read, locked as by `lock_rows`."""
    record_id = system.table.c["id"]
    query = sa.select(record_id, *columns).where(record_id.in_(list(ids))).order_by(record_id)
    rows = system.connection.execute(query.with_for_update(key_share=True)).mappings()
    return {row["id"]: dict(row) for row in rows}


def lock_rows(system: Records, ids: Sequence[int]) -> None:
    """Locks records whose formulas are computed against other writes until the end of the transaction.

    New records that link to one lock only its key (FOR KEY SHARE), which this lock permits: two created at the same
    time would otherwise wait for each other.
    """
    record_id = system.table.c["id"]
    rows = sa.select(record_id).where(record_id.in_(ids)).order_by(record_id)
    system.connection.execute(rows.with_for_update(key_share=True))

"""Writes values that have tables of their own: `links`, and the rows of `lines`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.lines import Row
from portal.fields.linked_value import Linked
from portal.records.indexing.formulas import computed_values
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.writing.defaults import value_from_declaration
from portal.records.writing.values_behind_links import followed_defaults


def write_own_tables(records: Records, record_id: int, values: Mapping[str, Any]) -> None:
    """Writes the `values` of a record that are in tables of their own: `links`, and rows."""
    for name, links in _link_values(records.module, values).items():
        write_links(records, name, {record_id: links})
    for name, rows in _row_values(records.module, values).items():
        _write_rows(records, name, record_id, rows)


def _link_values(module: Module, values: Mapping[str, Any]) -> dict[str, tuple[Linked, ...]]:
    """The `values` of a record that are in join tables, to write there."""
    names = [name for name, field in module.fields.items() if field.in_join_table]
    return {name: tuple(values[name] or ()) for name in names if name in values}


def write_links(records: Records, name: str, links: Mapping[int, Iterable[Linked]]) -> None:
    """Replaces the links of the field `name`, by the ids of records; links to what the reader may not see stay."""
    table = records.policy.tables.join(records.name, name)
    visible = records.policy.visible_ids(records.module.field(name).targets[0])
    shown = [] if visible is None else [table.c["target"].in_(visible)]
    records.connection.execute(sa.delete(table).where(table.c["record"].in_(list(links)), *shown))
    rows = [
        {"record": record_id, "target": target, "position": position}
        for record_id, linked in links.items()
        for position, target in enumerate(dict.fromkeys(link.id for link in linked))
    ]
    if rows:
        records.connection.execute(sa.insert(table), rows)


def _row_values(module: Module, values: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """The `values` of a record that are rows of `lines` fields, to write to their tables."""
    names = [field.name for field in module.lines if field.name in values]
    return {name: tuple(values[name] or ()) for name in names}


def with_whole_rows(records: Records, values: Mapping[str, Any], record_id: int | None = None) -> dict[str, Any]:
    """`values` with complete rows: including columns that the author may not read, and computed ones."""
    names = _row_values(records.module, values)
    if not names:
        return dict(values)
    stored = records.as_system.by_ids([record_id], names) if record_id is not None else []
    whole = dict(values)
    for name, rows in names.items():
        of_rows = rows_of(records.as_system, records.module.field(name))
        by_id = {row.id: row for record in stored for row in record.values[name]}
        whole[name] = tuple(_whole(records, of_rows, row, by_id.get(row.id)) for row in rows)
    return whole


def _whole(records: Records, of_rows: RowRecords, row: Row, before: Row | None) -> Row:
    columns = of_rows.module.fields
    hidden = [column for name, column in columns.items() if name not in row.values and not column.computed]
    values = before.values if before else {column.name: _hidden_default(records, column) for column in hidden}
    values = {**values, **row.values}
    if before is None:
        following = [column for column in columns.values() if value_path(column.default)]
        values |= followed_defaults(of_rows, values, following)
    values = computed_values(of_rows.module.formulas.values(), values, records.policy.reader.currency)
    return Row(values, before.id if before else None)


def _hidden_default(records: Records, column: Field) -> Any:
    path = value_path(column.default)
    return None if path else value_from_declaration(records, column, column.default)


def _write_rows(records: Records, name: str, record_id: int, rows: Sequence[Row]) -> None:
    """Replaces the rows of the `lines` field `name` of a record with `rows`, which `with_whole_rows` has completed."""
    field = records.module.field(name)
    of_rows, connection = rows_of(records, field), records.connection
    table = records.policy.tables.module(of_rows.name)
    is_removed = table.c["_record"] == record_id, table.c["id"].not_in([row.id for row in rows if row.id is not None])
    for column in field.row_fields.values():
        if column.in_join_table:
            links = records.policy.tables.join(of_rows.name, column.name)
            connection.execute(
                sa.delete(links).where(links.c["record"].in_(sa.select(table.c["id"]).where(*is_removed)))
            )
    connection.execute(sa.delete(table).where(*is_removed))
    for position, row in enumerate(rows):
        columns = {"_record": record_id, "_position": position, **_stored_columns(field, row.values)}
        row_id = row.id
        if row_id is None:
            row_id = connection.execute(sa.insert(table).values(columns).returning(table.c["id"])).scalar_one()
        else:
            connection.execute(sa.update(table).values(columns).where(table.c["id"] == row_id))
        # Links in columns that the author may not read stay as they are.
        for column_name, linked in _link_values(of_rows.module, row.values).items():
            write_links(of_rows, column_name, {row_id: linked})


def _stored_columns(field: Field, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row of a `lines` field as columns of its table."""
    stored: dict[str, Any] = {}
    for name, column in field.row_fields.items():
        if name in values:
            stored |= column.store(values[name])
    return stored

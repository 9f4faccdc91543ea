"""Values that did not fit the new type of their field, set aside instead of being lost.

They are kept as text in a separate column, which no declared table has, until they fit again (if the type changes
again, conversion.py tries them) or until their loss is allowed. The snapshot says which fields have such a column, see
`left_behind`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.migration.plan_steps import Phase, PlanStep, Task, removing
from portal.database.migration.row_counts import RowCounts, count_in_words
from portal.fields.table_names import shortened


def drop_steps(
    counts: RowCounts, fields: Mapping[str, Mapping[str, str]], modules: Collection[str]
) -> Iterator[PlanStep]:
    """The steps that drop values set aside.

    `fields`: module → field → its former type, of the declared `modules` or others.
    """
    for module, types in fields.items():
        for field, old_type in types.items():
            if module in modules:
                count = counts.filled(module, [column_name(field)])
                change = f"drop the values of {module}.{field} that only fitted it as {old_type}"
                drop = partial(drop_values_set_aside, counts.connection, module, field)
                loss = "" if count == 0 else f": {count_in_words(count, 'value')} would be lost"
                step = removing(change, loss, (module, "aside", field), (Task(Phase.DROP_FIELDS, drop),), module)
                yield replace(step, note="", left_before=True)  # its field still exists, by the same name


def column_name(field: str) -> str:
    """The column for the values of a field that were set aside."""
    return shortened(f"_aside_{field}")


def set_values_aside(connection: sa.Connection, module: str, field: str, texts: Mapping[int, str]) -> None:
    """Sets values aside, by record id; creates the column if it is missing."""
    if column_name(field) not in _columns(connection, module):
        alter.add_bare_column(connection, module, sa.Column(column_name(field), sa.Text()))
    write_texts(connection, module, column_name(field), texts)


def write_texts(connection: sa.Connection, module: str, column: str, texts: Mapping[int, str | None]) -> None:
    """Writes values to the column of those set aside, by record id; None for a record whose value was restored."""
    table = sa.table(module, sa.column("id", sa.BigInteger()), sa.column(column, sa.Text()))
    by_id = sa.update(table).where(table.c["id"] == sa.bindparam("record_id"))
    statement = by_id.values({column: sa.bindparam("text")})
    if texts:
        connection.execute(statement, [{"record_id": record_id, "text": text} for record_id, text in texts.items()])


def set_column_aside(connection: sa.Connection, module: str, field: str, column: str) -> None:
    """Sets aside the values in `column`, which is dropped."""
    if column_name(field) not in _columns(connection, module):
        alter.rename_column(connection, module, column, column_name(field))
        return
    table = sa.table(module, sa.column(column), sa.column(column_name(field)))
    has_value = table.c[column].is_not(None)
    connection.execute(sa.update(table).where(has_value).values({column_name(field): table.c[column]}))
    alter.drop_columns(connection, module, [column])


def texts_set_aside(connection: sa.Connection, module: str, field: str) -> dict[int, str]:
    """The values of a field that were set aside, by record id."""
    if column_name(field) not in _columns(connection, module):
        return {}
    table = sa.table(module, sa.column("id", sa.BigInteger()), sa.column(column_name(field), sa.Text()))
    column = table.c[column_name(field)]
    rows = connection.execute(sa.select(table.c["id"], column).where(column.is_not(None)))
    return {record_id: text for record_id, text in rows}


def drop_values_set_aside(connection: sa.Connection | None, module: str, field: str) -> None:
    """Drops the values of a field that were set aside; a plan without a connection is never carried out."""
    if connection is not None and column_name(field) in _columns(connection, module):
        alter.drop_columns(connection, module, [column_name(field)])


def _columns(connection: sa.Connection, module: str) -> set[str]:
    return {column["name"] for column in sa.inspect(connection).get_columns(module)}

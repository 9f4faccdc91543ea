"""Renames options of choices in stored values, and counts the records that still have removed ones."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.database.migration.declared_renames import renamed_names
from portal.database.migration.plan_steps import PlanStep
from portal.database.migration.row_counts import RowCounts, count_in_words
from portal.database.schema.tables import columns_of
from portal.fields.base import Field

BATCH = 1000


def renamed_options(entry: Mapping[str, Any], after: Field, history: Mapping[str, str]) -> dict[str, str]:
    """New name → old name of the options of one field that were renamed since the snapshot `entry` was taken.

    `history`: earlier renames of its options.
    """
    formerly = {name: option.formerly for name, option in after.declared_options.items()}
    return renamed_names(entry.get("options", {}), formerly, history)


def removed_options(
    counts: RowCounts, module: str, before: Field, after: Field, renames: Mapping[str, str]
) -> Iterator[PlanStep]:
    """A note in a plan for each option that is no longer declared: records keep it until someone chooses again."""
    for name in before.declared_options:
        if name in after.declared_options or name in renames.values() or not after.declared_options:
            continue
        count = counts.matching(module, columns_of(before), partial(before.compare, operator="equal", value=name))
        if count:
            keep = "keeps" if count == 1 else "keep"
            what = f'option "{name}" of {module}.{after.name} is no longer offered'
            yield PlanStep(
                f"{what}: {count_in_words(count, 'record')} {keep} it until someone chooses again", needed=False
            )


def rename_stored_options(connection: sa.Connection, table: str, before: Field, renames: Mapping[str, str]) -> None:
    """Renames options in the stored values of a field."""
    names = {before: after for after, before in renames.items()}
    column = before.columns()[0]
    source = sa.table(table, sa.column("id", sa.BigInteger()), sa.column(column.name, column.type))
    value = source.c[column.name]
    if not before.multiple:
        for old, new in names.items():
            connection.execute(sa.update(source).where(value == old).values({column.name: new}))
        return
    last = 0
    while True:
        batch = sa.select(source).where(source.c["id"] > last, value.is_not(None)).order_by(source.c["id"]).limit(BATCH)
        rows = [dict(row) for row in connection.execute(batch).mappings()]
        if not rows:
            return
        last = rows[-1]["id"]
        for row in rows:
            options = before.load(row)
            renamed = tuple(names.get(option, option) for option in options)
            if renamed != tuple(options):
                stored = before.store(renamed)
                connection.execute(sa.update(source).where(source.c["id"] == row["id"]).values(stored))

"""The steps that stop a plan: tables with more columns than a database allows, existing ones that lack something, and
links that become lines, or the reverse, under the same name."""

from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.migration.plan_steps import PlanStep, words_for_table
from portal.database.migration.snapshot import Snapshot, rebuild_field
from portal.database.schema.tables import Tables
from portal.fields.table_names import is_rows, join_name

MOST_COLUMNS = {"sqlite": 2000, "postgresql": 1600}


def too_many_columns(tables: Tables, connection: sa.Connection | None) -> Iterator[PlanStep]:
    """A blocked step for each table with more columns than the database allows, or any database if it is unknown."""
    most = MOST_COLUMNS[connection.dialect.name] if connection is not None else min(MOST_COLUMNS.values())
    for name in tables.declaration.stored:
        count = len(tables.module(name).c)
        if count > most:
            needs = f"{words_for_table(name)[0]} {name} needs {count:,} columns"
            yield PlanStep(f"! {needs}, and this database has at most {most:,} in a table", blocked=True)


def misfit_steps(tables: Tables) -> Iterator[PlanStep]:
    """A blocked step for everything an existing table lacks: it is never altered, so nothing can be applied. The portal
    can run with a field that stays empty, but not without the table."""
    for mismatch in tables.mismatches:
        yield PlanStep(f"! {mismatch.sentence}", blocked=True, needed=mismatch.field is None)


def links_and_lines(tables: Tables, old: Snapshot) -> dict[str, PlanStep]:
    """Blocked steps for links that become lines, and the reverse, by the name of their table, which would be the same
    with different columns. `old`: the last snapshot, with the new names."""
    rows_before, rows = set(filter(is_rows, old["modules"])), set(filter(is_rows, tables.declaration.stored))
    links_before = {
        join_name(module, name)
        for module, entry in old["modules"].items()
        for name, field in entry["fields"].items()
        if (before := rebuild_field(field)) is not None and before.in_join_table
    }
    links = {
        join_name(module.name, name)
        for module in tables.declaration.stored.values()
        for name, field in module.fields.items()
        if field.in_join_table
    }
    steps = {}
    for name, former, kind in (
        *[(name, "links", "lines") for name in sorted(rows & links_before)],
        *[(name, "lines", "links") for name in sorted(links & rows_before)],
    ):
        cure = f"give the {kind} another name, or remove the field and apply that first, with --allow-loss"
        steps[name] = PlanStep(f"! field {name} cannot change from {former} to {kind}: {cure}", blocked=True)
    return steps

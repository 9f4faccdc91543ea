"""The steps that stop a plan: tables with more columns than a database holds, existing ones that lack something."""

from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.migration.steps import Step, kind_of
from portal.database.schema.tables import Tables

MOST_COLUMNS = {"sqlite": 2000, "postgresql": 1600}


def too_many_columns(tables: Tables, connection: sa.Connection | None) -> Iterator[Step]:
    """A blocked step for each table with more columns than the database has, or than any has where it is not known."""
    most = MOST_COLUMNS[connection.dialect.name] if connection is not None else min(MOST_COLUMNS.values())
    for name in tables.declaration.stored:
        count = len(tables.module(name).c)
        if count > most:
            needs = f"{kind_of(name)[0]} {name} needs {count:,} columns"
            yield Step(f"! {needs}, and this database has at most {most:,} in a table", blocked=True)


def misfit_steps(tables: Tables) -> Iterator[Step]:
    """A blocked step for all that an existing table lacks: it is never altered, so that nothing can be applied. The
    portal runs with a field that stays empty, not without the table."""
    for misfit in tables.misfits:
        yield Step(f"! {misfit.sentence}", blocked=True, needed=misfit.field is None)

"""Records that have expired: `keep` of their module, counted from the last event, whether customers saw it or not.

With a lifecycle, only records in final states expire. The worker deletes them (jobs/retention.py); `portal plan`,
`portal apply` and `portal check --data` announce how many.
"""

import datetime
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.periods import long_period
from portal.texts import plural

NOTICE = datetime.timedelta(days=1)  # between the time the worker first sees a rule and the first deletion


def kept_for_some_time(tables: Tables) -> list[Module]:
    """The modules with `keep`."""
    return [module for module in tables.declaration.modules.values() if module.keep is not None]


def overdue(tables: Tables, module: Module, now: datetime.datetime) -> sa.ColumnElement[bool]:
    """Whether a record of the module's table has expired."""
    table, event, before = tables.module(module.name), tables.event.c, now - long_period(module.keep)
    of_record = event["module"] == module.name, event["record"] == table.c["id"]
    # Internal changes, and imports with a `created` of long ago, leave no trace in `modified`.
    conditions = [table.c["modified"] <= before, ~sa.exists().where(*of_record, event["at"] > before)]
    if module.state_field is not None:
        conditions.append(module.field(module.state_field).expression(table).in_(module.final_states))
    return sa.and_(*conditions)


def count_overdue(connection: sa.Connection, tables: Tables, module: Module, now: datetime.datetime) -> int:
    """How many records of a module have expired."""
    query = sa.select(sa.func.count()).select_from(tables.module(module.name)).where(overdue(tables, module, now))
    return connection.execute(query).scalar_one()


def overdue_sentences(
    connection: sa.Connection, tables: Tables, now: datetime.datetime
) -> Iterator[tuple[Module, str]]:
    """The modules whose records the worker will soon delete, and how many."""
    for module in kept_for_some_time(tables):
        if number := count_overdue(connection, tables, module, now):
            state = " in a final state" if module.state_field else ""
            have = "has" if number == 1 else "have"
            sentence = (
                f"{plural(number, 'record')} of {module.name}{state} {have} not changed for {module.keep}, and will be "
                "deleted a day after the worker first sees this"
            )
            yield module, sentence

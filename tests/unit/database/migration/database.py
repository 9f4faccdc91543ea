"""Common parts of the migration tests: a database, and the declaration that it should fit."""

import textwrap

import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration.plan_and_apply import apply, missing_steps, plan, steps_needed_to_run
from portal.database.schema.tables import build
from portal.records.indexing.backlog import catch_up
from tests.unit.database.portals import declared

COMPANIES = """
companies:
  fields: {name: text}
"""
TICKETS = """
tickets:
  reference: "TT{number}"
  fields:
    title: text
    company: {type: link, to: companies}
"""


def someone_waits(engine):
    """Whether a PostgreSQL transaction is waiting for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with reading(engine) as connection:
        return connection.exec_driver_sql(waiting).scalar_one() > 0


class Portal:
    """One database, and the declaration that it should fit."""

    def __init__(self, engine, folder):
        self.engine, self.folder = engine, folder
        self.declaration = self.tables = None
        self.left = []

    def declare(self, *modules, top=""):
        self.declaration = declared(self.folder, "\n".join(map(textwrap.dedent, modules)), top)
        self.tables = build(self.declaration)

    def plan(self):
        return [step.sentence for step in plan(self.engine, self.tables).steps]

    def missing(self):
        with reading(self.engine) as connection:
            return [step.sentence for step in missing_steps(connection, self.tables)]

    def blocking(self):
        with reading(self.engine) as connection:
            return [step.sentence for step in steps_needed_to_run(connection, self.tables)]

    def apply(self, **options):
        """The sentences about what was done; what was left undone is in `left`."""
        applied = apply(self.engine, self.tables, **options)
        catch_up(self.engine, self.tables)
        self.left = [step.sentence for step in applied.left]
        return applied.done

    def started(self, *modules, **options):
        self.declare(*modules, **options)
        self.apply()

    def add_event(self, module, details):
        with writing(self.engine) as connection:
            connection.execute(sa.insert(self.tables.event).values(module=module, record=1, details=details))

    def events(self, module):
        event = self.tables.event
        with reading(self.engine) as connection:
            of_module = sa.select(event.c["details"]).where(event.c["module"] == module)
            return list(connection.scalars(of_module.order_by(event.c["id"])))

    def changed(self, *modules, top="", **options):
        """Declares, applies the plan, and checks that nothing is left to do."""
        self.declare(*modules, top=top)
        steps = plan(self.engine, self.tables).steps
        assert self.missing()
        assert self.apply(**options) == [step.done for step in steps]
        self.at_rest()
        return [step.sentence for step in steps]

    def at_rest(self):
        assert self.plan() == []
        assert self.missing() == []

    def add(self, module, *records):
        """Records with the values of their fields, numbered from 1."""
        with writing(self.engine) as connection:
            for number, values in enumerate(records, 1):
                self._add(connection, self.declaration.modules[module], number, values)

    def _add(self, connection, module, number, values):
        row = {"id": number, "number": number, "reference": module.reference.format(number=number, year=2024)}
        for name, value in values.items():
            row |= module.field(name).store(value)
        connection.execute(sa.insert(self.tables.module(module.name)).values(row))
        for name, value in values.items():
            for place, link in enumerate(value if module.field(name).multiple and not row.get(name) else ()):
                join = self.tables.join(module.name, name)
                connection.execute(sa.insert(join).values(record=number, target=link.id, position=place))

    def values(self, module, name):
        """The values of a field, by id."""
        field, table = self.declaration.modules[module].field(name), self.tables.module(module)
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(table).order_by(table.c["id"])).mappings().all()
            return [field.load(row) for row in rows]

    def linked(self, module, name):
        join = self.tables.join(module, name)
        with reading(self.engine) as connection:
            found = sa.select(join.c["record"], join.c["target"]).order_by(join.c["record"], join.c["position"])
            return [tuple(row) for row in connection.execute(found)]

    def rows(self, table):
        with reading(self.engine) as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def columns(self, table):
        with reading(self.engine) as connection:
            return {column["name"] for column in sa.inspect(connection).get_columns(table)}

    def tables_there(self):
        with reading(self.engine) as connection:
            return set(sa.inspect(connection).get_table_names())

"""What `portal check --data` says about lists that would be slow with the existing records."""

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.declaration.source.places import Places
from portal.records.audit.missing_indexes import MANY, check_speed
from tests.portal_files import write_portal

MODULES = """
people: people
modules:
  people:
    fields: {name: text, email: email}
  projects:
    owner: contact
    fields: {name: text, contact: {type: link, to: people}}
  tasks:
    owner: project.contact
    fields:
      title: text
      project: {type: link, to: projects}
      due: {type: date, index: false}
      done_at: datetime
      hours: integer
      taken: {type: elapsed, from: created, to: done_at}
    list:
      columns: [title, project, due, taken]
      tabs:
        all: {}
        long: {where: {hours: {min: 10}}}
        of_title: {where: {title: {contains: x}}}
"""


@pytest.fixture
def said(tmp_path, sqlite_url):
    """The messages for this many tasks."""
    write_portal(tmp_path, MODULES, customer="modules: {projects: {see: own}, tasks: {see: own}}\n")

    def of(count):
        declaration = load(tmp_path).declaration
        tables, engine = build(declaration), make_engine(sqlite_url)
        apply(engine, tables)
        with writing(engine) as connection:
            connection.execute(sa.insert(tables.module("tasks")), [{"title": str(number)} for number in range(count)])
        with reading(engine) as connection:
            found = [str(problem) for problem in check_speed(connection, tables, Places(tmp_path))]
        engine.dispose()
        return found

    return of


def test_few_records_are_never_slow(said):
    assert said(10) == []


def test_of_many_records_what_no_index_answers_is_named_with_what_to_add(said):
    due, taken, tab, scope = said(MANY + 1)
    assert "tasks.fields.due: sorting the list of tasks by due reads all" in due
    assert due.endswith("remove `index: false` from due")
    assert "by taken reads all of its records; it is computed for every record" in taken
    assert "tasks.list.tabs.long: no index finds the records of this tab; add `index: true` to hours" in tab
    assert scope.startswith("warning: profiles/customer.yaml:1:")
    assert "customer sees the records of tasks by project.contact" in scope

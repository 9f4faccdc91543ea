"""Defaults that follow links: their values, and the number of queries."""

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.fields.linked_value import Linked
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.values_behind_links import followed_defaults
from portal.records.writing.writer import Writer
from tests.unit.database.portals import declared

EMPTY = ("phone", "street", "city", "country")
MODULES = f"""
companies: {{fields: {{title: text, boss: {{type: link, to: people}}}}}}
people:
  fields: {{title: text, company: {{type: link, to: companies}}, {", ".join(f"{name}: text" for name in EMPTY)}}}
tickets:
  fields:
    title: text
    caller: {{type: link, to: people}}
    approver: {{type: link, to: people, default: $company.boss}}
    company: {{type: link, to: companies, default: $caller.company}}
{"".join(f"    {name}: {{type: text, default: $caller.{name}}}" + chr(10) for name in EMPTY)}
"""


@pytest.fixture
def tickets(sqlite_url, tmp_path):
    tables, engine = build(declared(tmp_path, MODULES)), make_engine(sqlite_url)
    apply(engine, tables)
    with writing(engine) as connection:
        yield Records(connection, system_policy(tables), "tickets")
    engine.dispose()


def test_a_default_may_begin_at_a_link_that_another_one_fills_in_and_empty_values_are_not_read_again_and_again(tickets):
    people, companies = (Writer(tickets.of(module), SYSTEM) for module in ("people", "companies"))
    boss = people.create({"title": "Boss"})
    company = companies.create({"title": "Acme", "boss": Linked(boss, "people")})
    caller = Linked(people.create({"title": "Anna", "company": Linked(company, "companies")}), "people")
    queries = []
    sa.event.listen(tickets.connection, "before_cursor_execute", lambda *facts: queries.append(facts[2]))

    fields = tickets.module.fields.values()
    defaults = followed_defaults(tickets, {"caller": caller}, fields)

    assert {name: link.id for name, link in defaults.items()} == {"company": company, "approver": boss}
    assert len(queries) <= 3 * len(EMPTY) + 2 * 3  # thrice each empty one; each link with the title that it leads to

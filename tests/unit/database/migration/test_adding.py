"""New fields and modules, required and unique ones, on databases with records."""

import textwrap

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.migration.plan_and_apply import CannotBeAppliedError
from portal.fields.linked_value import Linked
from tests.unit.database.migration.database import COMPANIES, TICKETS


def test_new_fields_keep_records_and_stay_empty_even_with_a_default(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"title": "Printer", "company": Linked(1, "companies")})
    more = """
        urgency: {type: choice, options: [low, high], default: low}
        watchers: {type: links, to: companies}
        parent: {type: link, to: tickets}
        cost: money
    """
    assert portal.changed(COMPANIES, TICKETS + textwrap.indent(textwrap.dedent(more), "    "))[:4] == [
        "add field tickets.urgency (choice); the 1 record that exists keeps it empty",
        "add field tickets.watchers (links)",
        "add field tickets.parent (link)",
        "add field tickets.cost (money)",
    ]
    assert portal.values("tickets", "urgency") == [None]
    assert portal.values("tickets", "company") == [Linked(1, "companies")]
    with pytest.raises(sa.exc.IntegrityError), writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("tickets")).values(parent=99))


def test_a_field_made_required_says_how_many_records_have_it_empty(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"}, {}, {})
    portal.declare("companies: {fields: {name: {type: text, required: true}}}")
    said = ["field companies.name is required from now on: 2 records without it stay as they are until edited"]
    assert portal.plan() == said
    assert portal.apply() == said
    portal.at_rest()


def test_a_field_becomes_unique_only_when_no_value_stands_twice(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"}, {"name": "Acme"}, {}, {})
    portal.declare("companies: {fields: {name: {type: text, unique: true}}}")
    said = '! field companies.name cannot be made unique, these values occur more than once: "Acme" (2 times)'
    assert portal.plan() == [said]
    assert (portal.apply(allow_loss=True), portal.left) == ([], [said])
    assert portal.blocking() == []
    with writing(portal.engine) as connection:
        table = portal.tables.module("companies")
        connection.execute(sa.update(table).where(table.c["id"] == 2).values(name="Other", _name_folded="other"))
    assert portal.plan() == ["bring the indexes of companies up to date"]
    portal.apply()
    portal.at_rest()
    with pytest.raises(sa.exc.IntegrityError):
        portal.add("companies", {"name": "Acme"})


def test_the_link_within_which_a_field_becomes_unique_may_lead_to_one_record_many_times(portal):
    desks = (
        "desks: {fields: {name: text, company: {type: link, to: companies}, seat: {type: integer, unique: company}}}"
    )
    portal.started(COMPANIES, desks.replace(", unique: company", ""))
    portal.add("companies", {"name": "Acme"})
    desk = {"company": Linked(1, "companies")}
    portal.add("desks", desk | {"seat": 1}, desk | {"seat": 2})
    assert (portal.changed(COMPANIES, desks), portal.left) == (["bring the indexes of desks up to date"], [])
    with pytest.raises(sa.exc.IntegrityError):
        portal.add("desks", desk | {"seat": 2})


def test_values_of_an_older_version_that_only_look_different_stay_and_are_named(portal):
    portal.started("companies: {fields: {code: {type: text, unique: true}}}")
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("DROP INDEX ix_companies$_code_folded")
        connection.exec_driver_sql("CREATE UNIQUE INDEX ix_companies$code ON companies (code)")
    portal.add("companies", {"code": "Łódź"}, {"code": "LODZ"}, {"code": "Kraków"})
    said = '! field companies.code cannot be made unique, these values occur more than once: "Łódź", "LODZ" (2 times)'
    assert portal.plan() == [said]
    assert (portal.apply(allow_loss=True), portal.left) == ([], [said])
    assert (portal.blocking(), portal.values("companies", "code")) == ([], ["Łódź", "LODZ", "Kraków"])
    with pytest.raises(sa.exc.IntegrityError):
        portal.add("companies", {"code": "Łódź"})
    with writing(portal.engine) as connection:
        table = portal.tables.module("companies")
        connection.execute(sa.update(table).where(table.c["id"] == 2).values(code="Lublin", _code_folded="lublin"))
    portal.apply()
    portal.at_rest()
    with pytest.raises(sa.exc.IntegrityError):
        portal.add("companies", {"code": "krakow"})


def test_a_module_with_too_many_columns_is_reported(portal):
    fields = "\n".join(f"    f{number}: integer" for number in range(2001))
    portal.declare(f"wide:\n  fields:\n{fields}")
    said = r"module wide needs 2,01\d columns, and this database has at most [12],\d00 in a table"
    with pytest.raises(CannotBeAppliedError, match=said):
        portal.apply(allow_loss=True)
    assert "wide" not in portal.tables_there()

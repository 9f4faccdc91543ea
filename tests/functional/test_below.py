"""Conditions with `below`: what stands below a record at any depth, through the link of a module to itself."""

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from tests.functional.conftest import fill_in, form_of
from tests.functional.world import PEOPLE, written_world

ANNA, CARLA, NANCY = "anna@acme.example", "carla@globex.example", "nancy@supplier.example"
MODULES = """
portal: {name: Group, administrators: [staff]}
people: people
organizations: companies
modules:
  companies:
    fields: {name: text, parent: {type: link, to: companies}}
  people:
    organization: company
    fields: {name: text, email: {type: email, unique: true}, company: {type: link, to: companies}}
  sites:
    see: all
    fields: {name: text, company: {type: link, to: companies}}
  tickets:
    see: all
    fields:
      title: {type: text, required: true}
      company: {type: link, to: companies}
      site: {type: link, to: sites, where: {company: {below: $company}}}
    list: {columns: [title], tabs: {all: {}, group: {where: {company: {below: Acme}}}}}
"""
CUSTOMER = """
modules:
  companies: {see: all, where: {id: {below: my organization}}}
  tickets: {see: all, where: {company: {below: my organization}}, can: [create]}
  sites: {}
  people: {}
"""
STAFF = "staff: true\nmodules: {tickets: {can: [create]}, companies: {see: all}, sites: {}, people: {see: all}}\n"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def group(request):
    """Acme has Acme North, which has Acme Arctic; Globex stands alone."""
    with written_world(
        request, MODULES, PEOPLE[:1] + PEOPLE[2:3] + PEOPLE[5:], customer=CUSTOMER, staff=STAFF
    ) as world:
        for name, parent in (("Acme North", "Acme"), ("Acme Arctic", "Acme North")):
            world.add("companies", name=name, parent=world.the("companies", parent))
        places = {"Rome": "Acme", "Oslo": "Acme North", "Tromsø": "Acme Arctic", "Bonn": "Globex"}
        for name, company in ((name, world.the("companies", company)) for name, company in places.items()):
            world.add("sites", name=name, company=company)
            fill_in(world[NANCY], "/tickets/create", {"title": f"In {name}", "company": str(company.id)})
        yield world


def titles(page):
    return {row.text.strip() for row in page.html.select("tbody a.cover")}


def test_a_company_sees_what_stands_below_it_at_any_depth(group):
    assert titles(group[ANNA].get("/tickets/")) == {"In Rome", "In Oslo", "In Tromsø"}
    assert titles(group[CARLA].get("/tickets/")) == {"In Bonn"}
    group[CARLA].get("/tickets/3/", status=404)
    assert titles(group[ANNA].get("/companies/")) == {"Acme", "Acme North", "Acme Arctic"}
    assert titles(group[NANCY].get("/tickets/?tab=group")) == {"In Rome", "In Oslo", "In Tromsø"}


def test_a_link_offers_what_stands_below_another_value_of_the_form(group):
    nancy, north = group[NANCY], group.the("companies", "Acme North").id
    page = fill_in(nancy, "/tickets/create", {"title": "", "company": str(north)}, status=422)
    form = form_of(page, "/tickets/create")
    offered = {text.strip(): value for value, _chosen, text in form["site"].options if value}
    assert offered.keys() == {"Oslo", "Tromsø"}
    form["title"], form["site"] = "New", offered["Tromsø"]
    form.submit(status=303)


def test_companies_in_a_circle_are_all_below_each_other(group):
    table, arctic = group.portal.tables.module("companies"), group.the("companies", "Acme Arctic")
    with writing(group.portal.engine) as connection:
        connection.execute(sa.update(table).where(table.c["name"] == "Acme").values(parent=arctic.id))
    assert titles(group[ANNA].get("/tickets/")) >= {"In Rome", "In Oslo", "In Tromsø"}

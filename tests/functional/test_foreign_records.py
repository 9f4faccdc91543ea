"""No answer depends on records that the reader may not see, however many and however new they are."""

import datetime
import re

import pytest
import sqlalchemy as sa

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import writing
from portal.database.search import index as search
from portal.database.search.tokens import organization_token, owner_token
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row
from tests.functional.world import ANNA, BRUNO, CARLA, NOW, way, written_world
from tests.workbooks import text_of

DAY = datetime.timedelta(days=1)
FOREIGN = 1_100  # more than are counted
VISIBLE = 42
ITEM = """
    title: name
    fields:
      name: text
      kind: {type: choice, options: [a, b]}
      size: integer
      published: boolean
      caller: {type: link, to: people}
      company: {type: link, to: companies}
      customers: {type: links, to: companies}
      project: {type: link, to: projects}
      projects: {type: links, to: projects}
    list:
      columns: [reference, name, kind, size]
      tabs:
        all: {}
        kind: {where: {kind: a}}
        size: {where: {size: {min: 50}}}
        both: {where: {kind: a, size: {max: 40}}}
"""
SCOPES = {
    "by_owner": "owner: caller",
    "by_company": "organization: company",
    "by_companies": "organization: customers",
    "by_project": "owner: project.contact",
    "through_project": "see: {through: project}",
    "through_projects": "see: {through: projects}",
    "with_condition": "see: all",
    "recent": "owner: caller\n    records_from: true",
}
MODULES = """
portal: {name: Foreign, base_url: http://localhost}
people: people
organizations: companies
modules:
  companies: {title: name, fields: {name: text}}
  people:
    title: name
    organization: works_for
    fields: {name: text, email: {type: email, unique: true}, works_for: {type: links, to: companies}}
    detail: {related: [by_owner, recent]}
  projects: {title: name, owner: contact, fields: {name: text, contact: {type: link, to: people}}}
"""
MODULES += "".join(f"  {name}:\n    {scope}{ITEM}" for name, scope in SCOPES.items())
MODULES += "  notes:\n    fields:\n      name: text\n"
MODULES += "".join(f"      to_{name}: {{type: link, to: {name}}}\n" for name in SCOPES)
PROFILE = """
modules:
  people: {see: own}
  companies: {see: organization}
  projects: {see: own}
  notes: {see: all, can: [create]}
  by_owner: {see: own, can: [export]}
  by_company: {see: organization, can: [export]}
  by_companies: {see: organization, can: [export]}
  by_project: {see: own, can: [export]}
  through_project: {see: {through: project}, can: [export]}
  through_projects: {see: {through: projects}, can: [export]}
  with_condition: {see: all, where: {published: true}, can: [export]}
  recent: {see: own, can: [export]}
home: {buttons: [BUTTONS]}
""".replace("BUTTONS", ", ".join(SCOPES))
BUTTONS = "buttons:\n" + "".join(f"  {name}: {{opens: {name}, tab: size, count: true}}\n" for name in SCOPES)
NAMES = {ANNA: "Anna", BRUNO: "Bruno", CARLA: "Carla"}
READ = {ANNA: tuple(SCOPES), BRUNO: ("by_company", "by_companies"), CARLA: ("by_owner", "recent")}
QUERIES = ("tab=size", "tab=both", "q=item", "q=item&size.min=20&sort=-size", "kind=a", "sort=name")
PAGES = ("", *(f"?{query}" for query in QUERIES), "export.csv")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def foreign(request):
    """A portal with every kind of scope: Anna has one company, Bruno twelve, Carla sees only recent records."""
    people = [AccessRequest(email, "customer", name) for email, name in NAMES.items()]
    with written_world(request, MODULES, people, buttons=BUTTONS, customer=PROFILE) as world:
        yield filled(world)


def filled(world):
    companies = [world.link("companies", name=f"Company {number}") for number in range(14)]
    for name, first, last in (("Anna", 0, 1), ("Bruno", 1, 13), ("Carla", 0, 1)):
        world.set("people", world.the("people", name).id, works_for=tuple(companies[first:last]))
        world.add("projects", name=f"Project of {name}", contact=world.the("people", name))
    world.account(CARLA, records_from=NOW.date() - 30 * DAY)
    for name in NAMES.values():
        person, project = world.the("people", name), world.the("projects", f"Project of {name}")
        company = companies[1 if name == "Bruno" else 0]
        add_items(world, VISIBLE, 5, caller=person, company=company, project=project, published=True)
    return world


def add_items(world, count, days, **values):
    """Adds this many records to every module, created this many days ago."""
    for module in SCOPES:
        with writing(world.portal.engine) as connection:
            add_rows(world.records(connection, module), count, days, **values)


def add_rows(records, count, days, **values):
    connection, tables = records.connection, records.policy.tables
    first = (connection.scalar(sa.select(sa.func.max(records.table.c["id"]))) or 0) + 1
    rows = [
        {"id": record_id}
        | new_row(
            records,
            {
                "name": f"Item {record_id * 7 % 50}", "kind": "ab"[record_id % 2], "size": record_id % 90,
                "created": NOW - days * DAY + datetime.timedelta(seconds=record_id), **values,
            },
            record_id,
            SYSTEM,
        )
        for record_id in range(first, first + count)
    ]  # fmt: skip
    connection.execute(sa.insert(records.table), rows)
    for field, target in (("customers", values.get("company")), ("projects", values.get("project"))):
        if target is not None:
            pairs = [{"record": row["id"], "target": target.id, "position": 0} for row in rows]
            connection.execute(sa.insert(tables.join(records.name, field)), pairs)
    person, company = values.get("caller"), values.get("company")
    scopes = [owner_token(person.id)] if person and records.module.owner == "caller" else []
    if company and records.module.organization in ("company", "customers"):
        scopes.append(organization_token(company.id))
    texts = [(row["id"], [row["name"], row["kind"]], row["reference"]) for row in rows]
    entries = [search.Entry(records.name, record_id, words, reference, scopes) for record_id, words, reference in texts]
    with search.filling(connection):
        search.put_many(connection, tables.search, entries)


def answers(world):
    """What each reader gets at each address, without the tokens of the session."""
    found = {}
    for email, modules in READ.items():
        addresses = ["/", "/search?q=item", f"/people/{world.the('people', NAMES[email]).id}/"]
        addresses += [f"/{module}/{page}" for module in modules for page in PAGES]
        addresses += [f"/{modules[0]}/export.xlsx"]  # the same rows as in the other format
        addresses += [f"/notes/find?q=item&field=to_{module}" for module in modules]
        for address in addresses:
            page = world[email].get(address)
            found[email, address] = without_token(page)
            if address.endswith(("/", "?q=item")) and (following := way(page, "next")):
                found[email, address, "next"] = without_token(world[email].get(following))
    return found


def without_token(page):
    return re.sub(r'name="_(csrf|once)"[^>]*value="[^"]+"', "", text_of(page))


@pytest.mark.sqlite_suffices
def test_thousands_of_foreign_records_change_no_answer(foreign):
    before = answers(foreign)
    assert "1–25 of 42" in before[ANNA, "/by_owner/"]
    assert "1–25 of 42" in before[ANNA, "/through_projects/?q=item"]
    assert "1–25 of 126" in before[ANNA, "/with_condition/"]
    assert "1–25 of 42" in before[BRUNO, "/by_companies/"]
    foreign_company = foreign.the("companies", "Company 13")
    add_items(foreign, FOREIGN, 1, company=foreign_company, published=False)
    # Carla's own, but from before her first visible day, and changed since.
    carla = foreign.the("people", "Carla")
    with writing(foreign.portal.engine) as connection:
        records = foreign.records(connection, "recent")
        add_rows(records, FOREIGN, 90, caller=carla)
        old = records.table.c["created"] < NOW - 60 * DAY
        connection.execute(sa.update(records.table).where(old).values(modified=NOW))
    after = answers(foreign)
    assert [key for key in before if before[key] != after[key]] == []

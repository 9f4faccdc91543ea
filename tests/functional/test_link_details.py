"""What a link offers: details next to titles, for those who may read them; what the form's own record narrows."""

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.fields.linked_value import Linked
from tests.functional.world import CARLA, NANCY, written_world

MODULES = """
people: people
modules:
  people:
    fields:
      name: text
      email: {type: email, unique: true}
      team: {type: link, to: teams}
      pin: text
  teams: {see: all, fields: {name: text}}
  visits:
    see: all
    fields:
      what: text
      guide: {type: link, to: people, details: [team, pin]}
      guests: {type: links, to: people, details: [pin]}
      team: {type: lookup, of: guide.team}
      crew: {type: link, to: teams}
      leader: {type: link, to: people, where: {team: $crew}}
      stops: {type: lines, fields: {host: {type: link, to: people, details: [team]}}}
"""
STAFF = """staff: true
modules:
  people: {see: all}
  teams: {}
  visits: {can: [create, edit], edit: {fields: [what, leader]}}
"""
CUSTOMER = """
modules:
  people: {see: all, detail: {sections: [{fields: [name, team]}]}, list: {columns: [name]}}
  teams: {}
  visits: {can: [create, edit]}
"""


@pytest.fixture(scope="module")
def visits(request):
    people = AccessRequest(NANCY, "staff", "Nancy Smith"), AccessRequest(CARLA, "customer", "Carla Neri")
    with written_world(request, MODULES, people, staff=STAFF, customer=CUSTOMER) as world:
        for team, pin in (("North", "1234"), ("South", "5678")):
            world.add("people", name="Anna Rossi", team=world.link("teams", name=team), pin=pin)
        yield world


def offers(page, name):
    return [option.text for option in page.html.find("select", {"name": name}).find_all("option") if option["value"]]


def test_two_with_one_name_are_distinguished_by_what_each_reader_may_read(visits):
    nancy, carla = visits[NANCY].get("/visits/create"), visits[CARLA].get("/visits/create")
    assert offers(nancy, "guide")[:2] == ["Anna Rossi · North · 1234", "Anna Rossi · South · 5678"]
    assert offers(carla, "guide")[:2] == ["Anna Rossi · North", "Anna Rossi · South"]
    assert ("Anna Rossi · 5678" in nancy.text, "5678" in carla.text) == (True, False), "of several links"
    assert "Anna Rossi · North" in offers(carla, "stops.0.host"), "in a row"


def test_what_is_found_and_what_is_chosen_says_it_too(visits):
    nancy, carla = visits[NANCY], visits[CARLA]
    found = {row["title"] for row in nancy.get("/visits/find?field=guide&q=anna").json}
    assert found == {"Anna Rossi · North · 1234", "Anna Rossi · South · 5678"}
    assert "1234" not in carla.get("/visits/find?field=guide&q=anna").text
    assert carla.get("/visits/find?field=guide&q=1234").json == []
    assert len(carla.get("/visits/find?field=guide&q=Anna+Rossi+%C2%B7+No").json) == 2, "a choice that is being changed"
    assert [row["title"] for row in nancy.get("/visits/find?field=team&q=north").json] == ["North"]
    anna = Linked(3, "people")
    visit = visits.add("visits", what="Tour", guide=anna, guests=(anna,))
    page = carla.get(f"/visits/{visit}/edit")
    assert page.html.find("option", selected=True).text == "Anna Rossi · North"
    assert page.html.find("input", {"name": "guests", "checked": True}).parent.text.strip() == "Anna Rossi"
    assert " · North" not in carla.get(f"/visits/{visit}/").text


def test_who_types_is_offered_what_the_record_allows_by_fields_that_the_form_lacks(visits):
    nancy, visit = visits[NANCY], visits.add("visits", what="Tour", crew=visits.the("teams", "South"))
    page = nancy.get(f"/visits/{visit}/edit")
    find = page.html.find("select", {"name": "leader"}).parent["data-combobox"]
    assert offers(page, "leader") == ["Anna Rossi"]
    assert len(nancy.get(f"{find}&q=anna").json) == 1
    assert nancy.get(f"{find}&q=anna&crew=").json == []
    assert nancy.get("/visits/find?field=leader&q=anna").json == [], "in a new record"

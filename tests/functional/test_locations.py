"""Places, through the page: typed in any notation, shown with a link to a map, found near a place."""

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import writing
from portal.records.transfer.importing import ImportOptions, import_file
from portal.records.transfer.source_files import open_file
from tests.functional.world import NANCY, written_world

MODULES = """
people: people
modules:
  people:
    fields:
      name: text
      email: {type: email, unique: true}
  sites:
    fields:
      name: text
      spot: {type: location, label: On the map}
      parking: {type: location, default: $main.spot}
      main: {type: link, to: sites}
      main_spot: {type: lookup, of: main.spot}
      stops:
        type: lines
        fields: {what: text, at: location}
    list: {columns: [name, spot, main_spot], tabs: {all: {}, udine: {where: {spot: "46.06, 13.24 20 km"}}}}
"""
STAFF = """
staff: true
modules:
  people: {see: all}
  sites: {see: all, can: [create, edit, export]}
"""


@pytest.fixture(scope="module")
def sites(request):
    with written_world(request, MODULES, (AccessRequest(NANCY, "staff", "Nancy Smith"),), staff=STAFF) as world:
        world[NANCY].send("/sites/create", {"name": "Office", "spot": "geo:46.0637,13.2446"})
        office = world.all("sites")[0].id
        form = {"name": "Depot", "main": office, "stops.0.what": "Gate", "stops.0.at": "46,05; 13,25"}
        world[NANCY].send("/sites/create", {**form, "spot": "https://maps.google.com/?q=45.65,13.77"})
        yield world


def test_a_place_is_shown_with_a_link_to_a_map_and_nothing_external_is_fetched(sites):
    nancy = sites[NANCY]
    office, depot = sites.all("sites")
    page = nancy.get(f"/sites/{office.id}/")
    way = page.html.find("a", string="46.0637, 13.2446")
    assert way["href"] == "https://www.openstreetmap.org/?mlat=46.0637&mlon=13.2446#map=16/46.0637/13.2446"
    assert "noreferrer" in way["rel"]
    assert "openstreetmap" not in page.headers["Content-Security-Policy"]
    assert "geolocation=(self)" in page.headers["Permissions-Policy"]
    page = nancy.get(f"/sites/{depot.id}/")
    assert page.html.find("a", string="46.05, 13.25"), "in a line"
    assert page.text.count("mlat=46.0637") == 2, "the lookup, and the default that came from the link"


def test_a_place_that_cannot_be_read_is_refused_at_its_input_and_stays_there(sites):
    page = sites[NANCY].send("/sites/create", {"name": "X", "spot": "46,13"})
    assert page.html.find("input", {"name": "spot"})["value"] == "46,13"
    assert "Enter latitude and longitude, such as 46.0637, 13.2446." in page
    page = sites[NANCY].send("/sites/create", {"name": "X", "spot": "96, 13"})
    assert "A latitude is between -90 and 90, a longitude between -180 and 180." in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?tab=udine", ["Office"]),
        ("?spot=45.6,+13.7+20+km", ["Depot"]),
        ("?spot=46,+13.5+100+km", ["Depot", "Office"]),
        ("?spot=46.0637,+13.2446+500+m", ["Office"]),
        ("?spot=https://maps.google.com/?q%3D45.65,13.77", ["Depot"]),
        ("?q=spot:geo:45.65,13.77", ["Depot"]),
        ("?main_spot=46.06,+13.24+1+km", ["Depot"]),
        ('?q=on-the-map:"45.6, 13.7 20 km"', ["Depot"]),
        ('?q=-spot:"45.6, 13.7 20 km"', ["Office"]),
        ("?main_spot.empty=1", ["Office"]),
    ],
)
def test_records_are_found_around_a_place(sites, query, found):
    assert sorted(sites[NANCY].titles(f"/sites/{query}")) == found


def test_a_filter_that_is_no_place_says_what_one_is(sites):
    page = sites[NANCY].get("/sites/?spot=Udine")
    assert "such as 46.0637, 13.2446" in page.html.find(id="filter-error-spot").text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_exported_is_read_again(sites, tmp_path, kind):
    before = {site.title: site.values["spot"] for site in sites.all("sites")}
    file = tmp_path / f"sites.{kind}"
    file.write_bytes(sites[NANCY].get(f"/sites/export.{kind}?tab=all").body)
    for site in sites.all("sites"):
        sites.set("sites", site.id, spot=None)
    with writing(sites.portal.engine) as connection:
        report = import_file(sites.records(connection, "sites"), open_file(file), ImportOptions(key="name"))
    assert (report.bad, report.outcome.changed) == ([], 2)
    assert {site.title: site.values["spot"] for site in sites.all("sites")} == before


def test_programs_and_files_take_what_they_are_given(sites):
    program, (office, _depot) = sites.program(NANCY), sites.all("sites")
    record = program.call("GET", f"sites/{office.id}").json
    assert record["spot"] == {"latitude": "46.0637", "longitude": "13.2446"}
    program.call("PATCH", f"sites/{office.id}", {"spot": {"latitude": 46, "longitude": -13.5}}, 200)
    assert sites[NANCY].get("/sites/export.csv?tab=all&sort=name").text.splitlines()[2].count("46, -13.5") == 1
    for wrong in ({"latitude": 46}, {"latitude": [46], "longitude": 13}, {"latitude": 91, "longitude": 0}):
        program.call("PATCH", f"sites/{office.id}", {"spot": wrong}, 422)
    program.call("PATCH", f"sites/{office.id}", {"spot": record["spot"]}, 200)
    assert "46, -13.5" in sites[NANCY].get(f"/sites/{office.id}/?history=all").text

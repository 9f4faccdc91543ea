"""Datetimes whose time may be left out (`time: optional`): a day stays a day on every path."""

import datetime

import pytest

from tests.functional.conftest import fill_in, form_of
from tests.functional.world import PEOPLE_MODULES, written_world

ANNA, NANCY = "anna@acme.example", "nancy@supplier.example"
MODULES = (
    "portal: {name: Club, languages: [en, it], time_zone: Europe/Rome, administrators: [staff]}\n"
    + PEOPLE_MODULES
    + """
  events:
    see: all
    fields:
      name: {type: text, required: true}
      begins: {type: datetime, time: optional, required: true, min: 2020-01-01T12:00}
      ends: {type: datetime, time: optional, at_least: begins}
      over: datetime
      follows: {type: link, to: events}
      last: {type: rollup, of: max(events.begins)}
      earlier: {type: lookup, of: follows.begins}
      state: {type: timeliness, of: ends, to: over}
      length: {type: formula, of: ends - begins}
      slots: {type: lines, fields: {at: {type: datetime, time: optional}, what: text}}
    list: {columns: [name, begins, ends, state, length, earlier], sort: begins}
"""
)
CUSTOMER = "modules: {events: {see: all, can: [create, edit, export]}, companies: {see: organization}, people: {}}\n"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def club(request):
    staff = CUSTOMER + "staff: true\n"
    with written_world(request, MODULES, customer=CUSTOMER, power="extends: customer\n", staff=staff) as world:
        yield world


def shown(page) -> dict[str, str]:
    """The fields of a record's page by their labels."""
    terms = reversed(page.html.select("main dt"))  # those of the history come last
    return {term.text.strip(): term.find_next_sibling("dd").text.strip() for term in terms}


def test_a_day_without_a_time_stays_one(club):
    """Through forms, lists, filters, lines, the API and an export that is imported again."""
    anna = club[ANNA]
    address = "/events/create?begins=2024-02-02T09:00&ends=soon&slots.0.at=2024-02-02T10:00&slots.1.at=late"
    begun = form_of(anna.get(address), "/events/create")
    assert [begun[name].value for name in ("begins", "begins.time", "ends")] == ["2024-02-02", "09:00", "soon"]
    assert [begun[f"slots.{name}"].value for name in ("0.at", "0.at.time", "1.at")] == ["2024-02-02", "10:00", "late"]
    refused = fill_in(anna, "/events/create", {"name": "Fair", "begins.time": "14:30"}, status=422)
    assert "Enter a date such as" in refused.text
    form = form_of(refused, "/events/create")
    assert form["begins.time"].value == "14:30"
    form["begins"], form["begins.time"] = "2024-03-05", ""
    form["ends"], form["ends.time"] = "2024-03-05", "18:00"
    form["slots.0.at"], form["slots.0.what"] = "2024-03-05", "Opening"
    page = form.submit(status=303).follow()
    fields = shown(page)
    assert (fields["Begins"], fields["Ends"]) == ("Mar 5, 2024", "Mar 5, 2024, 6:00\u202fPM")
    assert fields["Length"] == "18\xa0hr"
    assert "Mar 5, 2024" in page.html.select_one(".line-table").text
    assert "12:00" not in page.html.select_one("main").text
    edit = form_of(anna.get("/events/1/edit"), "/events/1/edit")
    assert (edit["begins"].value, edit["begins.time"].value) == ("2024-03-05", "")
    assert (edit["ends"].value, edit["ends.time"].value) == ("2024-03-05", "18:00")
    edit["ends.time"] = ""  # the same day, which is not before the day on which it begins
    edit["begins.time"] = "09:00"
    assert shown(edit.submit(status=303).follow())["Ends"] == "Mar 5, 2024"
    history = anna.get("/events/1/history").text
    assert "Mar 5, 2024, 9:00" in history
    refused = fill_in(anna, "/events/1/edit", {"begins": "2024-03-06", "begins.time": ""}, status=422)
    assert "Choose Mar 6, 2024 or later." in refused.text


def test_programs_and_files_write_a_day_as_a_date(club):
    anna, nancy = club.program(ANNA), club[NANCY]
    made = anna.call("POST", "events", {"name": "Api", "begins": "2024-04-01", "ends": "2024-04-02T09:00Z"}, status=201)
    assert (made.json["begins"], made.json["ends"]) == ("2024-04-01", "2024-04-02T09:00:00Z")
    address = f"events/{made.json['id']}"
    changed = anna.call("PATCH", address, {"begins": "2024-04-01T08:00", "ends": "2024-04-02"}, status=200).json
    assert (changed["begins"], changed["ends"]) == ("2024-04-01T06:00:00Z", "2024-04-02")
    assert anna.call("PATCH", address, {"begins": "2024-04-01"}, status=200).json["begins"] == "2024-04-01"
    later = {"name": "Later", "begins": "2024-05-01", "follows": made.json["id"]}
    assert anna.call("POST", "events", later, status=201).json["earlier"] == "2024-04-01"
    followed = anna.call("GET", address, status=200).json["last"]
    assert followed == "2024-04-30T22:00:00Z"
    last = f"events/{anna.call('POST', 'events', {**later, 'begins': '2024-05-02'}, status=201).json['id']}"
    for begins, rolled_up in (("2024-05-03", "2024-05-02T22:00:00Z"), ("2024-04-01", followed)):
        anna.call("PATCH", last, {"begins": begins}, status=200)
        assert anna.call("GET", address, status=200).json["last"] == rolled_up
    rows = nancy.get("/events/export.csv?begins=2024-04-01").text
    assert "Api,2024-04-01,2024-04-02" in rows
    assert "Api" in nancy.get("/events/?begins.min=2024-04-01&begins.max=2024-04-01").html.select_one("tbody").text
    assert "Api" not in nancy.get("/events/?begins.min=2024-04-02").html.select_one("main").text


def test_a_day_is_late_when_it_is_over(club):
    today = datetime.datetime.now(datetime.UTC).astimezone(club.portal.declaration.reader().time_zone).date()
    yesterday = today - datetime.timedelta(days=1)
    for day in (today, yesterday):
        made = fill_in(club[ANNA], "/events/create", {"name": "Due", "begins": "2024-04-01", "ends": f"{day}"}).follow()
        assert shown(made)["State"] == ("On track" if day == today else "Overdue")

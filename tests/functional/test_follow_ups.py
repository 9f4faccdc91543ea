"""A final record continues in another one; and transitions that only some people may make."""

import re

import pytest

from portal.fields.linked_value import Linked
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, linked

pytestmark = pytest.mark.sqlite_suffices


def closed_request(world, **values):
    """A closed request by Anna."""
    values = {"name": "First", "status": "closed", **world.for_request(), **values}
    return world.add("requests", **values), values["service"].id


def form(service, previous):
    return {"name": "Second", "body": "more words", "service": str(service), "previous": str(previous)}


def follow_up_of(world, title="Second"):
    record = next((record for record in world.all("requests") if record.title == title), None)
    return record and record.values["previous"] and record.values["previous"].id


def test_a_final_record_is_followed_up_in_one_click(world):
    record, service = closed_request(world)
    page = world[ANNA].get(f"/requests/{record}/")
    assert f"/requests/create?previous={record}" in page
    step = world[ANNA].get(f"/requests/create?previous={record}")
    assert re.search(rf'Follow-up to: *<a href="/requests/{record}/">First</a>', step.text)
    sent = step.forms[next(key for key, each in step.forms.items() if each.action == "/requests/create")]
    assert sent["previous"].value == str(record)
    sent["service"] = str(service)
    step = sent.submit().follow()  # the wizard keeps it from step to step
    sent = step.forms[next(key for key, each in step.forms.items() if each.action == "/requests/create")]
    assert sent["previous"].value == str(record)
    created = world[ANNA].send("/requests/create", form(service, record), status=303)
    assert follow_up_of(world) == record
    assert "R0002 · Second" in world[ANNA].get(f"/requests/{record}/")
    events = [row for row in world.rows()["portal_event"] if row["kind"] == "followed_up"]
    assert [(row["record"], row["details"]["record"]) for row in events] == [
        (record, int(created.headers["Location"].rstrip("/").rpartition("/")[2]))
    ]


def test_only_a_final_record_that_one_sees_is_followed_up(world):
    record, service = closed_request(world)
    still_open, _service = closed_request(world, status="new")
    assert "create?previous" not in world[ANNA].get(f"/requests/{still_open}/")
    world[ANNA].send("/requests/create", form(service, still_open), status=303)
    assert follow_up_of(world) is None
    firm, carla = world.the("companies", "Globex"), world.the("people", "Carla Neri")
    theirs = world.link("services", name="Scanning", customers=(firm,))
    values = {"body": "w", "caller": carla, "company": firm, "service": theirs}
    foreign = world.add("requests", name="Foreign", status="closed", **values)
    world[CARLA].send("/requests/create", {**form(theirs.id, record), "name": "Theirs"}, status=303)
    assert follow_up_of(world, "Theirs") is None
    world.add("requests", name="By support", previous=Linked(record, "requests"), **values)
    assert "By support" not in world[ANNA].get(f"/requests/{record}/")
    assert "By support" in world[NANCY].get(f"/requests/{record}/")
    assert world[ANNA].see(f"/requests/{foreign}/").status_int == 404


@pytest.mark.parametrize(
    ("helpers", "status"), [((), 404), (("Anna Rossi",), 404), (("Anna Rossi", "Bruno Verdi"), 303)]
)
def test_a_transition_belongs_to_those_whom_a_field_names(world, helpers, status):
    people = linked("people", *[world.the("people", name).id for name in helpers])
    record, _service = closed_request(world, status="new", helpers=people)
    for email in (BRUNO, NANCY):
        expected = status if email == BRUNO else 404
        assert ("move/help" in world[email].get(f"/requests/{record}/")) is (expected == 303)
        assert world[email].see(f"/requests/{record}/move/help").status_int == (200 if expected == 303 else 404)
        assert world[email].send(f"/requests/{record}/move/help").status_int == expected
    assert world.record("requests", record).values["status"] == ("answered" if status == 303 else "new")

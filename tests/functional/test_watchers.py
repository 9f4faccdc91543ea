"""Watchers of a record: they see it on every path, and no longer once they are removed."""

import datetime
import re

import pytest

from portal.fields.linked_value import Linked
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, EDDA, NANCY

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def request_of_anna(world):
    """A request by Anna, which nobody at Globex sees."""
    values = world.for_request()
    for number in range(3):
        world.add("requests", name=f"Other request {number}", **values)
    return world.add("requests", name="Zebra stripes", **values)


def add(world, who, record, person, **more):
    number = world.the("people", person).id
    return world[who].send(f"/requests/{record}/watchers", {"add": str(number)}, **more)


def take_off(world, who, record, person, **more):
    number = world.the("people", person).id
    return world[who].send(f"/requests/{record}/watchers", {"remove": str(number)}, **more)


def everywhere(world, who, record):
    """What one person gets on every path to a record."""
    browser = world[who]
    export = browser.see("/requests/export.csv?tab=all")
    return {
        "page": browser.see(f"/requests/{record}/").status_int == 200,
        "list": "Zebra stripes" in browser.titles("/requests/?tab=all"),
        "sorted": "Zebra stripes" in browser.titles("/requests/?tab=all&sort=name"),
        "sorted by a link": "Zebra stripes" in browser.titles("/requests/?tab=all&sort=caller"),
        "filtered": "Zebra stripes" in browser.titles("/requests/?tab=all&name=zebra"),
        "search": "Zebra stripes" in browser.titles("/requests/?tab=all&q=stripes"),
        "everywhere": "Zebra stripes" in browser.get("/search?q=stripes"),
        "counted": re.search(r'tab=all"[^>]*>all\s*<span class="count">(\d+)', browser.get("/requests/").text, re.I)[1]
        not in ("", "0"),
        "export": export.status_int == 404 or "Zebra stripes" in export,
    }


@pytest.mark.parametrize("who", [("Carla Neri", CARLA), ("Dario Blu", DARIO), ("Edda Sola", EDDA)])
def test_a_watcher_sees_the_record_on_every_path_and_no_longer_once_taken_off(world, request_of_anna, who):
    name, email = who
    before = everywhere(world, email, request_of_anna)
    assert not any(value for path, value in before.items() if path != "export")
    add(world, NANCY, request_of_anna, name, status=303)
    assert all(everywhere(world, email, request_of_anna).values())
    take_off(world, NANCY, request_of_anna, name, status=303)
    assert everywhere(world, email, request_of_anna) == before


def test_a_watcher_sees_nothing_else_and_others_see_nothing_more(world, request_of_anna):
    add(world, NANCY, request_of_anna, "Carla Neri", status=303)
    assert world[CARLA].titles("/requests/?tab=all") == ["Zebra stripes"]
    assert world[DARIO].titles("/requests/?tab=all") == []
    assert world[DARIO].titles("/requests/?tab=all&q=stripes") == []
    assert world[DARIO].see(f"/requests/{request_of_anna}/").status_int == 404


def test_a_record_seen_in_more_than_one_way_is_listed_once(world, request_of_anna):
    add(world, BRUNO, request_of_anna, "Anna Rossi", status=303)
    add(world, BRUNO, request_of_anna, "Bruno Verdi", status=303)
    for email in (ANNA, BRUNO):
        for address in ("/requests/?tab=all&name=zebra", "/requests/?tab=all&q=zebra"):
            assert world[email].titles(address) == ["Zebra stripes"]
        assert "1–4 of 4" in world[email].get("/requests/?tab=all").text


def test_customers_add_people_of_their_own_companies_and_staff_anyone(world, request_of_anna):
    assert add(world, BRUNO, request_of_anna, "Carla Neri").status_int == 422
    assert world[CARLA].see(f"/requests/{request_of_anna}/").status_int == 404
    foreign = add(world, BRUNO, request_of_anna, "Carla Neri")
    missing = world[BRUNO].send(f"/requests/{request_of_anna}/watchers", {"add": "999999"})
    assert foreign.status_int == missing.status_int
    assert "Choose someone" in foreign
    assert "Choose someone" in missing
    by_address = {"address": "carla@globex.example"}
    assert world[BRUNO].send(f"/requests/{request_of_anna}/watchers", by_address).status_int == 422
    for email in ("ANNA@acme.example", "anna@acme.example"):
        assert world[BRUNO].send(f"/requests/{request_of_anna}/watchers", {"address": email}).status_int == 303
    assert world[NANCY].send(f"/requests/{request_of_anna}/watchers", by_address).status_int == 303
    assert world[CARLA].see(f"/requests/{request_of_anna}/").status_int == 200
    gino = world.add("people", name="Gino Senza", email="gino@acme.example", company=world.the("companies", "Acme"))
    without_access = "this person has no access to this record at the moment"
    assert without_access in world[NANCY].send(f"/requests/{request_of_anna}/watchers", {"add": str(gino)}).follow()
    assert without_access not in add(world, NANCY, request_of_anna, "Carla Neri").follow()
    world.account(CARLA, disabled=True)
    assert without_access in add(world, NANCY, request_of_anna, "Carla Neri").follow()


def test_offered_and_named_people_reveal_nothing_about_other_companies(world, request_of_anna):
    add(world, NANCY, request_of_anna, "Carla Neri", status=303)
    offered = world[BRUNO].get(f"/requests/{request_of_anna}/watchers")
    assert "Anna Rossi" in offered
    for name in ("Carla Neri", "Dario Blu", "Edda Sola", "Nancy Smith"):
        assert name not in offered
        assert world[BRUNO].get(f"/requests/{request_of_anna}/watchers/find?q={name[:5]}").json == []
    assert [each["title"] for each in world[BRUNO].get(f"/requests/{request_of_anna}/watchers/find?q=an").json] == [
        "Anna Rossi"
    ]
    assert "Carla Neri" not in world[BRUNO].get(f"/requests/{request_of_anna}/")
    assert "Carla Neri" in world[NANCY].get(f"/requests/{request_of_anna}/")


def test_without_the_right_to_watch_people_add_nobody_but_may_remove_themselves(world, request_of_anna):
    before = world.rows()["portal_watcher"]
    assert add(world, ANNA, request_of_anna, "Bruno Verdi").status_int == 404
    assert take_off(world, ANNA, request_of_anna, "Bruno Verdi").status_int == 404
    assert world[ANNA].see(f"/requests/{request_of_anna}/watchers").status_int == 404
    assert world[ANNA].see(f"/requests/{request_of_anna}/watchers/find?q=").status_int == 404
    assert world.rows()["portal_watcher"] == before == []
    add(world, NANCY, request_of_anna, "Carla Neri", status=303)
    left = take_off(world, CARLA, request_of_anna, "Carla Neri", status=303)
    assert left.headers["Location"].endswith("/requests/")
    assert world[CARLA].see(f"/requests/{request_of_anna}/").status_int == 404


def test_nobody_is_added_to_a_record_that_is_not_seen(world, request_of_anna):
    assert add(world, DARIO, request_of_anna, "Dario Blu").status_int == 404
    assert world[DARIO].see(f"/requests/{request_of_anna}/watchers").status_int == 404
    assert world[BRUNO].send("/people/1/watchers", {"add": "1"}).status_int == 404
    assert world.rows()["portal_watcher"] == []


def test_odd_input_adds_nobody(world, request_of_anna):
    for typed in ("", "0", "-1", "1.5", "x" * 5_000, "9" * 30, "١"):
        for name in ("add", "address"):
            assert world[BRUNO].send(f"/requests/{request_of_anna}/watchers", {name: typed}).status_int == 422
        assert world[BRUNO].send(f"/requests/{request_of_anna}/watchers", {"remove": typed}).status_int in (404, 422)


def test_adding_leaves_no_trace_in_the_order_and_tells_who_did_it(world, request_of_anna):
    modified = world.record("requests", request_of_anna).values["modified"]
    add(world, BRUNO, request_of_anna, "Anna Rossi", status=303)
    add(world, BRUNO, request_of_anna, "Anna Rossi", status=303)  # nothing happens twice
    take_off(world, BRUNO, request_of_anna, "Anna Rossi", status=303)
    take_off(world, BRUNO, request_of_anna, "Anna Rossi", status=303)
    anna, rows = world.the("people", "Anna Rossi").id, world.rows()
    bruno = next(row["id"] for row in rows["portal_account"] if row["email"] == BRUNO)
    events = [row for row in rows["portal_event"] if row["kind"] in ("watched", "unwatched")]
    assert [(row["kind"], row["account"], row["details"]) for row in events] == [
        ("watched", bruno, {"person": anna}),
        ("unwatched", bruno, {"person": anna}),
    ]
    assert world.record("requests", request_of_anna).values["modified"] == modified


def test_watching_ends_with_the_record_and_with_the_person(world, request_of_anna):
    add(world, NANCY, request_of_anna, "Carla Neri", status=303)
    world.remove("requests", request_of_anna)
    assert world.rows()["portal_watcher"] == []


def test_what_hangs_on_a_watched_record_is_seen_through_it(world):
    """The scope `through` a link follows the scope of the other module, watchers included."""
    firm, anna = world.the("companies", "Acme"), world.the("people", "Anna Rossi")
    project = world.add("projects", name="Project", contact=anna, company=firm)
    world.add("milestones", name="Milestone", project=Linked(project, "projects"))
    world.add("remarks", name="Remark", about=(Linked(project, "projects"),))
    carla = str(world.the("people", "Carla Neri").id)
    assert world[CARLA].titles("/milestones/") == world[CARLA].titles("/remarks/") == []
    world[NANCY].send(f"/projects/{project}/watchers", {"add": carla}, status=303)
    assert world[CARLA].titles("/projects/") == ["Project"]
    assert (world[CARLA].titles("/milestones/"), world[CARLA].titles("/remarks/")) == (["Milestone"], ["Remark"])
    assert world[CARLA].titles("/milestones/?q=mile") == ["Milestone"]


@pytest.mark.parametrize("module", ["tasks", "services", "milestones"])
def test_every_form_of_scope_has_watchers(world, module):
    """The owner of a record is in another record, in several links, or is reached through another one."""
    firm, anna = world.the("companies", "Acme"), world.the("people", "Anna Rossi")
    project = world.link("projects", name="Project", contact=anna, company=firm)
    values = {"services": {"customers": (firm,)}}.get(module, {"project": project})
    record = world.add(module, name="Zebra stripes", **values)
    carla = str(world.the("people", "Carla Neri").id)
    for added in ("add", "remove"):
        world[NANCY].send(f"/{module}/{record}/watchers", {added: carla}, status=303)
        expected = ["Zebra stripes"] if added == "add" else []
        for address in ("", "?sort=name", "?q=stripes", "?name=zebra"):
            assert world[CARLA].titles(f"/{module}/{address}") == expected, address


def test_a_condition_of_the_profile_still_holds(world):
    article = world.add("articles", name="Draft", published=False)
    carla = str(world.the("people", "Carla Neri").id)
    world[NANCY].send(f"/articles/{article}/watchers", {"add": carla}, status=303)
    assert world[CARLA].see(f"/articles/{article}/").status_int == 404
    assert world[CARLA].titles("/articles/") == world[CARLA].titles("/articles/?q=draft") == []


def test_the_first_visible_day_does_not_hide_what_one_was_added_to(world, request_of_anna):
    add(world, NANCY, request_of_anna, "Carla Neri", status=303)
    world.account(CARLA, records_from=datetime.date(2100, 1, 1))
    assert all(everywhere(world, CARLA, request_of_anna).values())
    assert world[CARLA].titles("/requests/?tab=all") == ["Zebra stripes"]
    world.account(ANNA, records_from=datetime.date(2100, 1, 1))
    assert world[ANNA].titles("/requests/?tab=all") == []

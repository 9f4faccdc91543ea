"""Changing a record: two editors, values that are not shown, links that would no longer be offered."""

import datetime
import re
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from tests.functional.conftest import fill_in, form_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def shop(world):
    """Two services, and a request by Bruno."""
    acme = world.the("companies", "Acme")
    for name, category in (("Printing", "Paper"), ("Copying", "Toner")):
        service = world.link("services", name=name, customers=(acme,))
        world.add("categories", name=category, service=service)
    bruno, printing = world.the("people", "Bruno Verdi"), world.the("services", "Printing")
    given = {"caller": bruno, "company": acme, "service": printing, "category": world.the("categories", "Paper")}
    world.add("requests", name="Before", body="Body", hidden_note="stays", budget=7, **given)
    return world


def request(world):
    return world.all("requests")[0]


def edit_form(world, person=BRUNO):
    address = f"/requests/{request(world).id}/edit"
    return form_of(world[person].get(address), address)


def edit(world, status=303, **values):
    """Edits the request, as Bruno."""
    return fill_in(world[BRUNO], f"/requests/{request(world).id}/edit", values, status=status)


def test_what_was_changed_is_stored_and_the_rest_stays(shop):
    before = request(shop).values
    form = edit_form(shop)
    assert form["name"].value == "Before"
    form["name"] = "After"
    answer = form.submit(status=303)
    assert answer.location.endswith(f"/requests/{request(shop).id}/")
    assert "After" in shop[BRUNO].get(answer.location)
    after = request(shop).values
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"name", "modified", "modified_by"}
    assert after["hidden_note"] == "stays"
    assert after["budget"] == 7


def test_an_unchanged_form_changes_nothing(shop):
    before = shop.rows()["requests"]
    edit_form(shop).submit(status=303)
    assert shop.rows()["requests"] == before


def test_two_editors_both_are_shown_and_neither_is_lost(shop):
    mine, theirs = edit_form(shop), edit_form(shop, NANCY)
    theirs["name"] = "Nancy's title"
    theirs.submit(status=303)
    mine["name"], mine["body"] = "Bruno's title", "Bruno's body"
    answer = mine.submit(status=409)
    assert request(shop).values["name"] == "Nancy's title"
    assert "Nancy&#39;s title" in answer.text or "Nancy's title" in answer.text
    assert "This record was saved" in answer, "this profile may not read who changed a record"
    assert "Nancy Smith" not in answer
    again = form_of(answer, f"/requests/{request(shop).id}/edit")
    assert (again["name"].value, again["body"].value) == ("Bruno's title", "Bruno's body")
    again.submit(status=303)
    assert request(shop).values["name"] == "Bruno's title"
    assert request(shop).values["body"] == "Bruno's body"


def test_who_saves_the_same_form_in_two_windows_is_nobody_else(shop):
    here, there = edit_form(shop), edit_form(shop)
    there["name"] = "There"
    there.submit(status=303)
    here["name"] = "Here"
    answer = here.submit(status=409)
    assert "You saved this record in another window" in answer
    assert "Someone else" not in answer
    assert [th.get_text() for th in answer.html.find(class_="differences").thead("th")] == [
        "Field",
        "Yours",
        "Saved version",
    ]


def test_after_changing_other_fields_the_page_says_that_nothing_is_replaced(shop):
    mine, theirs = edit_form(shop), edit_form(shop, NANCY)
    theirs["name"] = "Nancy's title"
    theirs.submit(status=303)
    mine["body"] = "Bruno's body"
    answer = mine.submit(status=409)
    assert "The fields that you changed were not touched" in answer
    assert answer.html.find(class_="differences") is None
    form_of(answer, f"/requests/{request(shop).id}/edit").submit(status=303)
    assert [request(shop).values[name] for name in ("name", "body")] == ["Nancy's title", "Bruno's body"]


def test_a_third_editor_in_the_meantime_causes_another_conflict(shop):
    mine = edit_form(shop)
    shop.set("requests", request(shop).id, name="Second")
    mine["name"] = "Mine"
    again = form_of(mine.submit(status=409), f"/requests/{request(shop).id}/edit")
    shop.set("requests", request(shop).id, name="Third")
    last = again.submit(status=409)
    assert "Third" in last
    assert request(shop).values["name"] == "Third"


def test_a_comment_in_the_meantime_is_no_conflict(shop):
    mine = edit_form(shop)
    shop[NANCY].send(f"/requests/{request(shop).id}/comments", {"text": "Hello"}, status=303)
    mine["name"] = "Mine"
    mine.submit(status=303)
    assert request(shop).values["name"] == "Mine"


@pytest.mark.parametrize("version", ["", "x", "-1", "999999999999999999999", "99", "0", "1.0", "٣"])
def test_a_forged_version_overwrites_nothing_of_others(shop, version):
    form = {"name": "Forged", "body": "x", "service": str(shop.the("services", "Printing").id), "_version": version}
    assert shop[BRUNO].send(f"/requests/{request(shop).id}/edit", form).status_int in (303, 409)


def test_mistakes_keep_what_was_typed(shop):
    answer = edit(shop, 422, name="", body="kept <b>", cost="ten")
    again = form_of(answer, f"/requests/{request(shop).id}/edit")
    assert (again["name"].value, again["body"].value, again["cost"].value) == ("", "kept <b>", "ten")
    assert answer.html.find(id="field-name-error")
    assert answer.html.find(id="field-cost-error")
    assert request(shop).values["name"] == "Before"


def test_a_link_that_is_not_offered_any_more_may_stay_but_not_come_back(shop):
    printing, copying = shop.the("services", "Printing"), shop.the("services", "Copying")
    shop.set("services", printing.id, customers=())
    edit(shop, name="Still printing")
    assert request(shop).values["service"].title == "Printing"
    assert request(shop).values["category"].title == "Paper"
    edit(shop, service=str(copying.id), category="")
    form = edit_form(shop)
    form["service"].force_value(str(printing.id))
    assert form.submit(status=422).html.find(id="field-service-error")
    assert request(shop).values["service"].title == "Copying"


def test_a_changed_service_wants_a_category_of_its_own(shop):
    answer = edit(shop, 422, service=str(shop.the("services", "Copying").id))
    assert answer.html.find(id="field-category-error")
    assert request(shop).values["service"].title == "Printing"


def test_emptied_values_are_empty(shop):
    shop.set("requests", request(shop).id, labels=("a", "b"), code="X")
    form = edit_form(shop)
    assert form["labels"].value == "a, b"
    form["labels"] = form["code"] = form["category"] = ""
    form.submit(status=303)
    values = request(shop).values
    assert (values["labels"], values["code"], values["category"]) == ((), None, None)


def test_one_may_keep_ones_own_unique_value_but_not_take_anothers(shop):
    shop.set("requests", request(shop).id, code="X")
    shop.add("requests", name="Other", body="x", service=shop.the("services", "Printing"), code="Y")
    edit(shop, name="New")
    assert edit(shop, 422, code="Y").html.find(id="field-code-error")


def test_several_links_keep_their_order(world):
    ids = [world.the("companies", name).id for name in ("Globex", "Acme", "Supplier")]
    thing = world.add("things", name="T")
    for wanted in (ids, ids[::-1], ids[:1], []):
        pairs = [("name", "T"), *[("makers", str(identity)) for identity in wanted]]
        world[NANCY].send(f"/things/{thing}/edit", pairs, status=303)
        assert [link.id for link in world.record("things", thing).values["makers"]] == wanted


def test_only_what_the_edit_form_shows_can_be_changed(world):
    anna = world.the("people", "Anna Rossi")
    globex = str(world.the("companies", "Globex").id)
    form = {"phone": "+39 1", "email": "evil@x.example", "company": globex, "name": "X"}
    assert world[ANNA].send(f"/people/{anna.id}/edit", form).status_int == 303
    values = world.record("people", anna.id).values
    assert values["phone"].replace(" ", "").endswith("391")
    assert (values["email"], values["name"], values["company"].title) == (ANNA, "Anna Rossi", "Acme")


def test_a_form_that_is_sent_twice_changes_once(shop):
    service = str(shop.the("services", "Printing").id)
    form = {"name": "Once", "body": "x", "service": service, "_version": "1", "_once": "k"}
    address = f"/requests/{request(shop).id}/edit"
    answers = [shop[BRUNO].send(address, form) for _time in range(2)]
    assert [answer.status_int for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert shop.rows()["requests"][0]["_version"] == 2


def test_a_renamed_record_is_found_by_its_new_name_in_what_links_to_it(shop):
    shop.set("services", shop.the("services", "Printing").id, name="Plotting")
    assert shop[BRUNO].titles("/requests/?q=plotting") == ["Before"]
    assert shop[BRUNO].titles("/requests/?q=printing") == []


# -- deleting --


def test_deleting_asks_first_and_leads_back_to_the_list(shop):
    identity = request(shop).id
    address = f"/requests/{identity}/delete"
    shop[NANCY].get("/requests/?tab=all&q=before")
    page = shop[NANCY].get(address)
    assert len(shop.all("requests")) == 1
    answer = form_of(page, address).submit(status=303)
    assert shop.all("requests") == []
    assert answer.location.endswith("/requests/?tab=all&q=before")
    assert shop[NANCY].see(f"/requests/{identity}/").status_int == 404
    assert shop[NANCY].titles("/requests/?tab=all&q=before") == []


def test_what_others_still_need_is_not_deleted_and_it_says_why(shop):
    service = shop.the("services", "Printing").id
    answer = shop[NANCY].send(f"/services/{service}/delete")
    assert answer.status_int == 422
    assert "is still linked to this one" in answer
    assert shop.record("services", service)


def test_a_reference_is_never_given_again(shop):
    last = shop.all("requests")[-1]
    shop.remove("requests", last.id)
    shop.add("requests", name="Next", body="x", service=shop.the("services", "Printing"))
    assert shop.all("requests")[-1].reference != last.reference
    assert shop.all("requests")[-1].id != last.id


def test_nobody_edits_what_is_not_theirs(shop):
    before = shop.rows()
    address = f"/requests/{request(shop).id}/edit"
    for person in (ANNA, CARLA):
        assert shop[person].see(address).status_int == 404
        assert shop[person].send(address, {"name": "Forged", "_version": "1"}).status_int == 404
    assert shop.rows() == before


# -- internal fields, final records, values that no input can hold --


def search_places(shop):
    return [(row["record"], row["seq"]) for row in shop.rows()["portal_search"] if row["module"] == "requests"]


def test_internal_fields_are_changed_without_a_trace_for_customers(shop):
    mine, theirs = edit_form(shop), edit_form(shop, NANCY)
    before, places = request(shop).values, search_places(shop)
    shop.clock.now += datetime.timedelta(minutes=10)
    theirs["budget"] = "9"
    theirs.submit(status=303)
    after = request(shop).values
    assert {name for name in after if after[name] != before[name]} == {"budget"}
    assert search_places(shop) == places
    mine["name"] = "After"
    mine.submit(status=303)
    assert request(shop).values["budget"] == 9


def test_colleagues_do_not_overwrite_each_others_internal_fields(shop):
    first, second = edit_form(shop, NANCY), edit_form(shop, NANCY)
    first["budget"] = "9"
    first.submit(status=303)
    second["name"] = "After"
    second.submit(status=303)
    assert (request(shop).values["name"], request(shop).values["budget"]) == ("After", 9)
    third = edit_form(shop, NANCY)
    shop.set("requests", request(shop).id, budget=11)
    third["budget"] = "5"
    assert "budget" in third.submit(status=409).text.lower()
    assert request(shop).values["budget"] == 11


def test_of_a_final_record_only_internal_fields_are_edited_by_staff_alone(shop):
    mine, theirs = edit_form(shop), edit_form(shop, NANCY)
    shop.set("requests", request(shop).id, status="closed")
    mine["name"] = "After"
    mine["_version"] = "2"
    mine.submit(status=409)
    theirs["_version"] = "2"
    theirs["budget"] = "9"
    theirs.submit(status=303)
    assert (request(shop).values["name"], request(shop).values["budget"]) == ("Before", 9)
    address = f"/requests/{request(shop).id}/edit"
    closed = shop[BRUNO].see(address, status=409)
    assert "closed" in closed
    assert closed.html.find("a", href=address) is None
    assert closed.html.find("a", href=address.removesuffix("edit")).text == "See the record"
    assert address not in shop[BRUNO].get(address.removesuffix("edit"))
    assert set(form_of(shop[NANCY].get(address), address).fields) >= {"budget"}
    assert "name" not in form_of(shop[NANCY].get(address), address).fields


def test_a_value_that_the_form_cannot_show_stays(world):
    thing = world.add("things", name="Before")
    table, address = world.portal.tables.module("things"), f"/things/{thing}/edit"
    with writing(world.portal.engine) as connection:
        connection.execute(sa.update(table).values(size="gone").where(table.c["id"] == thing))
    form = form_of(world[NANCY].get(address), address)
    assert form["size"].value == "gone"
    form["name"] = "After"
    form.submit(status=303)
    after = world.record("things", thing).values
    assert (after["name"], after["size"], after["ready"]) == ("After", "gone", None)


# -- values that the form cannot show --

STALE = {"size": "huge", "colours": ("red", "mauve"), "stars": 9, "prose": "one\r\ntwo", "ready": None}


@pytest.fixture
def stale(world):
    """A thing with a value that could be entered under an earlier declaration."""
    thing = world.add("things", name="Old", **STALE)
    world.set("things", thing, **STALE)
    return thing


def thing_form(world, thing):
    return form_of(world[NANCY].get(f"/things/{thing}/edit"), f"/things/{thing}/edit")


def test_editing_something_else_leaves_what_cannot_be_entered_any_more(world, stale):
    form = thing_form(world, stale)
    assert "huge (no longer offered)" in form.text
    form["name"] = "New"
    form.submit(status=303)
    values = world.record("things", stale).values
    assert values["name"] == "New"
    assert {name: values[name] for name in STALE} == STALE


def test_a_removed_option_disappears_when_someone_chooses_another(world, stale):
    form = thing_form(world, stale)
    form["size"] = "small"
    form.set("colours", True, index=1)
    form.submit(status=303)
    values = world.record("things", stale).values
    assert values["size"] == "small"
    assert set(values["colours"]) == {"red", "green", "mauve"}
    refused = world[NANCY].send(f"/things/{stale}/edit", {"name": "New", "size": "huge"})
    assert refused.status_int == 422


def test_a_field_that_was_hidden_and_stays_so_keeps_its_value(world):
    record = world.add("requests", name="Before", affected=7, **world.for_request("Bruno Verdi"))
    fill_in(world[BRUNO], f"/requests/{record}/edit", {"name": "After"})
    assert world.record("requests", record).values["affected"] == 7


def test_giving_a_record_away_is_announced_before_and_after(portal_folder, make_app, sign_in):
    may_edit = "edit: {fields: [title, caller]}\n    can: [create, edit,"
    change(portal_folder, "can: [create,", may_edit, "profiles/customer.yaml")
    anna = sign_in(ANNA, browser=make_app())
    ticket = fill_in(anna, "/tickets/create", {"title": "Paper jam", "description": "x"}).location
    form = form_of(anna.get(f"{ticket}edit"), urlsplit(f"{ticket}edit").path)
    assert form.text.count("With a different value here, you may no longer see this record.") == 1
    form["caller"] = ""
    page = form.submit(status=303).follow()
    assert "You do not have access to this record." in page.text
    assert anna.get(ticket, status=404)


def test_an_address_on_a_persons_card_is_not_the_one_to_sign_in_with(world):
    anna, note = world.the("people", "Anna Rossi").id, "does not change the sign-in address, anna@acme.example"
    form = form_of(world[NANCY].get(f"/people/{anna}/edit"), f"/people/{anna}/edit")
    assert note in form.text
    form["email"] = "anna.rossi@acme.example"
    form.submit(status=303)
    assert world.signed_in(ANNA).get("/").status_int == 200


def test_every_persons_card_names_their_own_address_to_sign_in_with(world):
    for name, email in (("Anna Rossi", ANNA), ("Bruno Verdi", BRUNO), ("Carla Neri", CARLA)):
        page = world[NANCY].get(f"/people/{world.the('people', name).id}/edit")
        assert re.findall(r"sign-in address, (\S+)\.<", page.text) == [email]


def test_another_company_in_which_the_value_is_in_use_is_refused_at_the_right_field(shop):
    acme, globex = shop.the("companies", "Acme"), shop.the("companies", "Globex")
    first = request(shop)
    shop.set("requests", first.id, order_number="7")
    common = {name: first.values[name] for name in ("body", "caller", "service")}
    other = shop.add("requests", name="Other", company=globex, order_number="7", **common)
    form = form_of(shop[NANCY].get(f"/requests/{other}/edit"), f"/requests/{other}/edit")
    form["company"].force_value(str(acme.id))
    page = form.submit(status=422).html
    assert "already in use" in page.find("input", {"name": "order_number"}).find_parent(class_="field").text
    assert shop.all("requests")[1].values["company"].id == globex.id

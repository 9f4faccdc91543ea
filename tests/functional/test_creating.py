"""Creating a record: what the form offers and refuses, and that no input is lost on the way."""

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from portal.fields.address import Address
from portal.texts import fold
from tests.functional.conftest import form_of
from tests.functional.world import ANNA, BRUNO, CARLA, EDDA, NANCY

# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def shop(world):
    """Two services of Acme with a category each, one of Globex."""
    acme, globex = world.the("companies", "Acme"), world.the("companies", "Globex")
    offered = (("Printing", acme, "Paper"), ("Copying", acme, "Toner"), ("Scanning", globex, "Glass"))
    for name, customer, category in offered:
        service = world.link("services", name=name, customers=(customer,))
        world.add("categories", name=category, service=service)
    return world


def whole(world, **values):
    """A form with everything that is required."""
    return {"service": str(world.the("services", "Printing").id), "name": "A title", "body": "What happened", **values}


def create(world, person=ANNA, **values):
    return world[person].send("/requests/create", whole(world, **values))


def errors(page):
    marked = page.html.find_all(id=re.compile("^field-.*-error$"))
    return {tag["id"].removeprefix("field-").removesuffix("-error"): tag.text.strip() for tag in marked}


def value_of(page, name):
    """The value of an input on the page."""
    tag = page.html.find(attrs={"name": name})
    if tag.name == "textarea":
        return tag.text.lstrip("\n")
    if tag.name == "select":
        chosen = tag.find("option", selected=True)
        return chosen["value"] if chosen else ""
    return tag.get("value", "")


# -- one post with everything --


def test_one_post_with_every_field_makes_the_record_and_leads_to_it(shop):
    answer = create(shop, cost="12.50", when="2026-03-06T14:30", labels="one, two", code="X1",
                    **{"where_to.street": "Via Roma 1", "where_to.city": "Roma", "cost.currency": "USD"})  # fmt: skip
    (record,) = shop.all("requests")
    assert answer.status_int == 303
    assert answer.location == f"http://localhost/requests/{record.id}/"
    page = shop[ANNA].get(answer.location)
    assert "A title" in page
    assert "Saved." in page
    values = record.values
    assert values["name"] == "A title"
    assert values["cost"].amount == Decimal("12.5")
    assert values["cost"].currency == "USD"
    assert values["when"].isoformat() == "2026-03-06T13:30:00+00:00", "typed in Rome, stored in UTC"
    assert values["labels"] == ("one", "two")
    assert values["where_to"] == Address("Via Roma 1", "", "Roma", "", "")


def test_defaults_hold_for_what_the_form_does_not_show(shop):
    create(shop)
    (record,) = shop.all("requests")
    assert record.values["caller"].title == "Anna Rossi"
    assert record.values["company"].title == "Acme"
    assert record.values["status"] == "new"
    assert record.values["channel"] == "portal"
    assert record.values["created_by"].title == "Anna Rossi"
    assert record.reference == "R0001"


def test_a_person_without_a_company_makes_records_without_one(shop):
    acme = shop.the("companies", "Acme")
    edda = shop.the("people", "Edda Sola")
    shop.set("people", edda.id, company=acme)  # the service has to be offered to her
    service = str(shop.the("services", "Printing").id)
    assert shop[EDDA].send("/requests/create", {"service": service, "name": "x", "body": "y"}).status_int == 303
    shop.set("people", edda.id, company=None)
    assert shop[EDDA].send("/requests/create", {"service": service, "name": "x", "body": "y"}).status_int == 422


def test_what_is_missing_is_said_at_each_field_and_nothing_typed_is_lost(shop):
    answer = shop[ANNA].send(
        "/requests/create", {"name": " ", "body": "<b>kept</b>\nline", "cost": "ten", "labels": "a, b"}
    )
    assert answer.status_int == 422
    assert shop.all("requests") == []
    # The step with the first error is shown; the content of the others comes along.
    assert value_of(answer, "body") == "<b>kept</b>\nline"
    assert value_of(answer, "cost") == "ten"
    assert value_of(answer, "labels") == "a, b"
    assert "service" in errors(answer)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", "x" * 121), ("cost", "1.234"), ("cost", "1e9"), ("when", "yesterday"), ("impact", "world"),
        ("helpers", "999"), ("helpers", "abc"), ("service", "999"), ("service", "0"), ("service", "-1"),
        ("labels", "x" * 81), ("name", ""), ("body", "  \n "),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_taken_is_refused_at_its_field(shop, field, typed):
    answer = create(shop, **{field: typed})
    assert answer.status_int == 422
    assert field in errors(answer)
    assert shop.all("requests") == []
    if field not in ("service", "helpers"):  # of a link only what is offered can stand in the form
        assert value_of(answer, field).strip() in (typed.strip(), "") or field == "impact"


def test_what_the_form_does_not_offer_cannot_be_set(shop):
    carla = shop.the("people", "Carla Neri")
    create(shop, caller=str(carla.id), company=str(shop.the("companies", "Globex").id), status="closed", budget="99",
           satisfaction="5", resolved_at="2026-01-01", hidden_note="x", reference="R9", number="9",
               created="2020-01-01",
           created_by=str(carla.id), channel="mail", id="77", _version="9", comments="5")  # fmt: skip
    (record,) = shop.all("requests")
    assert record.values["caller"].title == "Anna Rossi"
    assert record.values["company"].title == "Acme"
    assert record.values["status"] == "new"
    assert record.values["budget"] is record.values["satisfaction"] is record.values["resolved_at"] is None
    assert record.values["hidden_note"] is None
    assert (record.reference, record.values["channel"], record.values["comments"]) == ("R0001", "portal", 0)
    assert record.values["created"] == shop.clock.now


# -- links --


def test_a_foreign_record_is_neither_offered_nor_taken(shop):
    scanning = shop.the("services", "Scanning").id
    page = shop[ANNA].get("/requests/create")
    assert "Printing" in page
    assert "Scanning" not in page
    foreign, missing = create(shop, service=str(scanning)), create(shop, service="99999")
    assert foreign.status_int == missing.status_int == 422
    assert errors(foreign) == errors(missing)
    assert "Scanning" not in foreign
    answer = create(shop, helpers=str(shop.the("people", "Carla Neri").id))
    assert "helpers" in errors(answer)
    assert "Carla" not in answer
    assert shop.all("requests") == []


def test_a_link_offers_what_belongs_to_the_other_fields_value(shop):
    printing, copying = shop.the("services", "Printing").id, shop.the("services", "Copying").id
    paper, toner = shop.the("categories", "Paper").id, shop.the("categories", "Toner").id
    anna = shop[ANNA]
    assert anna.get("/requests/find?q=&field=category").json == [], "nothing is chosen yet"
    assert anna.get(f"/requests/find?q=&field=category&service={printing}").json == [{"id": paper, "title": "Paper"}]
    assert anna.get(f"/requests/find?q=ton&field=category&service={copying}").json == [{"id": toner, "title": "Toner"}]
    assert anna.get(f"/requests/find?q=&field=category&service={shop.the('services', 'Scanning').id}").json == []
    assert "category" in errors(create(shop, category=str(toner)))
    assert create(shop, category=str(paper)).status_int == 303
    assert create(shop, service="", category=str(paper)).status_int == 422


def test_find_answers_only_for_links_of_forms_and_lists(shop):
    anna = shop[ANNA]
    assert [each["title"] for each in anna.get("/requests/find?q=&field=helpers").json] == ["Anna Rossi"]
    for typed, titles in (("rossi+anna", ["Anna Rossi"]), ("ossi++an", ["Anna Rossi"]), ("rossi+bruno", [])):
        assert [each["title"] for each in anna.get(f"/requests/find?q={typed}&field=helpers").json] == titles
    assert [each["title"] for each in anna.get("/requests/find?q=PRÍNT&field=service".replace("Í", "%C3%8D")).json] == [
        "Printing"
    ]
    for field in ("name", "status", "nothing", "budget", "", "hidden_note", "created_by"):
        assert anna.see(f"/requests/find?q=&field={field}").status_int == 404, field
    assert anna.see("/ledgers/find?q=&field=name").status_int == 404


def test_a_link_to_one_of_several_modules_is_named_with_its_module(world):
    acme, anna = world.the("companies", "Acme"), world.the("people", "Anna Rossi")
    found = world[ANNA].get("/things/find?q=&field=either").json
    assert {"id": f"companies:{acme.id}", "title": "Acme"} in found
    assert {"id": f"people:{anna.id}", "title": "Anna Rossi"} in found
    assert len(found) == 2
    world[ANNA].send("/things/create", {"name": "T", "either": f"people:{anna.id}", "makers": str(acme.id)}, status=303)
    (thing,) = world.all("things")
    assert (thing.values["either"].module, thing.values["either"].id) == ("people", anna.id)
    assert [maker.title for maker in thing.values["makers"]] == ["Acme"]
    globex = world.the("companies", "Globex").id
    for values in ({"either": f"companies:{globex}"}, {"either": f"things:{thing.id}"}, {"either": str(acme.id)},
                   {"makers": str(globex)}, {"owner": str(globex)}):  # fmt: skip
        assert world[ANNA].send("/things/create", {"name": "T", **values}).status_int == 422, values


# -- what depends on other fields --


def test_what_is_not_asked_is_neither_required_nor_stored(shop):
    assert create(shop, impact="person", affected="50").status_int == 303
    assert shop.all("requests")[0].values["affected"] is None
    assert "affected" in errors(create(shop, impact="company"))
    assert "affected" in errors(create(shop, impact="company", affected="1"))
    assert create(shop, impact="person", affected="nonsense").status_int == 303
    assert create(shop, impact="company", affected="50").status_int == 303
    assert shop.all("requests")[-1].values["affected"] == 50


def test_a_unique_value_is_taken_once_whoever_has_it(shop):
    assert create(shop, code="X1").status_int == 303
    scanning = str(shop.the("services", "Scanning").id)
    foreign = shop[CARLA].send("/requests/create", {"service": scanning, "name": "x", "body": "y", "code": "X1"})
    assert "code" in errors(foreign)
    assert create(shop, code="X2").status_int == 303
    assert create(shop, code="").status_int == create(shop, code="").status_int == 303


# -- the form's beginning --


def test_the_address_fills_the_form_in(world):
    acme = world.the("companies", "Acme").id
    page = world[ANNA].get(f"/things/create?name=From+the+address&size=medium&owner={acme}&nothing=1")
    assert value_of(page, "name") == "From the address"
    assert value_of(page, "size") == "medium"
    assert str(acme) in page.text
    assert world.all("things") == []


@pytest.mark.parametrize(
    "asked", ["owner=999", "owner=x", "size=huge", "secret=1", "name=" + "x" * 300, "_step=9", "_button=nowhere"]
)
def test_nonsense_in_the_address_is_no_error(world, asked):
    assert world[ANNA].get(f"/things/create?{asked}", status=200)


def test_a_foreign_record_in_the_address_shows_nothing_of_it(shop):
    for module, name, field in (("companies", "Globex", "owner"), ("people", "Carla Neri", "either")):
        record = shop.the(module, name)
        identity = f"people:{record.id}" if field == "either" else record.id
        assert name not in shop[ANNA].get(f"/things/create?{field}={identity}")
    page = shop[ANNA].get(f"/requests/create?service={shop.the('services', 'Scanning').id}")
    assert "Scanning" not in page


def test_a_button_fills_the_form_in_and_the_person_may_change_it(shop):
    anna = shop[ANNA]
    home = anna.get("/")
    assert 'href="/requests/create?_button=printing"' in home
    page = anna.get("/requests/create?_button=printing")
    printing = str(shop.the("services", "Printing").id)
    assert page.html.find("option", {"value": printing}, selected=True) or f'value="{printing}"' in page
    assert "Printer" in page
    changed = whole(shop, service=str(shop.the("services", "Copying").id), name="Other")
    assert anna.send("/requests/create?_button=printing", changed).status_int == 303
    assert shop.all("requests")[0].values["service"].title == "Copying"


# -- step by step --


def wizard(page):
    return form_of(page, "/requests/create")


def steps_to(form, step):
    """The page of the step, or of the current one with its errors."""
    answer = form.submit("_to", value=str(step), status="*")
    return answer.follow() if answer.status_int == 303 else answer


def test_step_by_step_nothing_typed_is_lost_going_back(shop):
    anna = shop[ANNA]
    form = wizard(anna.get("/requests/create"))
    form["service"] = str(shop.the("services", "Printing").id)
    form = wizard(steps_to(form, 1))
    form["category"] = str(shop.the("categories", "Paper").id)
    page = steps_to(form, 2)
    assert "Printing" in page
    assert "Paper" in page
    form = wizard(page)
    form["name"], form["body"], form["cost"], form["labels"] = "Typed", "Long\ntext", "ten", "a, b"
    form["where_to.city"] = "Roma"
    form = wizard(steps_to(form, 0))
    assert form["service"].value == str(shop.the("services", "Printing").id)
    form = wizard(steps_to(form, 1))
    assert form["category"].value == str(shop.the("categories", "Paper").id)
    form = wizard(steps_to(form, 2))
    assert (form["name"].value, form["body"].value, form["cost"].value) == ("Typed", "Long\ntext", "ten")
    assert form["labels"].value == "a, b"
    assert form["where_to.city"].value == "Roma"
    form["cost"] = "10"
    answer = form.submit(status=303)
    (record,) = shop.all("requests")
    assert answer.location.endswith(f"/requests/{record.id}/")
    assert record.values["category"].title == "Paper"
    assert record.values["body"] == "Long\ntext"
    assert record.values["where_to"].city == "Roma"


def test_the_way_on_leads_past_what_is_shown_only_when_it_is_right(shop):
    form = wizard(shop[ANNA].get("/requests/create"))
    page = steps_to(form, 1)
    assert page.status_int == 422
    assert "service" in errors(page)
    form = wizard(page)
    form["service"] = str(shop.the("services", "Printing").id)
    assert steps_to(form, 1).status_int == 200
    assert shop.all("requests") == []


def test_a_changed_earlier_step_clears_what_does_not_fit_any_more_at_the_end(shop):
    values = whole(
        shop, service=str(shop.the("services", "Copying").id), category=str(shop.the("categories", "Paper").id)
    )
    answer = shop[ANNA].send("/requests/create", {**values, "_step": "2"})
    assert answer.status_int == 422
    assert "category" in errors(answer)
    assert 'value="A title"' in answer


@pytest.mark.parametrize(
    ("step", "to"), [("0", "99"), ("99", "0"), ("x", "y"), ("-1", "0"), ("0", "-1"), ("1e9", "1"), ("٣", "1")]
)
def test_steps_that_do_not_exist_are_no_error(shop, step, to):
    answer = shop[ANNA].send("/requests/create", {**whole(shop), "_step": step, "_to": to})
    assert answer.status_int in (200, 303, 422)


# -- twice --


def test_a_form_that_is_sent_twice_makes_one_record_and_both_lead_to_it(shop):
    first, second = (create(shop, _once="key-1", code="X1") for _time in range(2))  # the code has to be unique
    assert first.status_int == second.status_int == 303
    assert first.location == second.location
    assert len(shop.all("requests")) == 1
    assert create(shop, _once="key-2").location != first.location


def test_a_key_of_another_person_is_no_key(shop):
    create(shop, _once="key-1")
    answer = create(shop, person=BRUNO, _once="key-1")
    assert answer.status_int == 303
    assert len(shop.all("requests")) == 2


def test_a_refused_form_does_not_use_its_key_up(shop):
    assert create(shop, _once="key-1", name="").status_int == 422
    assert create(shop, _once="key-1").status_int == 303
    assert len(shop.all("requests")) == 1


def test_staff_make_records_for_others(shop):
    anna, acme = shop.the("people", "Anna Rossi"), shop.the("companies", "Acme")
    thing = {"name": "For Anna", "either": f"people:{anna.id}", "makers": [str(acme.id)]}
    assert shop[NANCY].send("/things/create", thing | {"makers": str(acme.id)}).status_int == 303
    assert shop.all("things")[0].values["either"].id == anna.id


def test_numbers_ask_for_their_keyboard_and_units_and_bounds_are_said(shop):
    page = shop[NANCY].get("/things/create").html
    keyboards = {name: page.find("input", {"name": name}).get("inputmode") for name in ("amount", "weight", "price")}
    assert keyboards == {"amount": "numeric", "weight": "decimal", "price": "decimal"}
    assert page.find("input", {"name": "amount"})["type"] == "text", "“1,5” can be typed"
    assert page.find("input", {"name": "share"}).parent.find(class_="suffix").text == "%"
    assert page.find("input", {"name": "price"})["placeholder"] == "19.90"


def test_a_value_may_have_to_be_unique_within_a_company_only(shop):
    scanning = str(shop.the("services", "Scanning").id)
    assert create(shop, order_number="7").status_int == 303
    assert create(shop, CARLA, order_number="7", service=scanning).status_int == 303
    page = create(shop, BRUNO, order_number="7")
    assert errors(page) == {"order_number": "This value is already in use. Capitals and accents make no difference."}, (
        "it does not say whose"
    )
    indexes = {index.name: index.unique for index in shop.portal.tables.module("requests").indexes}
    assert indexes["ix_requests$company$_order_number_folded"]


# -- defaults that follow a link --


def test_a_default_follows_a_link_of_the_same_form(shop):
    acme, globex = shop.the("companies", "Acme"), shop.the("companies", "Globex")
    carla = shop.the("people", "Carla Neri")
    project = shop.add("projects", name="Move", company=globex)
    nancy, form = shop[NANCY], {"name": "Pack", "project": str(project), "helper": str(carla.id)}
    chosen = nancy.get(f"/tasks/create?project={project}&helper={carla.id}")
    assert value_of(chosen, "employer") == str(globex.id)
    assert nancy.send("/tasks/create", {**form, "employer": ""}).status_int == 303
    assert nancy.send("/tasks/create", {**form, "name": "Carry", "employer": str(acme.id)}).status_int == 303
    employers = {record.title: record.values["employer"] for record in shop.all("tasks")}
    assert employers == {"Pack": globex, "Carry": acme}, "what was typed wins"


def test_a_record_that_cannot_be_chosen_is_not_followed(shop):
    shop.set("people", shop.the("people", "Carla Neri").id, phone="+39 06 77770123")  # no token says that by chance
    foreign, bruno = shop.the("people", "Carla Neri"), shop.the("people", "Bruno Verdi")
    found = shop[BRUNO].get(f"/requests/followed?field=phone&colleague={bruno.id}").json
    assert found == {"inputs": {"phone": ""}, "title": ""}
    for address in ("followed?field=phone&", "create?_step=2&", "create?"):
        assert "77770123" not in shop[BRUNO].get(f"/requests/{address}colleague={foreign.id}")
    posted = whole(shop, colleague=str(foreign.id), phone="", _step="1", _to="2")
    assert "77770123" not in shop[BRUNO].send("/requests/create", posted).maybe_follow()
    assert shop[BRUNO].get("/requests/followed?field=name", status=404)


def test_a_default_is_followed_for_fields_that_the_form_does_not_ask_for(shop):
    assert create(shop).status_int == 303
    (record,) = shop.all("requests")
    assert record.values["company"] == shop.the("companies", "Acme")


def test_defaults_come_from_ones_own_record_and_ones_company(shop):
    nancy, supplier = shop.the("people", "Nancy Smith"), shop.the("companies", "Supplier")
    shop.set("people", nancy.id, phone="+39 02 1234")
    shop.set("companies", supplier.id, city="Roma")
    page = shop[NANCY].get("/tasks/create")
    assert (value_of(page, "phone"), value_of(page, "city")) == ("+39 02 1234", "Roma")


def test_a_link_offers_what_belongs_to_a_lookup_of_the_same_form(shop):
    project = shop.add("projects", name="Move", company=shop.the("companies", "Globex"))
    nancy, carla = shop[NANCY], shop.the("people", "Carla Neri")
    offers = nancy.get(f"/tasks/find?q=&field=helper&project={project}").json
    assert [offer["title"] for offer in offers] == ["Carla Neri", "Dario Blu"]
    assert nancy.get("/tasks/find?q=&field=helper").json == [], "no project is chosen yet"
    form = {"name": "Pack", "project": str(project), "helper": str(carla.id)}
    assert nancy.send("/tasks/create", form).status_int == 303
    anna = {**form, "helper": str(shop.the("people", "Anna Rossi").id)}
    assert "helper" in errors(nancy.send("/tasks/create", anna))


@pytest.mark.parametrize(("edited", "people"), [(False, (ANNA, BRUNO, NANCY)), (True, (BRUNO, NANCY))])
def test_of_those_who_write_one_unique_value_at_once_one_succeeds_and_the_others_read_why(shop, edited, people):
    address = {person: "/requests/create" for person in people}
    if edited:
        address = {person: create(shop, person).location.removeprefix("http://localhost") + "edit" for person in people}
    forms = dict(zip(people, (whole(shop, code=code) for code in ("Łódź 1", "LODZ 1", "łodz 1")), strict=False))
    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(lambda person: shop[person].send(address[person], forms[person]), people))
    assert sorted(answer.status_int for answer in answers) == [303, *[422] * (len(people) - 1)]
    assert all("already in use" in answer for answer in answers if answer.status_int == 422)
    assert [fold(record.values["code"] or "") for record in shop.all("requests")].count("lodz 1") == 1

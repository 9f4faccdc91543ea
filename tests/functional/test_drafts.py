"""Unsent input comes back: on another device, after a lost session, along with others' changes in the meantime."""

import datetime
import re

import pytest

from portal.accounts.attempts import SET_ASIDE
from tests.functional.conftest import PASSWORD, fill_in, form_of
from tests.functional.test_speed import statements_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, Browser

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def shop(world):
    """A request by Bruno, whose company has two services."""
    acme = world.the("companies", "Acme")
    for name in ("Printing", "Copying"):
        service = world.link("services", name=name, customers=(acme,))
        world.add("categories", name=f"{name} paper", service=service)
    bruno, printing = world.the("people", "Bruno Verdi"), world.the("services", "Printing")
    world.add("requests", name="Before", body="Body", caller=bruno, company=acme, service=printing)
    return world


def request(world):
    return world.all("requests")[0]


def address(world, *more):
    return f"/requests/{request(world).id}/" + "/".join(more)


def form(browser, page_address, action=None):
    return form_of(browser.get(page_address), action or page_address)


def draft_name(page):
    return page.html.find("form", attrs={"data-draft": True})["data-draft"]


def save(browser, page_address, **values):
    """Types `values` into the form of a page, without sending it."""
    page = browser.get(page_address)
    name = draft_name(page)
    form = next(form for form in page.forms.values() if "_account" in form.fields)
    pairs = {**dict(form.submit_fields()), **values, "_form": name, "_csrf": browser.token}
    return browser.send("/account/drafts", pairs, status=200)


def offers_draft(page):
    return page.html.find(class_="draft") is not None


# -- on another device --


def test_a_comment_comes_back_on_another_device_and_to_nobody_else(shop):
    save(shop[BRUNO], address(shop), text="Half a sentence")
    page = shop.signed_in(BRUNO).get(address(shop))
    assert "Half a sentence" in page
    assert "Draft from" in page
    assert "1:00" in page.html.find(class_="draft").text, "the time in Rome"
    assert "Half a sentence" not in shop[NANCY].get(address(shop))


def test_drafts_are_looked_for_only_where_there_are_some(shop):
    before = statements_of(shop, shop[BRUNO], address(shop))
    save(shop[NANCY], address(shop), text="Half a sentence")
    assert statements_of(shop, shop[BRUNO], address(shop)) == before
    save(shop[BRUNO], address(shop), text="Half a sentence")
    assert statements_of(shop, shop[BRUNO], address(shop)) == before + 1


def test_an_internal_note_comes_back_as_one(shop):
    save(shop[NANCY], address(shop), text="Between us", internal="true")
    page = shop.signed_in(NANCY).get(address(shop))
    assert form_of(page, address(shop, "comments"))["internal"].checked


def test_a_tick_alone_is_no_draft_and_takes_the_place_of_one(shop):
    for draft in ({"text": "Between us"}, {}):
        save(shop[NANCY], address(shop), **{"text": " ", "internal": "true", **draft})
        assert offers_draft(shop[NANCY].get(address(shop))) is bool(draft)
    shop[NANCY].send(address(shop, "comments"), {"text": " ", "internal": "true"}, status=422)
    assert not offers_draft(shop[NANCY].get(address(shop)))


def test_an_edited_value_comes_back_and_the_rest_follows_the_record(shop):
    save(shop[BRUNO], address(shop, "edit"), name="Halfway", impact="company")
    shop.set("requests", request(shop).id, body="Nancy's body")
    page = shop.signed_in(BRUNO).get(address(shop, "edit"))
    again = form_of(page, address(shop, "edit"))
    assert (again["name"].value, again["impact"].value, again["body"].value) == ("Halfway", "company", "Nancy's body")
    assert page.html.find(class_="differences") is None
    again["affected"] = "3"
    again.submit(status=303)
    assert (request(shop).values["name"], request(shop).values["body"]) == ("Halfway", "Nancy's body")


def test_a_draft_is_not_silently_put_over_a_newer_value(shop):
    save(shop[BRUNO], address(shop, "edit"), name="Bruno's")
    shop.set("requests", request(shop).id, name="Nancy's")
    page = shop[BRUNO].get(address(shop, "edit"))
    assert "Nancy's" in page.html.find(class_="differences").text
    assert form_of(page, address(shop, "edit"))["name"].value == "Bruno's"


def test_a_question_comes_back(shop):
    shop.set("requests", request(shop).id, status="resolved")
    close = address(shop, "move", "close")
    save(shop[BRUNO], close, satisfaction="4", comment="Nearly")
    again = form(shop.signed_in(BRUNO), close)
    assert (again["satisfaction"].value, again["comment"].value) == ("4", "Nearly")


def test_a_discarded_draft_is_gone(shop):
    save(shop[BRUNO], address(shop, "edit"), name="Halfway")
    answer = form_of(shop[BRUNO].get(address(shop, "edit")), "/account/discard").submit(status=303)
    assert answer.location.endswith(address(shop, "edit"))
    assert form(shop[BRUNO], address(shop, "edit"))["name"].value == "Before"


def test_sending_a_form_removes_its_draft(shop):
    save(shop[BRUNO], address(shop), text="A whole sentence")
    form(shop[BRUNO], address(shop), address(shop, "comments")).submit(status=303)
    page = shop[BRUNO].get(address(shop))
    assert not offers_draft(page)
    assert shop.rows()["portal_draft"] == []


def test_what_a_page_tells_after_its_form_was_sent_is_no_draft(shop):
    page = shop[BRUNO].get(address(shop))
    sent = form_of(page, address(shop, "comments"))
    sent["text"] = "A whole sentence"
    pairs = dict(sent.submit_fields())
    sent.submit(status=303)
    late = {**pairs, "_form": draft_name(page), "_csrf": shop[BRUNO].token}
    assert shop[BRUNO].send("/account/drafts", late).json == {"saved": False}
    assert shop.rows()["portal_draft"] == []


def test_looking_writes_nothing(shop):
    save(shop[BRUNO], address(shop, "edit"), name="Halfway")
    before = shop.rows()
    for page in (address(shop), address(shop, "edit"), "/requests/create", "/account/"):
        shop[BRUNO].get(page)
    assert shop.rows() == before


# -- forms that were not taken --


def test_a_refused_form_comes_back_later(shop):
    refused = form(shop[BRUNO], address(shop, "edit"))
    refused["name"], refused["body"] = "", "Worth keeping"
    refused.submit(status=422)
    again = form(shop.signed_in(BRUNO), address(shop, "edit"))
    assert (again["name"].value, again["body"].value) == ("", "Worth keeping")


def test_a_refused_internal_note_stays_internal(shop):
    answer = shop[NANCY].send(address(shop, "comments"), {"text": " ", "internal": "true"})
    assert answer.status_int == 422
    assert re.search(r'<input type="checkbox" name="internal" value="true"\s+checked', answer.text)


def test_a_form_without_a_session_is_kept_for_its_author_alone(shop):
    browser, other = shop.signed_in(BRUNO), shop.signed_in(CARLA)
    lost = form(browser, address(shop), address(shop, "comments"))
    lost["text"] = "Do not lose me"
    browser.cookiejar.clear("localhost.local", "/", "portal_session")
    answer = lost.submit(status=303)
    assert answer.location.endswith(f"/login?next=%2Frequests%2F{request(shop).id}%2F")
    assert all(row["account"] is None for row in shop.rows()["portal_draft"])
    assert "What you entered has been saved." in answer.follow()
    key = browser.cookies["portal_draft"]
    other.reset()
    other.set_cookie("portal_draft", key)
    fill_in(other, "/login", {"email": CARLA, "password": PASSWORD})
    assert "Do not lose me" not in other.get("/account/")
    fill_in(browser, "/login", {"email": BRUNO, "password": PASSWORD})
    assert "Do not lose me" in browser.get(address(shop))
    assert "portal_draft" not in browser.cookies


def test_what_gave_way_to_others_after_lost_sessions_is_not_said_to_be_kept(shop, monkeypatch):
    monkeypatch.setattr("portal.accounts.drafts.MOST_SET_ASIDE", 1)
    lost = {}
    for who in (NANCY, BRUNO):
        browser = shop.signed_in(who)
        lost[who] = form(browser, address(shop), address(shop, "comments"))
        lost[who]["text"] = "Do not lose me"
        browser.cookiejar.clear("localhost.local", "/", "portal_session")
    first, second = (lost[who].submit(status=303) for who in (NANCY, BRUNO))
    assert "What you entered could not be saved." in first.follow()
    assert "What you entered has been saved." in second.follow()


def test_what_was_written_into_a_conversation_that_has_closed_can_still_be_read(shop):
    late = form(shop[BRUNO], address(shop), address(shop, "comments"))
    late["text"] = "Too late"
    shop.set("requests", request(shop).id, status="closed")
    late.submit(status=409)
    page = shop[BRUNO].get(address(shop))
    assert "Too late" in page.html.find(class_="unsent").text
    assert "Too late" in shop[BRUNO].get("/account/")


def test_what_was_written_for_a_record_that_is_gone_is_among_the_drafts(shop):
    lost, edit = form(shop[BRUNO], address(shop, "edit")), address(shop, "edit")
    lost["body"] = "All of it"
    shop.remove("requests", request(shop).id)
    assert lost.submit(status=404).html.find("main").find("a", href="/account/")
    assert shop[BRUNO].see(edit).status_int == 404
    page = shop[BRUNO].get("/account/")
    assert "All of it" in page
    assert page.html.find("a", href=edit) is None


# -- two who edit --


def test_only_what_one_has_changed_is_one_s_own_in_a_conflict(shop):
    mine, theirs = (form(shop[person], address(shop, "edit")) for person in (BRUNO, NANCY))
    theirs["name"], theirs["code"] = "Nancy's name", "N1"
    theirs.submit(status=303)
    mine["name"], mine["body"] = "Bruno's name", "Bruno's body"
    answer = mine.submit(status=409)
    shown = answer.html.find(class_="differences").text
    assert "Nancy's name" in shown
    assert "N1" not in shown
    again = form_of(answer, address(shop, "edit"))
    assert (again["name"].value, again["body"].value, again["code"].value) == ("Bruno's name", "Bruno's body", "N1")
    again.submit(status=303)
    values = request(shop).values
    assert (values["name"], values["body"], values["code"]) == ("Bruno's name", "Bruno's body", "N1")


# -- step by step --


def step(browser, form, target, **values):
    for name, value in values.items():
        form[name] = value
    answer = form.submit("_to", value=str(target), status=303)
    return answer, form_of(answer.follow(), "/requests/create")


def test_every_step_has_an_address_and_going_back_loses_nothing(shop):
    anna = shop[ANNA]
    first = form(anna, "/requests/create")
    to_second, second = step(anna, first, 1, service=str(shop.the("services", "Printing").id))
    to_third, third = step(anna, second, 2)
    third["name"] = "Typed on the last step"
    step(anna, third, 1)
    # The browser's Back shows the pages as they were drawn: sending them must not lose what they do not know.
    _answer, again = step(anna, second, 2)
    assert again["name"].value == "Typed on the last step"
    for answer in (to_second, to_third):
        assert anna.get(answer.location).text.count("Draft from") == 1
    again["body"] = "What happened"
    again.submit(status=303)
    assert [record.values["name"] for record in shop.all("requests")][-1] == "Typed on the last step"
    assert shop.rows()["portal_draft"] == []


def test_back_from_a_form_with_steps_that_was_sent_leads_to_its_record(shop):
    anna = shop[ANNA]
    to_second, second = step(anna, form(anna, "/requests/create"), 1, service=str(shop.the("services", "Printing").id))
    to_third, third = step(anna, second, 2)
    third["name"], third["body"] = "Sent", "Once"
    record = third.submit(status=303).location
    for page in (to_third, to_second):
        back = anna.get(page.location, status=303)
        assert back.location == record
    assert "This form has already been sent." in back.follow()
    assert shop[BRUNO].get(to_third.location).status_int == 200


def test_a_new_record_s_draft_is_offered_by_its_form_but_not_over_given_values(shop):
    anna, printing, copying = shop[ANNA], shop.the("services", "Printing"), shop.the("services", "Copying")
    step(anna, form(anna, "/requests/create"), 1, service=str(printing.id))
    plain = anna.get("/requests/create")
    assert form_of(plain, "/requests/create")["service"].value == str(printing.id)
    given = anna.get(f"/requests/create?service={copying.id}")
    assert form_of(given, "/requests/create")["service"].value == str(copying.id)
    assert given.html.find(class_="draft").find("a", string="Continue")


def test_two_forms_at_once_are_two_drafts(shop):
    anna, printing, copying = shop[ANNA], shop.the("services", "Printing"), shop.the("services", "Copying")
    one, other = form(anna, "/requests/create"), form(anna, "/requests/create")
    first, _form = step(anna, one, 1, service=str(printing.id))
    second, _form = step(anna, other, 1, service=str(copying.id))
    assert "Printing" in anna.get(first.location)
    assert "Copying" in anna.get(second.location)
    assert len(shop.rows()["portal_draft"]) == 2


def test_a_draft_of_someone_else_s_form_is_a_new_form(shop):
    service = str(shop.the("services", "Printing").id)
    answer, _form = step(shop[ANNA], form(shop[ANNA], "/requests/create"), 1, service=service)
    assert not offers_draft(shop[BRUNO].get(answer.location))


# -- limits --


@pytest.mark.parametrize("name", ["requests/0/edit", "nowhere/1/edit", "requests/1/delete", "x", "", "requests/create"])
def test_only_forms_have_drafts(shop, name):
    page = shop[BRUNO].get(address(shop))
    owner = form_of(page, address(shop, "comments"))["_account"].value
    answer = shop[BRUNO].send("/account/drafts", {"_form": name, "_account": owner, "text": "x"})
    assert answer.status_int == 404
    assert shop.rows()["portal_draft"] == []


def test_a_page_of_another_account_saves_nothing(shop):
    owner = form_of(shop[NANCY].get(address(shop)), address(shop, "comments"))["_account"].value
    forged = {"_form": f"requests/{request(shop).id}/comments", "_account": owner, "text": "x"}
    assert shop[BRUNO].send("/account/drafts", forged).status_int == 404


def test_one_network_cannot_displace_what_others_sent_after_their_session(shop):
    stranger = Browser(shop.app)
    stranger.get("/login")
    for number in range(SET_ASIDE.most + 2):
        claimed = {"X-Forwarded-For": f"192.0.2.{number}"}
        stranger.send(address(shop, "comments"), {"_account": "0" * 16, "text": "Mine"}, headers=claimed)
    assert len(shop.rows()["portal_draft"]) == SET_ASIDE.most


def test_old_drafts_go(shop):
    save(shop[BRUNO], address(shop), text="Old")
    shop.clock.now += datetime.timedelta(days=31)
    browser = shop.signed_in(BRUNO)
    assert not offers_draft(browser.get(address(shop)))
    save(browser, address(shop, "edit"), name="New")
    assert [row["form"].rpartition("/")[2] for row in shop.rows()["portal_draft"]] == ["edit"]

"""Signing up: with an address, with a company's link, the approval, and the switch of a company."""

import datetime
import re

import pytest
from click.testing import CliRunner

from portal.accounts.sign_ups import LIFETIME
from portal.commands import main
from tests.functional.conftest import fill_in, form_of
from tests.functional.test_granting import (
    BRUNO,
    CARLA,
    NANCY,
    account,
    company_of,
    person_id,
    portal_folder,
    post,
    rows,
)
from tests.functional.test_passwords import letters
from tests.functional.test_signing_in import ANNA, change_account, is_signed_in, try_to_sign_in
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices

__all__ = ["portal_folder"]
EVA = "eva@acme.example"
PHRASE = "a phrase of my own"


@pytest.fixture
def declare(portal_folder):
    """A function that adds `sign_up:` to the portal."""

    def declared(text):
        path = portal_folder / "modules.yaml"
        path.write_text(f"sign_up: {text}\n" + path.read_text())

    return declared


def ask(browser, address="/signup", email=EVA):
    return fill_in(browser, address, {"email": email}, status="*")


def link_to(app, email=EVA):
    texts = [text for to, _subject, text in letters(app) if to == email]
    return re.search(r"http://localhost(/signup/\S+)", texts[-1])[1]


def prove(browser, link, name="Eva Gialli", password=PHRASE):
    return fill_in(browser, link, {"name": name, "new": password, "confirm": password}, status="*")


def test_without_sign_up_nobody_comes_in_uninvited(app):
    assert app.get("/signup", status="*").status_int in (303, 404)
    assert "/signup" not in app.get("/login")


def test_a_sign_up_waits_for_the_approval_of_staff(app, declare, sign_in, another_browser):
    declare("{profile: customer, domains: {acme.example: Acme}}")
    eva, staff = another_browser(), sign_in(NANCY)
    for wrong in ("eva@elsewhere.example", "eva@elsewhere", "eva@acme.example,eva@elsewhere.example", "éva"):
        assert ask(eva, email=wrong).status_int == 422
    assert "/signup" in eva.get("/login")
    assert ask(eva).status_int == 303
    link = link_to(app)
    assert "Almost done" in prove(eva, link)
    told = [(to, text) for to, subject, text in letters(app) if subject == "Someone is waiting for access"]
    assert [to for to, _text in told] == [f"Nancy Smith <{NANCY}>", f"Bruno Verdi <{BRUNO}>"]
    assert "eva@acme.example has signed up" in told[0][1]
    assert "/people/waiting" in told[0][1]
    assert "Gialli" not in told[0][1]
    assert eva.get(link, status=404)
    assert "has not been approved yet" in try_to_sign_in(eva, EVA, PHRASE)
    assert "Incorrect email or password." in try_to_sign_in(eva, EVA, "another phrase of words")
    page = staff.get("/people/waiting")
    assert [entry["href"] for entry in page.html.select("nav.menu [aria-current]")] == ["/people/waiting"]
    assert "Eva Gialli" in page
    waits = form_of(page, "/people/waiting")["id"].value
    assert post(staff, "/people/waiting", id=waits, profile="customer").status_int == 404, "neither yes nor no"
    assert "Acme" in page
    form = form_of(page, "/people/waiting")
    assert form.submit("do", value="yes", status=303)
    assert try_to_sign_in(eva, EVA, PHRASE).status_int == 303
    assert company_of(app, EVA) == company_of(app, ANNA)
    assert "You can now sign in" in letters(app)[-1][2]


def test_a_sign_up_without_a_company_gets_one_with_the_approval(app, declare, sign_in, another_browser):
    declare("{profile: customer}")
    eva, staff = another_browser(), sign_in(NANCY)
    ask(eva)
    prove(eva, link_to(app))
    form = form_of(staff.get("/people/waiting"), "/people/waiting")
    choice = next(name for name in form.fields if name and name.startswith("company-"))
    assert form[choice].options[0][2] == "No company"
    form[choice].force_value("999")
    assert form.submit("do", value="yes", status=422)
    assert account(app, EVA) is None
    form[choice].select(text="Acme")
    form.submit("do", value="yes", status=303)
    assert company_of(app, EVA) == company_of(app, ANNA)


def test_a_declined_person_has_no_access(app, declare, sign_in, another_browser):
    declare("{profile: customer}")
    eva, staff = another_browser(), sign_in(NANCY)
    ask(eva)
    prove(eva, link_to(app))
    form_of(staff.get("/people/waiting"), "/people/waiting").submit("do", value="no", status=303)
    assert "Nobody is waiting" in staff.get("/people/waiting")
    assert account(app, EVA) is None


def test_without_approval_one_is_in_at_once(app, declare, another_browser):
    declare("{profile: customer, approve: false}")
    eva = another_browser()
    ask(eva)
    link = link_to(app)
    assert prove(eva, link).location == "http://localhost/"
    assert is_signed_in(eva)
    assert eva.get(link).location == "http://localhost/", "the link that was sent still leads in"
    assert another_browser().get(link, status=404)


def test_nobody_signs_up_for_a_second_account(app, declare, sign_in, another_browser):
    declare("{profile: customer, approve: false}")
    staff, address = sign_in(NANCY, browser=another_browser()), f"/people/{person_id(app, ANNA)}/edit"
    fill_in(staff, address, {"email": EVA})
    eva = another_browser()
    ask(eva)
    assert "Almost done" in prove(eva, link_to(app))
    assert account(app, EVA) is None


def test_answer_and_letter_are_the_same_for_known_and_unknown_addresses(app, declare, another_browser):
    declare("{profile: customer}")
    answers = [ask(another_browser(), email=email) for email in (ANNA, EVA)]
    assert {answer.location for answer in answers} == {"http://localhost/signup?sent=1"}
    first, second = letters(app)
    assert first[1] == second[1]
    assert {row["give_up"] - row["created"] for row in rows(app, "outbox")} == {LIFETIME}, "then the link expires"
    assert "spam" not in app.get("/signup?sent=1"), "here the letters are kept"
    assert "already has access" in another_browser().get(link_to(app, ANNA))
    assert account(app, ANNA)["profile"] == "customer"


def test_an_unproven_address_gets_one_letter_an_hour(app, declare, clock, another_browser):
    declare("{profile: customer}")
    for _time in range(5):
        assert ask(another_browser()).status_int == 303
    assert len(letters(app)) == 1
    clock.pass_by(hours=1)
    ask(another_browser())
    assert len(letters(app)) == 2


def test_the_companies_of_domains_are_looked_for_among_the_records(app, declare, portal_folder, database):
    declare("{profile: customer, domains: {acme.example: Acme, nowhere.example: Nowhere}}")
    answer = CliRunner().invoke(main, ["check", "--data", "--folder", str(portal_folder), "--database", database])
    assert 'there is no record "Nowhere" in organizations' in answer.output
    assert '"Acme"' not in answer.output


# -- the company's link and its switch ---------------------------------------------------------------------------------


def make_link(browser, company, profile="customer"):
    assert post(browser, f"/organizations/{company}/join", do="renew", profile=profile).status_int == 303
    return re.search(r'value="http://localhost(/join/[^"]+)"', browser.get(f"/organizations/{company}/people").text)[1]


def test_by_its_link_people_join_a_company_and_its_administrator_says_yes(app, sign_in, another_browser):
    bruno, eva = sign_in(BRUNO), another_browser()
    acme = company_of(app, BRUNO)
    link = make_link(bruno, acme)
    assert "Join Acme" in eva.get(link)
    assert "/login" in eva.get(link)
    ask(eva, link)
    prove(eva, link_to(app))
    form_of(bruno.get(f"/organizations/{acme}/people"), "/people/waiting").submit("do", value="yes", status=303)
    assert try_to_sign_in(eva, EVA, PHRASE).status_int == 303
    assert company_of(app, EVA) == acme
    make_link(bruno, acme)  # in the place of the one that Eva knows
    assert eva.get(link).location == "http://localhost/"


def test_nobody_says_yes_to_more_than_they_may_give_nor_to_who_joins_others(app, declare, sign_in, another_browser):
    declare("{profile: customer}")
    eva, zoe, staff = another_browser(), another_browser(), sign_in(NANCY, browser=another_browser())
    bruno, acme, globex = sign_in(BRUNO), company_of(app, BRUNO), company_of(app, CARLA)
    ask(eva, make_link(bruno, acme))
    prove(eva, link_to(app))
    ask(zoe, make_link(staff, globex), "zoe@globex.example")
    prove(zoe, link_to(app, "zoe@globex.example"))
    own, others = (str(row["id"]) for row in rows(app, "sign_up"))
    for profile in ("staff", "power", ""):
        assert post(bruno, "/people/waiting", id=own, do="yes", profile=profile).status_int == 422
    for do in ("yes", "no"):
        assert post(bruno, "/people/waiting", id=others, do=do, profile="customer").status_int == 404
    assert len(rows(app, "sign_up")) == 2
    assert account(app, EVA) is None


def test_a_link_is_only_shown_to_people_who_may_give_its_profile(app, sign_in, another_browser):
    acme = company_of(app, BRUNO)
    link = make_link(sign_in(NANCY, browser=another_browser()), acme, "power")
    assert link not in sign_in(BRUNO).get(f"/organizations/{acme}/people")


def test_a_wrong_link_and_a_withdrawn_one_say_the_same_and_nothing_about_anyone(app, sign_in, another_browser):
    bruno, acme = sign_in(BRUNO), company_of(app, BRUNO)
    link = make_link(bruno, acme)
    renewed = make_link(bruno, acme)
    stranger = another_browser()
    token = re.compile(r'name="_csrf" value="[^"]*"|/join/[\w-]+')
    gone = token.sub("", stranger.get(link, status=404).text)
    assert gone == token.sub("", stranger.get("/join/made-up", status=404).text)
    assert "Acme" not in gone
    post(bruno, f"/organizations/{acme}/join", do="withdraw")
    stranger.get(renewed, status=404)


def test_into_a_deleted_company_nobody_comes(app, portal_folder, sign_in, another_browser):
    change(portal_folder, "all, can: [create, edit]}", "all, can: [create, edit, delete]}", "profiles/staff.yaml")
    staff, zoe, eva = sign_in(NANCY, browser=another_browser()), another_browser(), another_browser()
    company = post(staff, "/organizations/create", name="Initech").location.split("/")[-2]
    link = make_link(staff, company)
    ask(zoe, link, "zoe@initech.example")
    prove(zoe, link_to(app, "zoe@initech.example"))
    ask(eva, link)
    post(staff, f"/organizations/{company}/delete")
    zoe.get(link, status=404)
    eva.get(link_to(app), status=404)
    form_of(staff.get("/people/waiting"), "/people/waiting").submit("do", value="yes", status=303)
    assert company_of(app, "zoe@initech.example") is None


def test_a_person_recorded_with_another_company_does_not_join_unseen(app, declare, sign_in, another_browser):
    declare("{profile: customer, approve: false}")
    staff = sign_in(NANCY, browser=another_browser())
    post(staff, "/people/create", name="Zoe", email=EVA, company=str(company_of(app, CARLA)))
    bruno, eva, acme = sign_in(BRUNO), another_browser(), company_of(app, BRUNO)
    ask(eva, make_link(bruno, acme))
    assert "Almost done" in prove(eva, link_to(app))
    [waiting] = rows(app, "sign_up")
    assert post(bruno, "/people/waiting", id=str(waiting["id"]), do="yes", profile="customer").status_int == 404
    assert account(app, EVA) is None


@pytest.mark.parametrize("limit", ["access_until", "records_from"])
def test_nobody_makes_a_link_by_which_others_get_more_than_they_have(app, declare, sign_in, limit):
    declare("{profile: customer, approve: false}")
    change_account(app, BRUNO, **{limit: datetime.date(2026, 3, 5)})
    bruno, acme = sign_in(BRUNO), company_of(app, BRUNO)
    page = post(bruno, f"/organizations/{acme}/join", do="renew", profile="customer")
    assert page.status_int == 422
    assert "more access than you have" in page
    assert rows(app, "company") == []


def test_links_and_switches_of_other_companies_are_out_of_reach(app, sign_in):
    bruno, globex, acme = sign_in(BRUNO), company_of(app, CARLA), company_of(app, BRUNO)
    for company, address in ((globex, "people"), (globex, "join"), (globex, "switch"), (acme, "switch")):
        assert post(bruno, f"/organizations/{company}/{address}", do="renew", profile="customer").status_int in (
            404,
            405,
        )
    assert bruno.get(f"/organizations/{globex}/people", status="*").status_int == 404
    assert post(bruno, f"/organizations/{acme}/join", do="renew", profile="power").status_int == 422
    assert rows(app, "company") == []


def test_a_closed_company_is_out_with_the_next_request_and_back_when_opened(app, sign_in, another_browser):
    anna, staff = sign_in(ANNA, browser=another_browser()), sign_in(NANCY)
    acme = company_of(app, ANNA)
    assert post(staff, f"/organizations/{acme}/switch", do="close").status_int == 303
    assert not is_signed_in(anna)
    assert try_to_sign_in(another_browser(), ANNA).status_int == 422
    assert is_signed_in(sign_in(CARLA, browser=another_browser()))
    assert post(staff, f"/organizations/{acme}/switch", do="ajar").status_int == 404
    assert not is_signed_in(anna)
    post(staff, f"/organizations/{acme}/switch", do="open")
    assert is_signed_in(sign_in(ANNA, browser=another_browser()))
    assert person_id(app, ANNA)

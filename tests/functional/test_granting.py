"""Access given in the browser: by staff, and by a company's own administrator to colleagues and to nobody else."""

import datetime
import re

import pytest
import sqlalchemy as sa

from portal.accounts.attempts import ACCESS_REFUSED
from portal.database.engine import reading
from tests.functional.conftest import fill_in, form_of, served
from tests.functional.test_passwords import letters
from tests.functional.test_signing_in import ANNA, change_account, is_signed_in, try_to_sign_in

pytestmark = pytest.mark.sqlite_suffices

BRUNO, CARLA, NANCY = "bruno@acme.example", "carla@globex.example", "nancy@supplier.example"
DORA = "dora@acme.example"


def giving_access(folder):
    for profile, can in (("staff", "create, edit, export, grant"), ("power", "edit, grant")):
        path = folder / "profiles" / f"{profile}.yaml"
        text = path.read_text()
        people = re.search(r"^  people: \{.*\}$", text, re.MULTILINE)[0]
        see = "all" if profile == "staff" else "organization"
        grants = "" if profile == "staff" else ", grants: [customer]"
        path.write_text(text.replace(people, f"  people: {{see: {see}, can: [{can}]{grants}}}"))
    return folder


@pytest.fixture
def portal_folder(portal_folder):
    return giving_access(portal_folder)


@pytest.fixture(scope="module")
def small_portal(request):
    """The small portal, whose staff and power users may give access."""
    with served(request, giving_access) as portal:
        yield portal


@pytest.fixture
def app(shared_app):
    return shared_app


def rows(app, name):
    portal = app.app.registry.live.current()
    table = getattr(portal.tables, name, None)
    table = portal.tables.module(name) if table is None else table
    with reading(portal.engine) as connection:
        return connection.execute(sa.select(table).order_by(sa.text("1"))).mappings().all()


def account(app, email):
    return next((row for row in rows(app, "account") if row["email"] == email), None)


def person_id(app, email):
    return next(row["id"] for row in rows(app, "people") if row["email"] == email)


def company_of(app, email):
    return next(row["company"] for row in rows(app, "people") if row["email"] == email)


def post(app, address, **inputs):
    token = form_of(app.get("/"), "/logout")["_csrf"].value
    return app.post(address, {"_csrf": token, **inputs}, status="*")


def invite(app, email=DORA, name="Dora Blu", profile="customer", **inputs):
    return post(app, "/people/invite", email=email, name=name, profile=profile, **inputs)


def link_of(answer):
    return re.search(r'value="http://localhost(/password/invitation/[^"]+)"', answer.follow().text)[1]


def accept(browser, link, password="a phrase of my own"):
    return fill_in(browser, link, {"new": password, "confirm": password})


def test_a_new_colleague_comes_in_with_one_form_and_one_link(app, sign_in, another_browser):
    sign_in(BRUNO)
    answer = invite(app)
    assert answer.status_int == 303
    link, dora = link_of(answer), another_browser()
    assert link not in app.get(answer.location), "shown once"
    accept(dora, link)
    assert "Last sign-in" in app.get(answer.location)
    fill_in(dora, "/tickets/create", {"title": "My first request"})
    ticket, person = rows(app, "tickets")[-1], person_id(app, DORA)
    acme = next(row["company"] for row in rows(app, "people") if row["email"] == BRUNO)
    assert (ticket["caller"], ticket["company"]) == (person, acme)
    assert dora.get(link).location == "http://localhost/"
    assert another_browser().get(link, status=404)
    assert try_to_sign_in(another_browser(), DORA, "a phrase of my own").status_int == 303
    kinds = [row["kind"] for row in rows(app, "event") if (row["module"], row["record"]) == ("people", person)]
    assert kinds == ["created", "granted", "invited"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Dora\u00a0 Blu", "Dora Blu"), ("علی\u200cرضا", "علی\u200cرضا"), ("\u200d", None), ("Dora\u202eulB", None)],
)
def test_a_name_is_taken_as_its_language_writes_it(app, sign_in, typed, kept):
    sign_in(BRUNO)
    answer = invite(app, name=typed)
    assert answer.status_int == (303 if kept else 422)
    assert [row["name"] for row in rows(app, "people") if row["email"] == DORA] == ([kept] if kept else [])


def test_the_letter_holds_the_link_and_nothing_that_the_sender_typed(app, sign_in):
    sign_in(BRUNO)
    link = link_of(invite(app, name="Buy now at evil.example"))
    [(to, _subject, text)] = letters(app)
    assert to == DORA
    assert link in text
    assert "Buy now" not in text


def test_colleagues_are_invited_in_the_language_of_who_invites_them(app, sign_in):
    sign_in(BRUNO)
    post(app, "/language", language="it")
    invite(app)
    assert letters(app)[-1][1].startswith("Il tuo accesso a")


def test_with_a_mail_server_only_the_recipient_sees_the_link(make_app, sign_in):
    browser = sign_in(BRUNO, browser=make_app(smtp="smtp://mail.example"))
    assert "/password/invitation/" not in invite(browser).follow()
    assert "/password/invitation/" in letters(browser)[-1][2]


def test_staff_gives_a_recorded_person_access_for_a_time(app, sign_in, clock, another_browser):
    staff = sign_in(NANCY)
    post(staff, "/people/create", name="Elio Rosa", email="elio@acme.example")
    card = f"/people/{person_id(app, 'elio@acme.example')}/"
    assert "No access" in staff.get(card)
    answer = post(
        staff, f"{card}access", profile="power", access_from="2026-03-10", access_until="2026-03-20", visible="new"
    )
    elio = another_browser()
    link = link_of(answer)
    form = form_of(elio.get(link), link)
    form["new"] = form["confirm"] = "a phrase of my own"
    assert "Mar 10, 2026" in form.submit(status=200)
    assert str(account(app, "elio@acme.example")["records_from"]) == "2026-03-05"
    clock.pass_by(days=6)
    assert try_to_sign_in(elio, "elio@acme.example", "a phrase of my own").status_int == 303
    clock.pass_by(days=11)
    assert not is_signed_in(elio)


def test_staff_change_the_address_and_both_addresses_are_notified(app, sign_in, another_browser):
    staff, card = sign_in(NANCY), f"/people/{person_id(app, ANNA)}/"
    fill_in(staff, f"{card}access", {"email": "Anna@Globex.example"})
    assert {to for to, _subject, _text in letters(app)} == {f"Anna Rossi <{ANNA}>", "Anna Rossi <anna@globex.example>"}
    assert all("you sign in as anna@globex.example" in text for _to, _subject, text in letters(app))
    assert sign_in("anna@globex.example", browser=another_browser())
    assert person_id(app, "anna@globex.example"), "it was that of the record too"
    taken = post(staff, f"{card}access", profile="customer", email=CARLA)
    assert taken.status_int == 422
    assert "Someone else already uses this address" in taken


def test_an_invitation_goes_again_to_an_address_that_was_mistyped(app, sign_in, another_browser):
    staff = sign_in(NANCY)
    answer = invite(staff, email="dra@acme.example")
    mistyped, card = link_of(answer), answer.location.removeprefix("http://localhost")
    again = post(staff, f"{card}access", profile="customer", email=DORA)
    another_browser().get(mistyped, status=404)
    accept(another_browser(), link_of(again))
    assert [to for to, _subject, _text in letters(app)] == ["dra@acme.example", DORA]


def test_a_company_s_administrator_changes_no_address(app, sign_in):
    bruno, address = sign_in(BRUNO), f"/people/{person_id(app, ANNA)}/access"
    assert "email" not in form_of(bruno.get(address), address).fields
    post(bruno, address, profile="customer", email=DORA)
    assert account(app, ANNA)
    assert letters(app) == []


def test_ended_access_signs_out_with_the_next_request_and_can_be_given_again(app, sign_in, another_browser):
    anna = sign_in(ANNA, browser=another_browser())
    staff = sign_in(NANCY)
    card = f"/people/{person_id(app, ANNA)}/"
    assert "End access to the portal?" in staff.get(f"{card}revoke")
    assert post(staff, f"{card}revoke").status_int == 303
    assert not is_signed_in(anna)
    assert "Access ended" in staff.get(card)
    post(staff, f"{card}access", profile="customer")
    assert sign_in(ANNA, browser=another_browser()), "the old password opens again"


def test_a_second_invitation_voids_the_first(app, sign_in, another_browser):
    sign_in(BRUNO)
    answer = invite(app)
    first = link_of(answer)
    again = post(app, f"{answer.location.partition('localhost')[2]}invite")
    another_browser().get(first, status=404)
    accept(another_browser(), link_of(again))
    assert post(app, f"{answer.location.partition('localhost')[2]}invite").status_int == 404, "it has been accepted"


# -- what a company's administrator cannot do --------------------------------------------------------------------------


def test_no_profile_is_given_beyond_the_own_grants(app, sign_in):
    sign_in(BRUNO)
    for profile in ("staff", "power", "king", ""):
        assert invite(app, profile=profile).status_int == 422
        assert post(app, f"/people/{person_id(app, ANNA)}/access", profile=profile).status_int == 422
    assert account(app, DORA) is None
    assert account(app, ANNA)["profile"] == "customer"


def test_foreign_people_staff_and_oneself_are_out_of_reach(app, sign_in):
    sign_in(BRUNO)
    before = rows(app, "account")
    for email in (CARLA, NANCY, BRUNO):
        for action in ("access", "revoke", "invite"):
            address = f"/people/{person_id(app, email)}/{action}"
            assert post(app, address, profile="customer", access_until="2026-04-01").status_int == 404
            assert app.get(address, status="*").status_int in (404, 405)
    assert rows(app, "account") == before


def test_an_account_with_a_higher_profile_is_out_of_reach(app, sign_in):
    change_account(app, ANNA, profile="staff")
    sign_in(BRUNO)
    address = f"/people/{person_id(app, ANNA)}"
    assert 'id="access"' not in app.get(f"{address}/")
    assert post(app, f"{address}/revoke").status_int == 404
    assert post(app, f"{address}/access", profile="customer").status_int == 404


def test_an_address_that_is_taken_is_refused_without_a_word_about_its_owner(app, sign_in):
    change_account(app, ANNA, profile="staff")
    sign_in(BRUNO)
    for email in (CARLA, NANCY, ANNA):
        answer = invite(app, email=email)
        assert answer.status_int == 422
        assert "This address cannot be given access here" in answer
    assert letters(app) == []


def test_access_does_not_end_before_today_unless_it_has_already(app, sign_in):
    sign_in(BRUNO)
    address = f"/people/{person_id(app, ANNA)}/access"
    assert "or later." in post(app, address, profile="customer", access_until="2025-04-01")
    assert account(app, ANNA)["access_until"] is None
    change_account(app, ANNA, access_until=datetime.date(2025, 4, 1))
    assert post(app, address, profile="customer", access_until="2025-04-01").status_int == 303
    change_account(app, ANNA, disabled=True)
    assert "or later." in post(app, address, profile="customer", access_until="2025-04-01"), "given again for no day"


def test_a_colleague_who_already_has_access_is_reported(app, sign_in):
    sign_in(BRUNO)
    assert "This address already has access." in invite(app, email=ANNA.upper())


def test_addresses_of_others_cannot_be_listed_by_inviting_them(app, sign_in, another_browser):
    sign_in(BRUNO)
    assert invite(app).status_int == 303
    refusals = [invite(app, email=CARLA).status_int for _time in range(ACCESS_REFUSED.most + 1)]
    assert refusals == [422] * ACCESS_REFUSED.most + [429]
    assert invite(app, email="free@acme.example").status_int == 429
    staff = sign_in(NANCY, browser=another_browser())
    assert [invite(staff, email=CARLA).status_int for _time in refusals] == [422] * len(refusals)


def test_a_colleague_is_invited_into_no_other_company(app, sign_in):
    sign_in(BRUNO)
    globex = next(row["company"] for row in rows(app, "people") if row["email"] == CARLA)
    assert invite(app, company=str(globex)).status_int == 422
    assert account(app, DORA) is None


def test_a_company_s_administrator_moves_nobody_into_or_out_of_their_company(app, sign_in):
    """The company on the record decides whom they can give access: they may not write to others' records."""
    bruno, globex = sign_in(BRUNO), company_of(app, CARLA)
    acme = company_of(app, ANNA)
    for email in (CARLA, NANCY):
        for company in (acme, globex):
            address = f"/people/{person_id(app, email)}/edit"
            assert post(bruno, address, name="X", email=email, company=str(company)).status_int == 404
    post(bruno, f"/people/{person_id(app, ANNA)}/edit", name="Anna", email=ANNA, company=str(globex))
    assert company_of(app, ANNA) == acme
    assert post(bruno, "/people/create", name="X", email=DORA, company=str(globex)).status_int == 404


def test_nobody_gives_more_than_they_have(app, sign_in):
    change_account(app, BRUNO, access_until=datetime.date(2026, 4, 1))
    sign_in(BRUNO)
    assert invite(app).status_int == 422
    assert invite(app, access_until="2026-05-01").status_int == 422
    assert invite(app, access_until="2026-04-01").status_int == 303


def test_without_grant_there_are_no_such_pages(app, sign_in):
    sign_in(ANNA)
    own = person_id(app, ANNA)
    for address in ("/people/invite", f"/people/{own}/access", f"/people/{own}/revoke"):
        assert app.get(address, status="*").status_int == 404
        assert post(app, address, profile="customer").status_int == 404


@pytest.mark.sqlite_suffices
def test_where_every_profile_is_one_of_staff_nobody_can_be_invited(portal_folder, make_app, sign_in):
    giving_access(portal_folder)
    for name in ("customer", "power"):
        (portal_folder / "profiles" / f"{name}.yaml").unlink()
    app = sign_in(NANCY, browser=make_app())
    assert "/people/invite" not in app.get("/people/")
    app.get("/people/invite", status=404)

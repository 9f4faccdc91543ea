"""The second factor in the declaration: required by a profile, after links by email, reset by others."""

import re

import pytest
import sqlalchemy as sa

from portal.database.engine import reading
from tests.functional.conftest import form_of
from tests.functional.test_devices import ask_for_link, link_in
from tests.functional.test_devices import with_links as with_links
from tests.functional.test_granting import DORA, NANCY, accept, link_of, post
from tests.functional.test_passwords import letters
from tests.functional.test_second_factor import URL, enter_code, set_up
from tests.functional.test_second_factor import anna as anna
from tests.functional.test_signing_in import ANNA, change_account, is_signed_in, try_to_sign_in

pytestmark = pytest.mark.sqlite_suffices


def test_a_code_is_asked_for_after_a_link_by_email(with_links, anna, another_browser):
    browser = another_browser()
    ask_for_link(browser, ANNA)
    link = link_in(anna)
    assert form_of(browser.get(link), link).submit(status=303).location == "http://localhost/login/code"
    assert not is_signed_in(browser)
    assert enter_code(browser, anna.phone.code()).status_int == 303
    assert is_signed_in(browser)


# -- required by a profile ---------------------------------------------------------------------------------------------


@pytest.fixture
def required(portal_folder):
    path = portal_folder / "profiles" / "customer.yaml"
    path.write_text("second_factor: required\n" + path.read_text())


def test_people_who_must_have_one_can_only_set_it_up(required, app, clock, another_browser):
    assert try_to_sign_in(app).location == f"http://localhost{URL}"
    for address in ("/", "/tickets/", "/account/", "/password", "/nowhere"):
        assert app.get(address, status=303).location == f"http://localhost{URL}"
    assert "requires" in app.get(URL)
    set_up(app, clock)
    assert app.get("/", status=200)
    assert is_signed_in(app)


def test_a_profile_that_extends_another_one_requires_what_that_does(required, app, another_browser):
    assert try_to_sign_in(app, "bruno@acme.example").location == f"http://localhost{URL}"
    assert try_to_sign_in(another_browser(), NANCY).location == "http://localhost/"


def test_the_portal_names_profiles_that_must_have_one(portal_folder, app, another_browser):
    """Also profiles that extend them, unless their own file says otherwise."""
    path = portal_folder / "modules.yaml"
    path.write_text(path.read_text().replace("portal: {", "portal: {second_factor: [customer], ", 1))
    assert try_to_sign_in(app).location == f"http://localhost{URL}"
    assert try_to_sign_in(another_browser(), "bruno@acme.example").location == f"http://localhost{URL}"
    assert try_to_sign_in(another_browser(), NANCY).location == "http://localhost/"
    power = portal_folder / "profiles" / "power.yaml"
    power.write_text("second_factor: optional\n" + power.read_text())
    assert try_to_sign_in(another_browser(), "bruno@acme.example").location == "http://localhost/"


def test_a_generated_password_is_changed_first(required, app):
    change_account(app, ANNA, must_change=True)
    assert try_to_sign_in(app).location == "http://localhost/password"
    assert app.get(URL, status=303).location == "http://localhost/password"
    form = form_of(app.get("/password"), "/password")
    form["new"] = form["confirm"] = "a wholly different phrase"
    assert form.submit(status=303).follow(status=303).location == f"http://localhost{URL}"


def test_the_preview_of_an_administrator_shows_the_portal_itself(required, app, sign_in):
    sign_in(NANCY)
    with reading(app.app.registry.live.current().engine) as connection:
        anna = connection.execute(
            sa.text("SELECT id FROM portal_account WHERE email = :email"), {"email": ANNA}
        ).scalar()
    app.post("/-/view-as", {"_csrf": form_of(app.get("/"), "/logout")["_csrf"].value, "account": anna}, status=303)
    assert "Tickets" in app.get("/", status=200)


# -- who gives access -------------------------------------------------------------------------------------------------


@pytest.fixture
def granting(portal_folder):
    path = portal_folder / "profiles" / "staff.yaml"
    path.write_text(path.read_text().replace("people: {see: all, can: [", "people: {see: all, can: [grant, ", 1))


def test_people_who_give_access_reset_it_and_the_person_is_notified(granting, anna, sign_in, another_browser):
    nancy = sign_in(NANCY, browser=another_browser())
    person = re.search(r'href="(/people/\d+/)"', nancy.get("/people/?q=anna").text)[1]
    assert f"{person}second-factor" in nancy.get(person)
    post(nancy, f"{person}second-factor")
    assert letters(anna)[-1][:2] == (f"Anna Rossi <{ANNA}>", "Two-factor authentication was turned off")
    assert "Two-factor authentication reset" in nancy.get(f"{person}history")
    assert try_to_sign_in(another_browser()).location == "http://localhost/"
    nancy.get(f"{person}second-factor", status=404)
    carla = sign_in("carla@globex.example", browser=another_browser())
    assert carla.get(f"{person}second-factor", status="*").status_int == 404


def test_an_invitation_that_was_not_used_asks_for_a_code_too(
    with_links, granting, app, sign_in, another_browser, clock
):
    invitation = link_of(post(sign_in(NANCY), "/people/invite", email=DORA, name="Dora", profile="customer"))
    dora = another_browser()
    ask_for_link(dora, DORA)
    link = link_in(app)
    form_of(dora.get(link), link).submit(status=303)
    phone, _recovery = set_up(dora, clock, password=None)
    browser = another_browser()
    assert accept(browser, invitation).location == "http://localhost/login/code"
    assert not is_signed_in(browser)
    assert enter_code(browser, phone.code()).status_int == 303
    assert is_signed_in(browser)

"""The devices with a session, and signing in with a link in an email."""

import re

import pytest

from tests.functional.conftest import form_of
from tests.functional.test_granting import NANCY, post
from tests.functional.test_passwords import letters
from tests.functional.test_sign_up import EVA
from tests.functional.test_signing_in import ANNA, NOBODY, change_account, is_signed_in, try_to_sign_in
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Safari/604.1"


@pytest.fixture
def both(app, sign_in, another_browser):
    """Anna, signed in on a computer and on a phone."""
    telephone = another_browser()
    app.extra_environ["HTTP_USER_AGENT"], telephone.extra_environ["HTTP_USER_AGENT"] = FIREFOX, IPHONE
    return sign_in(ANNA), sign_in(ANNA, browser=telephone)


def forms_of(page):
    """The forms for logging out: one per other device, then the one for all."""
    return [form for form in page.forms.values() if form.action == "/account/sign-out"]


def test_each_device_is_listed_and_signed_out_from_another(both):
    computer, telephone = both
    page = computer.get("/account/")
    for words in ("Firefox", "Linux", "Safari", "iPhone", "This device"):
        assert words in page
    forms_of(page)[0].submit(status=303)
    assert not is_signed_in(telephone)
    assert is_signed_in(computer)


def test_signing_out_everywhere_ends_this_session_too(both, sign_in, another_browser):
    computer, telephone = both
    carla = sign_in("carla@globex.example", browser=another_browser())
    assert forms_of(computer.get("/account/"))[-1].submit(status=303).location.endswith("/login")
    assert not is_signed_in(computer)
    assert not is_signed_in(telephone)
    assert is_signed_in(carla)


def test_a_session_of_someone_else_cannot_be_ended(both, sign_in, another_browser):
    computer, _telephone = both
    key = forms_of(computer.get("/account/"))[0]["device"].value
    carla = sign_in("carla@globex.example", browser=another_browser())
    token = form_of(carla.get("/"), "/logout")["_csrf"].value
    assert carla.post("/account/sign-out", {"_csrf": token, "device": key}, status="*").status_int == 404
    assert is_signed_in(computer)


# -- signing in by a link ----------------------------------------------------------------------------------------------


@pytest.fixture
def with_links(portal_folder):
    change(portal_folder, "portal: {", "portal: {sign_in: [password, link], ")


def ask_for_link(browser, email):
    form = form_of(browser.get("/login"), "/login")
    return browser.post("/password/link", {"_csrf": form["_csrf"].value, "email": email}, status="*")


def link_in(app):
    return re.search(r"http://localhost(/password/link/\S+)", letters(app)[-1][2])[1]


def test_a_link_signs_in_once(with_links, app, another_browser):
    assert ask_for_link(app, ANNA).location == "http://localhost/password/link"
    link, anna = link_in(app), another_browser()
    anna.get(link)
    form_of(anna.get(link), link).submit(status=303)
    assert is_signed_in(anna)
    assert try_to_sign_in(another_browser()).status_int == 303
    another_browser().get(link, status=404)


def test_a_link_continues_to_the_requested_page(with_links, app, another_browser):
    form = form_of(app.get("/tickets/").follow(), "/login")
    asked = {"_csrf": form["_csrf"].value, "email": ANNA, "next": form["next"].value}
    app.post("/password/link", asked, status=303)
    link = link_in(app)
    browser = another_browser()
    assert form_of(browser.get(link), link).submit(status=303).location == "http://localhost/tickets/"
    app.post("/password/link", {**asked, "next": "//evil.example/tickets/?title=Enter+your+password"}, status=303)
    assert "next" not in link_in(app)


def test_where_nobody_signs_in_with_a_password_nobody_is_asked_for_one(portal_folder, app, another_browser):
    change(portal_folder, "portal: {", "portal: {sign_in: [link], ")
    anna = another_browser()
    change_account(app, ANNA, must_change=True)
    ask_for_link(app, ANNA)
    home = form_of(anna.get(link_in(app)), link_in(app)).submit(status=303).follow()
    assert "Change password" not in home
    anna.get("/password", status=404)
    anna.post("/password", {"_csrf": form_of(home, "/logout")["_csrf"].value, "new": "another phrase"}, status=404)


def sign_in_by_link(app, browser, email=ANNA):
    browser.extra_environ["HTTP_USER_AGENT"] = FIREFOX
    ask_for_link(app, email)
    link = link_in(app)
    form_of(browser.get(link), link).submit(status=303)


def test_a_sign_in_by_link_from_a_new_device_is_announced_also_without_a_password(with_links, app, another_browser):
    change_account(app, ANNA, password=None)
    first, second = another_browser(), another_browser()
    told = []
    for browser in (first, second, second):
        sign_in_by_link(app, browser)
        told.append([text for _to, subject, text in letters(app) if subject == "A new sign-in"])
    assert [len(texts) for texts in told] == [0, 1, 1]
    assert "Firefox on Linux" in told[1][0]
    assert first.get("/password").location == "http://localhost/password/forgotten"  # there is none to be changed


def test_people_may_sign_in_by_link_as_often_as_they_like(portal_folder, app, another_browser):
    change(portal_folder, "portal: {", "portal: {sign_in: [link], ")
    for _time in range(32):  # more than one network may request without using them
        sign_in_by_link(app, another_browser())
    answers = [ask_for_link(another_browser(), ANNA).status_int for _time in range(4)]
    assert answers == [303, 303, 303, 429], "links that nobody uses"


@pytest.mark.parametrize("ways", ["[password, link]", "[link]"])
def test_the_first_sign_in_after_an_invitation_is_announced_if_its_device_differs(
    portal_folder, app, sign_in, another_browser, ways
):
    change(portal_folder, "people: {see: all, can: [", "people: {see: all, can: [grant, ", "profiles/staff.yaml")
    staff, first, second = sign_in(NANCY, browser=another_browser()), another_browser(), another_browser()
    change(portal_folder, "portal: {", f"portal: {{sign_in: {ways}, ")
    post(staff, "/people/invite", email=EVA, name="Eva", profile="customer")
    link = re.search(r"http://localhost(/password/invitation/\S+)", letters(app)[-1][2])[1]
    form = form_of(first.get(link), link)
    if "password" in ways:
        form["new"] = form["confirm"] = "a phrase of my own"
    form.submit(status=303)
    told = []
    for browser in (first, second):
        sign_in_by_link(app, browser, EVA)
        told.append(sum(subject == "A new sign-in" for _to, subject, _text in letters(app)))
    assert told == [0, 1]


def test_a_link_only_goes_to_people_who_may_sign_in_and_the_answer_is_the_same(with_links, app, clock, another_browser):
    assert ask_for_link(app, NOBODY).location == ask_for_link(app, ANNA).location
    assert len(letters(app)) == 1
    link = link_in(app)
    change_account(app, ANNA, disabled=True)
    another_browser().get(link, status=404)
    change_account(app, ANNA, disabled=False)
    clock.pass_by(minutes=16)
    another_browser().get(link, status=404)


def test_links_do_not_sign_in_where_they_are_not_declared(app):
    assert "/password/link" not in app.get("/login")
    assert app.get("/password/link", status="*").status_int in (303, 404)

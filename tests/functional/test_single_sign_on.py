"""Signing in with a real identity provider: OpenID Connect as a browser goes through it."""

import base64
import datetime
import hashlib
import logging
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import oidc_provider_mock
import pytest

from tests.functional.conftest import form_of
from tests.functional.test_accounts import account as account
from tests.functional.test_granting import DORA, NANCY, link_of, post
from tests.functional.test_passwords import NEW, ask_for_link, letters, link_in, set_password
from tests.functional.test_second_factor import enter_code, set_up
from tests.functional.test_signing_in import ANNA, change_account, is_signed_in, try_to_sign_in

# The provider's own libraries warn of their next versions.
pytestmark = [pytest.mark.sqlite_suffices, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

PEOPLE = {
    "anna": {"email": "Anna@acme.example", "email_verified": True},
    "another-anna": {"email": ANNA, "email_verified": True},
    "impostor": {"email": ANNA, "email_verified": False},
    "unsaid": {"email": ANNA},
    "nameless": {},
    "stranger": {"email": "stranger@elsewhere.example", "email_verified": True},
}


@pytest.fixture(scope="module")
def issuer():
    """The address of a provider who knows these people."""
    users = [oidc_provider_mock.User(sub=name, claims=claims) for name, claims in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def app(make_app, issuer, clock):
    clock.now = datetime.datetime.now(datetime.UTC)  # what the provider signs is of now
    return make_app(oidc_issuer=issuer, oidc_client_id="portal", oidc_client_secret="s:cret", oidc_label="Acme ID")  # noqa: S106


def go_there(browser, following=""):
    """Goes from the sign-in page to the provider; returns the address there."""
    page = browser.get(f"/login?next={following}" if following else "/login")
    return page.click("Sign in with Acme ID").location


def callback_after(there, person="anna"):
    """Lets the provider sign someone in; returns the path to which it sends the browser back."""
    return httpx.post(there, data={"sub": person}).headers["location"].removeprefix("http://localhost")


def sign_in_there(browser, person="anna", following=""):
    return browser.get(callback_after(go_there(browser, following), person), status="*")


def test_one_signs_in_there_and_is_back_where_one_wanted_to_be(app):
    answer = sign_in_there(app, following="%2Ftickets%2F%3Fq%3Dprinter")
    assert answer.location == "http://localhost/tickets/?q=printer"
    assert is_signed_in(app)
    assert "Anna Rossi" in app.get("/")
    assert not [cookie for cookie in app.cookiejar if cookie.name == "portal_oidc"]


def test_the_way_there_carries_state_nonce_and_the_digest_of_a_secret(app, issuer):
    there = go_there(app)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    kept = next(cookie for cookie in app.cookiejar if cookie.name == "portal_oidc")
    flow = dict(parse_qsl(kept.value.strip('"')))
    digest = base64.urlsafe_b64encode(hashlib.sha256(flow["verifier"].encode()).digest()).decode().rstrip("=")
    assert there.startswith(f"{issuer}/oauth2/authorize?")
    assert asked["redirect_uri"] == "http://localhost/login/oidc/callback"
    assert asked["client_id"] == "portal"
    assert (asked["response_type"], asked["code_challenge_method"], asked["code_challenge"]) == ("code", "S256", digest)
    assert (asked["state"], asked["nonce"]) == (flow["state"], flow["nonce"])
    assert kept.has_nonstandard_attr("HttpOnly")


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("impostor", "is not confirmed"),
        ("unsaid", "is not confirmed"),
        ("nameless", "is not confirmed"),
        ("stranger", "stranger@elsewhere.example has no access to this portal"),
    ],
)
def test_only_a_confirmed_address_that_has_an_account_lets_in(app, person, says):
    answer = sign_in_there(app, person)
    assert answer.status_int == 422
    assert says in answer
    assert not is_signed_in(app)


def test_an_account_belongs_to_the_first_who_came_whatever_their_address_becomes(app, issuer, another_browser):
    httpx.put(f"{issuer}/users/maria", json=PEOPLE["anna"])
    sign_in_there(app, "maria")
    assert "is linked to another account" in sign_in_there(another_browser(), "another-anna")
    httpx.put(f"{issuer}/users/maria", json={"email": "maria@elsewhere.example"})
    assert sign_in_there(another_browser(), "maria").status_int == 303


@pytest.mark.parametrize("words", [("reset", ANNA), ("set", ANNA, "--email", "anna@elsewhere.example")])
def test_an_account_with_another_password_or_address_is_for_another_login(app, account, another_browser, words):
    sign_in_there(app)
    account(*words)
    account("set", "anna@elsewhere.example", "--email", ANNA)
    assert sign_in_there(another_browser(), "another-anna").status_int == 303
    assert "is linked to another account" in sign_in_there(another_browser(), "anna")


def test_people_who_only_sign_in_with_it_have_no_password_page(app, another_browser):
    change_account(app, ANNA, must_change=True)  # generated, and never used
    sign_in_there(app)
    home = app.get("/", status=200)
    assert "/password" not in home
    assert app.get("/password", status="*").status_int == 404
    token = form_of(home, "/logout")["_csrf"].value
    assert app.post("/password", {"_csrf": token, "new": "a new phrase of mine"}, status="*").status_int == 404
    assert try_to_sign_in(another_browser()).status_int == 422
    before = len(letters(app))
    ask_for_link(another_browser())
    assert len(letters(app)) == before


def test_after_a_change_of_provider_people_are_found_by_their_address_again(app, issuer, another_browser):
    change_account(app, ANNA, subject="https://id.elsewhere.example 4711", password=None)
    assert sign_in_there(app).status_int == 303
    assert "is linked to another account" in sign_in_there(another_browser(), "another-anna")


def test_without_a_provider_people_who_signed_in_there_set_a_password(make_app):
    app = make_app()
    change_account(app, ANNA, subject="https://id.elsewhere.example 4711", password=None)
    ask_for_link(app)
    set_password(app, link_in(letters(app)[-1]))
    assert try_to_sign_in(app, password=NEW).status_int == 303


def test_an_existing_password_is_kept(app, another_browser):
    sign_in_there(app)
    assert app.get("/password", status=200)
    assert try_to_sign_in(another_browser()).status_int == 303


def test_an_account_that_may_not_sign_in_is_not_let_in(app, another_browser):
    sign_in_there(app)
    change_account(app, ANNA, disabled=True)
    assert not is_signed_in(app)
    assert "disabled" in sign_in_there(another_browser())


def test_the_second_factor_is_asked_for_here_too(app, sign_in, another_browser, clock):
    phone, _recovery = set_up(sign_in(ANNA), clock)
    browser = another_browser()
    answer = sign_in_there(browser, following="/tickets/")
    assert answer.location == "http://localhost/login/code?next=%2Ftickets%2F"
    assert not is_signed_in(browser)
    assert enter_code(browser, phone.code(), "/login/code?next=%2Ftickets%2F").location == "http://localhost/tickets/"


def test_what_someone_else_began_lets_nobody_in(app, another_browser):
    stranger = another_browser()
    callback = callback_after(go_there(stranger))
    for browser in (app, another_browser()):
        assert browser.get(callback, status="*").status_int == 422
        assert not is_signed_in(browser)
    go_there(app)
    assert app.get(callback, status="*").status_int == 422  # with a flow of its own


def test_an_answer_counts_once(app):
    callback = callback_after(go_there(app))
    assert app.get(callback).status_int == 303
    assert app.get(callback, status="*").status_int == 422


def test_who_declines_there_reads_it_here(app):
    state = parse_qs(urlsplit(go_there(app)).query)["state"][0]
    answer = app.get(f"/login/oidc/callback?error=access_denied&state={state}", status=422)
    assert "Acme ID did not sign you in" in answer
    assert try_to_sign_in(app).status_int == 303


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_a_provider_that_is_away_or_wrong_is_a_sentence_and_passwords_work(make_app, issuer, path, caplog):
    wrong = f"{issuer}{path}" if path else "http://localhost:9"
    app = make_app(oidc_issuer=wrong, oidc_client_id="portal", oidc_label="Acme ID")
    with caplog.at_level(logging.WARNING):
        page = app.get("/login/oidc?next=%2Ftickets%2F", status="*")
    assert page.status_int == 502
    assert "does not work at the moment" in page
    assert "Signing in by the identity provider failed" in caplog.text
    assert form_of(page, "/login")["next"].value == "/tickets/"
    assert app.get("/login/oidc", status="*").status_int == 502
    assert "is not asked again yet" in caplog.text
    assert try_to_sign_in(app).status_int == 303


def test_an_answer_without_a_right_code_is_a_sentence(app):
    state = parse_qs(urlsplit(go_there(app)).query)["state"][0]
    answer = app.get(f"/login/oidc/callback?state={state}&code=guessed", status="*")
    assert answer.status_int == 502
    assert not is_signed_in(app)


def test_where_nothing_else_is_wanted_the_page_has_only_the_button(portal_folder, app):
    path = portal_folder / "modules.yaml"
    path.write_text(path.read_text().replace("portal: {", "portal: {sign_in: [oidc], ", 1))
    page = app.get("/login")
    assert "email" not in form_of(page, "/login").fields
    assert "password" not in form_of(page, "/login").fields
    token = form_of(page, "/login")["_csrf"].value
    assert app.post("/login", {"_csrf": token, "email": ANNA}, status="*").status_int == 422
    assert sign_in_there(app).status_int == 303
    assert app.get("/password", status="*").status_int == 404


def test_where_nothing_else_is_wanted_an_invitation_leads_to_it(portal_folder, app, sign_in, another_browser):
    path, profile = portal_folder / "modules.yaml", portal_folder / "profiles" / "staff.yaml"
    profile.write_text(profile.read_text().replace("people: {see: all, can: [", "people: {see: all, can: [grant, ", 1))
    link = link_of(post(sign_in(NANCY), "/people/invite", email=DORA, name="Dora", profile="customer"))
    path.write_text(path.read_text().replace("portal: {", "portal: {sign_in: [oidc], ", 1))
    dora = another_browser()
    assert form_of(dora.get(link), link).submit(status=303).location == "http://localhost/login"
    assert not is_signed_in(dora)
    assert "Sign in with Acme ID" in dora.get("/login")


def test_it_leads_to_no_other_site(app):
    assert sign_in_there(app, following="//evil.example/").location == "http://localhost/"


def test_without_a_provider_there_is_no_such_page(portal_folder, make_app):
    app = make_app()
    assert "Sign in with" not in app.get("/login")
    assert app.get("/login/oidc", status="*").status_int in (303, 404)
    path = portal_folder / "modules.yaml"
    path.write_text(path.read_text().replace("portal: {", "portal: {sign_in: [oidc], ", 1))
    assert "Signing in is not possible at the moment" in app.get("/login")

"""Signing in and out, and attempts by others."""

import datetime

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from tests.functional.conftest import PASSWORD, fill_in, form_of, without_tokens

pytestmark = pytest.mark.sqlite_suffices

ANNA, NOBODY = "anna@acme.example", "nobody@acme.example"


@pytest.fixture
def app(shared_app):
    return shared_app


def try_to_sign_in(app, email=ANNA, password=PASSWORD, following="", **options):
    form = form_of(app.get(f"/login?next={following}" if following else "/login"), "/login")
    form["email"], form["password"] = email, password
    for name, value in options.items():
        form[name] = value
    return form.submit(status="*")


def change_account(app, email=ANNA, **values):
    portal = app.app.registry.live.current()
    account = portal.tables.account
    with writing(portal.engine) as connection:
        connection.execute(sa.update(account).where(account.c["email"] == email).values(values))


def is_signed_in(app):
    return app.get("/", status="*").status_int == 200


def session_cookie(app):
    return next(cookie for cookie in app.cookiejar if cookie.name.endswith("portal_session"))


def test_without_a_session_people_are_sent_to_the_sign_in_page_and_back(app):
    answer = app.get("/tickets/?q=printer", status=303)
    assert answer.location == "http://localhost/login?next=%2Ftickets%2F%3Fq%3Dprinter"
    assert (
        try_to_sign_in(app, following="%2Ftickets%2F%3Fq%3Dprinter").location == "http://localhost/tickets/?q=printer"
    )


def test_the_sign_in_page_has_what_people_look_for(app):
    page = app.get("/login")
    assert set(form_of(page, "/login").fields) >= {"email", "password", "remember", "next"}
    assert form_of(page, "/language")["language"].options
    assert page.click(href="/password/forgotten").status_int == 200


def test_an_address_is_taken_whatever_its_case(app):
    assert try_to_sign_in(app, email=" Anna@ACME.example ").status_int == 303
    assert is_signed_in(app)


def test_known_and_unknown_addresses_get_the_same_answer(app):
    known, unknown = try_to_sign_in(app, password="wrong"), try_to_sign_in(app, email=NOBODY, password="wrong")
    assert known.status_int == unknown.status_int == 422
    assert without_tokens(known).replace(ANNA, "") == without_tokens(unknown).replace(NOBODY, "")
    assert "Incorrect email or password" in known


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(app, monkeypatch):
    passwords = app.app.registry.passwords
    hasher = passwords._hasher
    verified = []

    class Counting:
        def __getattr__(self, name):
            return getattr(hasher, name)

        def verify(self, *arguments):
            verified.append(arguments[0])
            return hasher.verify(*arguments)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    try_to_sign_in(app, email=NOBODY, password="wrong")
    try_to_sign_in(app, password="wrong")
    assert len(verified) == 2
    assert hasher.check_needs_rehash(verified[0]) is False


def test_what_was_typed_stays_but_for_the_password(app):
    form = form_of(try_to_sign_in(app, password="wrong", remember=True), "/login")
    assert form["email"].value == ANNA
    assert form["remember"].checked
    assert form["password"].value == ""


def test_after_ten_wrong_passwords_even_the_right_one_waits(app, clock):
    for _attempt in range(10):
        assert try_to_sign_in(app, password="wrong").status_int == 422
    refused = try_to_sign_in(app)
    assert refused.status_int == 429
    assert int(refused.headers["Retry-After"]) > 0
    clock.pass_by(minutes=16)
    assert try_to_sign_in(app).status_int == 303


def test_victims_of_guessing_can_still_sign_in_from_elsewhere(app, another_browser):
    guesser = another_browser()
    guesser.extra_environ["REMOTE_ADDR"] = "192.0.2.7"
    for _attempt in range(11):
        guessed = try_to_sign_in(guesser, password="wrong")
    assert guessed.status_int == 429
    app.extra_environ["REMOTE_ADDR"] = "198.51.100.1"
    assert try_to_sign_in(app).status_int == 303


def test_one_network_cannot_try_all_addresses(app):
    answers = [try_to_sign_in(app, email=f"p{number}@acme.example", password="x").status_int for number in range(101)]
    assert answers[-2:] == [422, 429]


def test_the_right_password_on_a_known_device_passes_when_its_network_is_shut_out(app, another_browser, sign_in):
    owner = sign_in(ANNA)
    form_of(owner.get("/"), "/logout").submit()
    stranger = another_browser()
    for number in range(101):
        try_to_sign_in(stranger, email=f"p{number}@acme.example", password="x")
    for _attempt in range(11):
        try_to_sign_in(stranger, password="wrong")
    assert try_to_sign_in(another_browser()).status_int == 429
    assert try_to_sign_in(owner, email="bruno@acme.example").status_int == 429  # the device knows Anna alone
    assert try_to_sign_in(owner).status_int == 303


def test_a_known_device_cannot_guess_for_ever(app, sign_in):
    form_of(sign_in(ANNA).get("/"), "/logout").submit()
    answers = [try_to_sign_in(app, password="wrong").status_int for _attempt in range(11)]
    assert answers[-2:] == [422, 429]
    assert try_to_sign_in(app).status_int == 429


@pytest.mark.parametrize("forged", ["", "x", "0" * 96, "0" * 96 * 4, "0" * 96 * 5, "ü" * 96, "0" * 95])
def test_a_forged_device_is_unknown(app, forged):
    app.set_cookie("portal_device", forged)
    for _attempt in range(10):
        try_to_sign_in(app, password="wrong")
    assert try_to_sign_in(app).status_int == 429


def test_signing_out_leaves_nothing_in_the_browser(app, sign_in):
    page = sign_in(ANNA).get("/tickets/")
    assert page.headers["Cache-Control"] == "no-store"  # Back shows nothing
    answer = form_of(page, "/logout").submit()
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert not any(cookie.name == "portal_session" for cookie in app.cookiejar)


def test_right_passwords_are_not_counted(app, another_browser):
    for _time in range(12):
        assert try_to_sign_in(another_browser()).status_int == 303


@pytest.mark.parametrize("remember", [False, True])
def test_no_session_lasts_longer_than_thirty_days(make_app, clock, remember):
    app = make_app(remember_days="3650")
    try_to_sign_in(app, remember=remember)
    for _half_day in range(65):
        clock.pass_by(hours=11)
        assert is_signed_in(app)
    clock.pass_by(hours=6)
    assert not is_signed_in(app)


def test_remembered_people_stay_for_the_declared_days(app, clock):
    try_to_sign_in(app, remember=True)
    assert session_cookie(app).expires is not None
    clock.pass_by(days=29)
    assert is_signed_in(app)
    clock.pass_by(days=2)
    assert not is_signed_in(app)
    assert "session has ended" in app.get("/login")


def test_without_it_the_session_ends_with_the_browser_or_after_half_a_day_unused(app, clock):
    try_to_sign_in(app)
    assert session_cookie(app).expires is None
    for _time in range(3):
        clock.pass_by(hours=10)
        assert is_signed_in(app)
    clock.pass_by(hours=13)
    assert not is_signed_in(app)


def test_the_cookie_is_closed_to_scripts_and_other_sites(app):
    header = try_to_sign_in(app).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header


def test_under_https_the_cookie_is_secure_and_of_this_host_alone(make_app):
    app = make_app(base_url="https://care.example", development=True)
    app.extra_environ.update({"HTTP_HOST": "care.example", "wsgi.url_scheme": "https"})
    form = form_of(app.get("https://care.example/login"), "/login")
    form["email"], form["password"] = ANNA, PASSWORD
    header = form.submit(status=303).headers["Set-Cookie"]
    assert header.startswith("__Host-portal_session=")
    assert "secure" in header.lower()


def test_a_planted_session_is_not_taken_over(app):
    app.set_cookie("portal_session", "planted")
    try_to_sign_in(app)
    assert session_cookie(app).value != "planted"


def test_signing_in_again_ends_the_session_before(app, another_browser):
    try_to_sign_in(app)
    copy = another_browser()
    copy.set_cookie("portal_session", session_cookie(app).value)
    token = form_of(app.get("/"), "/logout")["_csrf"].value
    app.post("/login", {"email": ANNA, "password": PASSWORD, "_csrf": token}, status=303)
    assert not is_signed_in(copy)
    assert is_signed_in(app)


@pytest.fixture
def copied(app, another_browser, sign_in):
    """Anna's browser, and another one with a copy of her cookie."""
    sign_in(ANNA, remember=True)
    copy = another_browser()
    copy.set_cookie("portal_session", session_cookie(app).value)
    assert is_signed_in(copy)
    return copy


def test_a_copied_cookie_opens_nothing_after_signing_out(app, copied):
    form_of(app.get("/"), "/logout").submit(status=303)
    assert not is_signed_in(copied)
    assert not is_signed_in(app)


def test_a_copied_cookie_opens_nothing_for_a_disabled_account(app, copied):
    change_account(app, disabled=True)
    assert not is_signed_in(copied)
    assert "disabled" in copied.get("/login")


def test_access_begins_and_ends_on_its_days(app, clock):
    change_account(app, access_from=datetime.date(2026, 3, 6), access_until=datetime.date(2026, 3, 7))
    assert "starts on" in try_to_sign_in(app)
    clock.pass_by(days=1)
    assert try_to_sign_in(app).status_int == 303
    clock.pass_by(days=1)
    try_to_sign_in(app)
    clock.pass_by(hours=11, minutes=30)  # past midnight in the portal's zone
    assert not is_signed_in(app)
    assert "ended on" in app.get("/login")


def test_whose_profile_is_gone_is_signed_out_with_a_sentence(app, sign_in):
    sign_in(ANNA)
    change_account(app, profile="abolished")
    assert not is_signed_in(app)
    assert "no longer has a profile" in app.get("/login")


def test_whose_person_is_gone_is_signed_out_with_a_sentence(app, sign_in):
    sign_in(ANNA)
    change_account(app, person=None)
    assert not is_signed_in(app)
    assert "no longer exists here" in app.get("/login")


def test_another_profile_is_in_force_with_the_next_page(app, sign_in):
    sign_in(ANNA)
    assert "Change password" in app.get("/")
    assert "Problems" not in app.get("/-/problems", status=404)
    change_account(app, profile="staff")
    app.get("/-/problems", status=200)


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: 1", ""]
)
def test_signing_in_only_leads_to_pages_of_the_portal(app, address):
    answer = try_to_sign_in(app, next=address)
    assert answer.status_int == 303
    assert answer.location.startswith("http://localhost/")
    assert "evil" not in answer.location.removeprefix("http://localhost/%")


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(app, sign_in, clock):
    sign_in(ANNA)
    form = form_of(app.get("/tickets/create"), "/tickets/create")
    clock.pass_by(hours=13)
    answer = form.submit(headers={"Referer": "http://localhost/tickets/create"}, status=303)
    assert answer.location.startswith("http://localhost/login?next=%2Ftickets%2Fcreate%3F_draft%3D")
    assert "What you entered has been saved." in answer.follow()


def test_reading_writes_nothing(app, sign_in):
    sign_in(ANNA)
    portal = app.app.registry.live.current()

    def everything():
        with reading(portal.engine) as connection:
            return {table.name: connection.execute(sa.select(table)).all() for table in portal.tables.by_name.values()}

    before = everything()
    for address in ("/", "/tickets/", "/people/", "/password", "/search?q=x", "/-/health", "/nothing"):
        app.get(address, status="*")
    assert everything() == before


def test_nobody_keeps_pages_of_signed_in_people(app, sign_in):
    sign_in(ANNA)
    for address in ("/", "/tickets/", "/nothing"):
        assert app.get(address, status="*").headers["Cache-Control"] == "no-store"


# -- languages --------------------------------------------------------------------------------------------------------


def language(page):
    return page.html.html["lang"]


def test_the_browser_says_the_language_until_one_is_chosen(app):
    assert language(app.get("/login", headers={"Accept-Language": "it-IT,it;q=0.9,en;q=0.5"})) == "it"
    assert language(app.get("/login", headers={"Accept-Language": "xx, ;;garbage"})) == "en"
    assert language(fill_in(app, "/login", {"language": "it"}, action="/language").follow()) == "it"


def test_the_chosen_language_is_kept_with_the_account(app, another_browser, sign_in):
    fill_in(app, "/login", {"language": "it"}, action="/language")
    sign_in(ANNA)
    assert language(app.get("/")) == "it"
    assert language(sign_in(ANNA, browser=another_browser()).get("/")) == "it"


def test_an_unknown_language_changes_nothing(app):
    form = form_of(app.get("/login"), "/language")
    form["language"].force_value("tlh")
    assert language(form.submit(status=303).follow()) == "en"

"""The second factor of an account: set up, required at sign-in, recovered, turned off."""

import pyotp
import pytest
import sqlalchemy as sa

from portal.database.engine import reading
from tests.functional.conftest import PASSWORD, form_of
from tests.functional.test_passwords import NEW, ask_for_link, change_password, letters, link_in, set_password
from tests.functional.test_signing_in import ANNA, is_signed_in, try_to_sign_in

pytestmark = pytest.mark.sqlite_suffices

URL = "/account/second-factor"


@pytest.fixture
def app(shared_app):
    return shared_app


class Phone:
    """An authenticator app with a secret; its clock may be wrong."""

    def __init__(self, secret, clock):
        self.totp, self.clock = pyotp.TOTP(secret), clock

    def code(self, drift=0):
        return self.totp.at(self.clock.now, counter_offset=drift)


def set_up(browser, clock, password=PASSWORD):
    """Turns on the second factor; returns the phone and the recovery codes."""
    form = form_of(browser.get(URL), URL)
    phone = Phone(form["secret"].value.replace(" ", ""), clock)
    form["code"] = phone.code()
    if password is not None:
        form["current"] = password
    page = form.submit("do", value="on", status=200)
    clock.pass_by(seconds=30)
    return phone, page.html.find("textarea").text.split()


@pytest.fixture
def anna(app, sign_in, clock):
    """Anna's browser, with a second factor."""
    browser = sign_in(ANNA)
    browser.phone, browser.recovery = set_up(browser, clock)
    return browser


def enter_code(browser, code, address="/login/code"):
    form = form_of(browser.get(address), address)
    form["code"] = code
    return form.submit(status="*")


def test_a_code_is_asked_for_after_the_password(anna, another_browser):
    browser = another_browser()
    asked = try_to_sign_in(browser, following="%2Ftickets%2F%3Fq%3Dprinter", remember=True)
    assert asked.location == "http://localhost/login/code?next=%2Ftickets%2F%3Fq%3Dprinter&remember=true"
    assert not is_signed_in(browser)
    address = asked.location.removeprefix("http://localhost")
    refused = enter_code(browser, "000000", address)
    assert refused.status_int == 422
    assert "not correct" in refused
    assert not is_signed_in(browser)
    assert enter_code(browser, anna.phone.code(), address).location == "http://localhost/tickets/?q=printer"
    assert is_signed_in(browser)
    assert [cookie.expires is not None for cookie in browser.cookiejar if cookie.name == "portal_session"] == [True]
    assert not [cookie for cookie in browser.cookiejar if cookie.name == "portal_code"]


def test_a_code_leads_to_no_other_site(anna, another_browser):
    browser = another_browser()
    try_to_sign_in(browser)
    answer = enter_code(browser, anna.phone.code(), "/login/code?next=//evil.example/")
    assert answer.location == "http://localhost/"


def test_a_code_works_once(anna, another_browser):
    first, second = another_browser(), another_browser()
    code = anna.phone.code()
    for browser in (first, second):
        try_to_sign_in(browser)
    assert enter_code(first, code).status_int == 303
    assert enter_code(second, code).status_int == 422
    assert enter_code(second, anna.phone.code(-1)).status_int == 422  # nor does the one before it


@pytest.mark.parametrize(("drift", "status"), [(-2, 422), (-1, 303), (1, 303), (2, 422)])
def test_the_clock_of_a_phone_may_be_half_a_minute_wrong(anna, another_browser, clock, drift, status):
    clock.pass_by(minutes=2)
    browser = another_browser()
    try_to_sign_in(browser)
    assert enter_code(browser, anna.phone.code(drift)).status_int == status


def test_a_recovery_code_signs_in_once_however_it_is_typed(anna, another_browser):
    first, second = another_browser(), another_browser()
    page = try_to_sign_in(first).follow()
    assert "recovery code" in page.click("Use a recovery code")
    recovery = anna.recovery[3]
    assert enter_code(first, f" {recovery.upper()} ", "/login/code?recovery=true").status_int == 303
    try_to_sign_in(second)
    assert enter_code(second, recovery).status_int == 422
    assert "9 recovery codes are left" in first.get(URL)
    assert "Both buttons need one" in first.get(URL)


def test_new_recovery_codes_make_the_old_ones_void(anna, another_browser):
    form = form_of(anna.get(URL), URL)
    form["code"] = anna.phone.code()
    fresh = form.submit("do", value="codes", status=200).html.find("textarea").text.split()
    assert len(fresh) == 10
    browser = another_browser()
    try_to_sign_in(browser)
    assert enter_code(browser, anna.recovery[0]).status_int == 422
    assert enter_code(browser, fresh[0]).status_int == 303


def test_guessing_codes_ends_soon_and_shuts_out_no_known_device(anna, another_browser, clock):
    stranger = another_browser()
    try_to_sign_in(stranger)
    answers = [enter_code(stranger, f"{number:06}").status_int for number in range(11)]
    assert answers == [422] * 10 + [429]
    assert enter_code(stranger, anna.phone.code()).status_int == 429
    form_of(anna.get("/"), "/logout").submit()
    try_to_sign_in(anna)
    assert enter_code(anna, anna.phone.code()).status_int == 303
    clock.pass_by(minutes=15)
    try_to_sign_in(stranger)
    assert enter_code(stranger, anna.phone.code()).status_int == 303


def test_new_passwords_by_email_give_no_further_guesses_of_codes(anna, another_browser):
    stranger, answers = another_browser(), []
    for attempt in range(2):
        ask_for_link(stranger)
        new = f"{NEW} {attempt}"
        link = link_in(next(letter for letter in reversed(letters(anna)) if "/password/reset/" in letter[2]))
        set_password(stranger, link, new)
        try_to_sign_in(stranger, password=new)
        answers += [enter_code(stranger, f"{number:06}").status_int for number in range(6)]
    assert answers == [422] * 10 + [429] * 2


def test_a_code_has_to_be_entered_in_ten_minutes(anna, another_browser, clock):
    browser = another_browser()
    form = form_of(try_to_sign_in(browser).follow(), "/login/code")
    clock.pass_by(minutes=11)
    form["code"] = anna.phone.code()
    assert "took too long" in form.submit(status=303).follow()
    assert browser.get("/login/code").location == "http://localhost/login"


def test_a_changed_password_ends_a_sign_in_that_waits_for_its_code(anna, another_browser):
    browser = another_browser()
    form = form_of(try_to_sign_in(browser).follow(), "/login/code")
    change_password(anna)
    form["code"] = anna.phone.code()
    assert form.submit(status=303).location == "http://localhost/login"
    assert not is_signed_in(browser)


def test_setting_up_takes_the_password_and_a_right_code_and_keeps_the_key(app, sign_in, clock, another_browser):
    sign_in(ANNA)
    form = form_of(app.get(URL), URL)
    secret, right = form["secret"].value, Phone(form["secret"].value.replace(" ", ""), clock).code()
    for code, password in (("123", PASSWORD), (right, "wrong")):
        form["code"], form["current"] = code, password
        refused = form.submit("do", value="on", status=422)
        assert form_of(refused, URL)["secret"].value == secret
    assert try_to_sign_in(another_browser()).location == "http://localhost/"


def test_the_key_is_never_shown_again_nor_the_recovery_codes_stored(anna):
    page = anna.get(URL)
    assert "secret" not in form_of(page, URL).fields
    assert anna.phone.totp.secret not in page
    portal = anna.app.registry.live.current()
    with reading(portal.engine) as connection:
        stored = connection.execute(sa.select(portal.tables.recovery_code.c["code"])).scalars().all()
    assert len(stored) == 10
    assert not set(stored) & set(anna.recovery)


def test_turning_it_off_requires_a_code_and_is_announced_by_email(anna, another_browser):
    form = form_of(anna.get(URL), URL)
    form["code"] = "000000"
    assert form.submit("do", value="off", status=422)
    form["code"] = anna.phone.code()
    assert "is off" in form.submit("do", value="off", status=303).follow()
    subjects = [subject for _to, subject, _text in letters(anna)]
    assert subjects == ["Two-factor authentication was turned on", "Two-factor authentication was turned off"]
    assert try_to_sign_in(another_browser()).location == "http://localhost/"

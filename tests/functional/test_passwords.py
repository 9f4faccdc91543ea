"""Passwords: changed by their owner, forgotten, reset with a link; and the letters about them."""

import re
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.mail.letter_text import read_letter
from tests.functional.conftest import PASSWORD, fill_in, form_of
from tests.functional.test_signing_in import ANNA, NOBODY, change_account, is_signed_in, session_cookie, try_to_sign_in

pytestmark = pytest.mark.sqlite_suffices

NEW = "a wholly different phrase"


@pytest.fixture
def app(shared_app):
    return shared_app


def letters(app):
    """The letters in the outbox, oldest first: (to, subject, text)."""
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        rows = connection.execute(sa.select(portal.tables.outbox).order_by(portal.tables.outbox.c["id"])).mappings()
        return [(row["recipient"], row["subject"], read_letter(row["message"])) for row in rows]


def change_password(app, current=PASSWORD, new=NEW, confirm=NEW):
    return fill_in(app, "/password", {"current": current, "new": new, "confirm": confirm}, status="*")


def ask_for_link(app, email=ANNA):
    return fill_in(app, "/password/forgotten", {"email": email}, status="*")


def link_in(letter):
    return re.search(r"http://localhost(/password/reset/\S+)", letter[2])[1]


def set_password(app, link, new=NEW):
    return fill_in(app, link, {"new": new, "confirm": new}, status="*")


# -- changing ---------------------------------------------------------------------------------------------------------


def test_a_changed_password_is_the_only_one_that_opens(app, sign_in):
    sign_in(ANNA)
    assert change_password(app).location == "http://localhost/"
    assert "Password changed" in app.get("/")
    assert "Password changed" not in app.get("/")
    form_of(app.get("/"), "/logout").submit()
    assert try_to_sign_in(app).status_int == 422
    assert try_to_sign_in(app, password=NEW).status_int == 303


def test_a_changed_password_signs_out_every_other_browser(app, another_browser, sign_in):
    sign_in(ANNA)
    old, elsewhere = session_cookie(app).value, sign_in(ANNA, browser=another_browser())
    change_password(app)
    assert is_signed_in(app)
    assert not is_signed_in(elsewhere)
    copy = another_browser()
    copy.set_cookie("portal_session", old)
    assert not is_signed_in(copy)


def test_a_changed_password_is_announced_by_letter_immediately(app, sign_in):
    sign_in(ANNA)
    change_password(app)
    [(to, subject, text)] = letters(app)
    assert to == "Anna Rossi <anna@acme.example>"
    assert subject == "Your password was changed"
    assert NEW not in text
    assert PASSWORD not in text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"current": "wrong"}, "password is incorrect"),
        ({"confirm": "another phrase here"}, "passwords do not match"),
        ({"new": "short", "confirm": "short"}, "at least 10 characters"),
        ({"new": "password123", "confirm": "password123"}, "too easy to guess"),
        ({"new": ANNA, "confirm": ANNA}, "as your password"),
        ({"new": PASSWORD, "confirm": PASSWORD}, "differs from your current one"),
    ],
)
def test_a_password_is_refused_at_its_field(app, sign_in, typed, sentence):
    sign_in(ANNA)
    answer = change_password(app, **typed)
    assert answer.status_int == 422
    assert sentence in answer
    assert letters(app) == []


def test_a_right_current_password_does_not_count_as_guessed(app, sign_in):
    sign_in(ANNA)
    assert {change_password(app, new="short").status_int for _time in range(11)} == {422}


def test_the_current_password_cannot_be_guessed_in_an_unattended_browser(app, sign_in):
    sign_in(ANNA)
    answers = [change_password(app, current="wrong").status_int for _attempt in range(11)]
    assert answers[-2:] == [422, 429]
    assert change_password(app).status_int == 429


def test_a_generated_password_leads_to_the_change_form_and_nowhere_else(app):
    change_account(app, must_change=True)
    assert try_to_sign_in(app, following="%2Ftickets%2F").location == "http://localhost/password"
    for address in ("/", "/tickets/", "/tickets/create", "/nothing", "/search?q=x", "/-/problems"):
        assert app.get(address, status=303).location == "http://localhost/password"
    page = app.get("/password")
    assert ANNA in page
    assert "/tickets/" not in page
    form = form_of(page, "/password")
    form["new"] = form["confirm"] = NEW
    assert form.submit(status=303).location == "http://localhost/"
    assert is_signed_in(app)


# -- forgotten --------------------------------------------------------------------------------------------------------


def test_known_and_unknown_addresses_read_the_same(app, another_browser):
    known, unknown = ask_for_link(app), ask_for_link(another_browser(), NOBODY)
    assert (known.status, known.location, known.text) == (unknown.status, unknown.location, unknown.text)
    assert "If this address has an account" in known.follow()
    assert [to for to, _subject, _text in letters(app)] == ["Anna Rossi <anna@acme.example>"]


def test_the_link_sets_a_new_password_once(app, another_browser, sign_in):
    elsewhere = sign_in(ANNA, browser=another_browser())
    ask_for_link(app)
    link = link_in(letters(app)[0])
    assert set_password(app, link).location == "http://localhost/login"
    assert "Password changed" in app.get("/login")
    assert not is_signed_in(elsewhere)
    assert try_to_sign_in(app, password=NEW).status_int == 303
    assert "already been used" in app.get(link, status=404)
    assert letters(app)[-1][1] == "Your password was changed"


def test_a_form_opened_before_the_link_was_used_sets_nothing(app, another_browser):
    ask_for_link(app)
    link = link_in(letters(app)[0])
    late = form_of(another_browser().get(link), link)
    set_password(app, link)
    late["new"] = late["confirm"] = "someone else's phrase"
    late.submit(status=404)
    assert try_to_sign_in(app, password=NEW).status_int == 303


def test_looking_at_the_link_does_not_use_it_up(app):
    ask_for_link(app)
    link = link_in(letters(app)[0])
    for _look in range(3):
        app.get(link, status=200)
        app.head(link, status=200)
    assert set_password(app, link).status_int == 303


def test_a_refused_password_does_not_use_the_link_up(app):
    ask_for_link(app)
    link = link_in(letters(app)[0])
    assert set_password(app, link, new="short").status_int == 422
    assert set_password(app, link).status_int == 303


def test_the_link_expires_within_an_hour(app, clock):
    ask_for_link(app)
    clock.pass_by(minutes=61)
    app.get(link_in(letters(app)[0]), status=404)


def test_a_used_link_voids_the_others(app):
    ask_for_link(app)
    ask_for_link(app)
    first, second = map(link_in, letters(app))
    set_password(app, second)
    app.get(first, status=404)


def test_a_link_made_for_something_else_sets_no_password(app):
    ask_for_link(app)
    portal = app.app.registry.live.current()
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.link).values(purpose="invitation"))
    app.get(link_in(letters(app)[0]), status=404)


def test_no_one_gets_more_than_three_letters_an_hour_from_one_network(app, clock):
    for email in (ANNA, NOBODY):
        assert [ask_for_link(app, email).status_int for _time in range(5)] == [303, 303, 303, 429, 429]
    assert len(letters(app)) == 3
    clock.pass_by(minutes=61)
    ask_for_link(app)
    assert len(letters(app)) == 4


def test_a_stranger_does_not_use_up_the_letters_of_the_owner(app, another_browser, sign_in):
    owner, stranger = sign_in(ANNA), another_browser()
    for network in range(30):  # each may ask for one
        stranger.extra_environ["REMOTE_ADDR"] = f"192.0.2.{network}"
        ask_for_link(stranger)
    assert len(letters(app)) == 12
    form_of(owner.get("/"), "/logout").submit()
    ask_for_link(owner)  # by a device that has signed in before
    assert len(letters(app)) == 13


def test_a_stranger_in_the_same_network_does_not_either(app, another_browser, sign_in):
    owner, stranger = sign_in(ANNA), another_browser()
    for _time in range(5):
        ask_for_link(stranger)
    form_of(owner.get("/"), "/logout").submit()
    ask_for_link(owner)
    assert len(letters(app)) == 4


def test_the_work_is_the_same_for_addresses_without_an_account(app, another_browser):
    statements = []
    engine = app.app.registry.live.current().engine
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2].partition(" -- ")[0]))
    done = []
    change_account(app, "carla@globex.example", disabled=True)
    for email in (ANNA, NOBODY, "carla@globex.example", "bruno@acme.example"):
        ask_for_link(another_browser(), email)  # before: whatever is done once is done
        browser = another_browser()
        browser.get("/password/forgotten")
        statements.clear()
        ask_for_link(browser, email)
        done.append(list(statements))
    assert done[0]
    assert done[0] == done[1] == done[2] == done[3]


def test_a_disabled_account_gets_no_link(app):
    change_account(app, disabled=True)
    assert ask_for_link(app).status_int == 303
    assert letters(app) == []


def test_the_database_keeps_no_token_that_opens_anything(app, sign_in):
    sign_in(ANNA)
    ask_for_link(app)
    token = link_in(letters(app)[0]).rpartition("/")[2]
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        kept = str(
            [connection.execute(sa.select(table)).all() for table in (portal.tables.link, portal.tables.session)]
        )
        hashed = connection.execute(sa.select(portal.tables.account.c["password"])).scalars().all()
    assert token not in kept
    assert session_cookie(app).value not in kept
    assert all(each.startswith("$argon2id$") for each in hashed)


def test_letters_are_written_in_the_language_of_their_recipient(app, sign_in):
    change_account(app, language="it")
    ask_for_link(app)
    _to, _subject, text = letters(app)[0]
    assert "Small Portal" in text


@pytest.mark.parametrize("headers", [{"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "https"}])
def test_the_link_has_the_portals_own_address(make_app, headers):
    app = make_app(base_url="http://care.example", development=True)
    form = form_of(app.get("/password/forgotten"), "/password/forgotten")
    form["email"] = ANNA
    form.submit(headers=headers, status="*")
    written = letters(app)
    assert "http://care.example/password/reset/" in written[0][2]
    assert "evil" not in written[0][2]


def test_in_development_letters_are_read_on_a_page(app, caplog):
    caplog.set_level("INFO")
    ask_for_link(app)
    link = link_in(letters(app)[0])
    token = link.rpartition("/")[2]
    assert "/password/reset/…" in caplog.text
    assert token not in caplog.text
    page = app.get("/-/outbox")
    assert "Set a new password" in page
    page = page.click(href="letter=")
    assert "/password/reset/…" in page
    assert token not in page
    assert link in page.click("Show the links")


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "https://care.example"},
        {"base_url": "https://care.example", "on_loopback": False, "development": True},
        {"on_loopback": False},
    ],
)
@pytest.mark.parametrize("address", [None, "127.0.0.1", "::1"])
def test_elsewhere_only_administrators_read_them(make_app, settings, address):
    app = make_app(**settings)
    host = urlsplit(settings.get("base_url", "http://localhost"))
    app.extra_environ.update({"HTTP_HOST": host.netloc, "wsgi.url_scheme": host.scheme})
    if address:
        app.extra_environ["REMOTE_ADDR"] = address
    assert "/login" in app.get("/-/outbox", status=303).location


def test_administrators_read_letters_without_their_links(make_app, clock):
    app = make_app(on_loopback=False, administrators="staff")
    ask_for_link(app)
    token = link_in(letters(app)[0]).rpartition("/")[2]
    fill_in(app, "/login", {"email": "nancy@supplier.example", "password": PASSWORD})
    page = app.get("/-/outbox?letter=1")
    assert "/password/reset/…" in page
    assert token not in page
    assert 'href="/-/outbox"' in app.get("/")
    assert 'href="/-/problems"' in app.get("/")


def test_no_link_is_promised_where_no_email_can_be_sent(make_app):
    app = make_app(base_url="https://care.example", support_address="help@care.example")
    app.extra_environ.update({"HTTP_HOST": "care.example", "wsgi.url_scheme": "https"})
    page = app.get("/password/forgotten")
    assert "help@care.example" in page
    assert not [form for form in page.forms.values() if form.action == "/password/forgotten"]
    token = form_of(app.get("/login"), "/login")["_csrf"].value
    app.post("/password/forgotten", {"_csrf": token, "email": ANNA}, status=303)
    assert letters(app) == []


def test_a_link_is_promised_where_email_is_sent(make_app):
    app = make_app(base_url="https://care.example", smtp="smtp://mail.example")
    app.extra_environ.update({"HTTP_HOST": "care.example", "wsgi.url_scheme": "https"})
    page = app.get("/password/forgotten")
    assert "We will email you a link" in page
    form = form_of(page, "/password/forgotten")
    form["email"] = ANNA
    sent = form.submit(status=303).follow()
    assert "Check your email" in sent
    assert form_of(sent.click("Use another address"), "/password/forgotten")
    assert [letter[0] for letter in letters(app)] == [f"Anna Rossi <{ANNA}>"]

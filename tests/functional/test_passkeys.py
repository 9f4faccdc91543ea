"""Passkeys without a device: who may request what, and that forgeries are refused. tests/browser has the device."""

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from tests.functional.conftest import PASSWORD, form_of, served
from tests.functional.test_accounts import account as account
from tests.functional.test_passwords import letters
from tests.functional.test_signing_in import ANNA, is_signed_in
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices

OPTIONS = "/account/passkey-options"
WITH_PASSKEYS = "portal: {sign_in: [password, passkey], "


@pytest.fixture(scope="module")
def small_portal(request):
    with served(request, lambda folder: change(folder, "portal: {", WITH_PASSKEYS)) as portal:
        yield portal


@pytest.fixture
def app(shared_app):
    return shared_app


@pytest.fixture
def database(app):
    return str(app.app.registry.live.engine.url)


def posted(browser, address, page="/account/", **inputs):
    token = browser.get(page).html.find("input", attrs={"name": "_csrf"})["value"]
    return browser.post(address, {"_csrf": token, **inputs}, status="*")


def stored(app, email=ANNA, name="My key"):
    """Stores a passkey; returns its id."""
    portal = app.app.registry.live.current()
    tables = portal.tables
    with writing(portal.engine) as connection:
        owner = connection.execute(sa.select(tables.account.c["id"]).where(tables.account.c["email"] == email)).scalar()
        row = {"account": owner, "credential": f"{email} {name}", "public_key": "", "sign_count": 0, "name": name}
        insert = sa.insert(tables.passkey).values(**row, created=app.app.registry.clock())
        return connection.execute(insert.returning(tables.passkey.c["id"])).scalar_one()


def names(app):
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        return connection.execute(sa.select(portal.tables.passkey.c["name"])).scalars().all()


def test_a_new_one_takes_the_password_and_is_for_this_site_and_its_owner_on_a_device_that_asks(app, sign_in):
    sign_in(ANNA)
    refused = posted(app, OPTIONS, current="wrong")
    assert (refused.status_int, refused.json) == (422, {"error": "Current password is incorrect."})
    options = posted(app, OPTIONS, current=PASSWORD).json
    assert (options["rp"]["id"], options["user"]["name"]) == ("localhost", ANNA)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert posted(app, OPTIONS, current=PASSWORD).json["challenge"] != options["challenge"]


@pytest.mark.parametrize(
    "answer",
    [
        "", "{", "[]", "{}", "null", '{"id": 1, "response": 2}', '{"response": {"clientDataJSON": "!"}}', "x" * 30_000,
        "[" * 15_000,
    ],
)  # fmt: skip
def test_what_no_device_has_said_is_a_sentence(app, sign_in, another_browser, answer):
    page = posted(another_browser(), "/login/passkey", "/login", credential=answer)
    assert page.status_int == 422
    assert "cannot be used here" in page
    sign_in(ANNA)
    page = posted(app, "/account/passkey", name="My key", credential=answer)
    assert page.status_int == 422
    assert "did not create a passkey" in page
    assert form_of(page, "/account/passkey")["name"].value == "My key"
    assert names(app) == []


def test_options_for_signing_in_tell_nothing_about_accounts(app):
    stored(app)
    options = posted(app, "/login/passkey-options", "/login").json
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"


def test_asking_for_options_without_end_is_refused(app):
    assert posted(app, "/login/passkey-options", "/login").status_int == 200
    with writing(app.app.registry.live.current().engine) as connection:
        connection.execute(sa.text("UPDATE portal_attempt SET count = 200 WHERE key LIKE 'passkey:%'"))
    refused = posted(app, "/login/passkey-options", "/login")
    assert refused.status_int == 429
    assert refused.json["error"]


def test_only_its_owner_renames_and_removes_one_and_is_notified(app, sign_in, another_browser):
    passkey = stored(app)
    carla = sign_in("carla@globex.example", browser=another_browser())
    for do in ("rename", "remove"):
        assert posted(carla, "/account/passkeys", passkey=passkey, do=do, name="Mine").status_int == 404
    sign_in(ANNA)
    posted(app, "/account/passkeys", passkey=passkey, do="rename", name=" Anna's key ")
    assert names(app) == ["Anna's key"]
    posted(app, "/account/passkeys", passkey=passkey, do="remove")
    assert "No passkeys" in app.get("/account/")
    assert letters(app)[-1][1] == "A passkey was removed"


@pytest.mark.parametrize("words", [("reset", ANNA), ("set", ANNA, "--email", "anna@elsewhere.example")])
def test_a_reset_and_another_address_end_all_passkeys_of_an_account(app, account, words):
    stored(app)
    stored(app, "carla@globex.example", "Carla's")
    assert account(*words).exit_code == 0
    assert names(app) == ["Carla's"]


def test_where_they_are_not_offered_there_are_none(make_app, portal_folder, sign_in):
    path = portal_folder / "modules.yaml"
    path.write_text(path.read_text().replace("sign_in: [password, passkey]", "sign_in: [password]", 1))
    app = make_app()
    sign_in(ANNA, browser=app)
    assert "Passkeys" not in app.get("/account/")
    for address in ("/account/passkey", "/account/passkeys", OPTIONS, "/login/passkey", "/login/passkey-options"):
        assert posted(app, address).status_int == 404
    assert is_signed_in(app)

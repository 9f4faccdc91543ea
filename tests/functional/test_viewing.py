"""An administrator views the portal as someone else: read-only, recorded in the history, and with a way back."""

import pytest
import sqlalchemy as sa

from tests.functional.conftest import fill_in, form_of
from tests.functional.test_signing_in import ANNA, change_account

NANCY = "nancy@supplier.example"
BRUNO = "bruno@acme.example"


def view(browser, **inputs):
    """Starts viewing the portal with `account` (an address) or `profile`; returns the answer."""
    page = browser.get("/-/view-as")
    forms = [form for form in page.forms.values() if form.method.upper() == "POST" and form.action == "/-/view-as"]
    if "@" in inputs.get("account", ""):
        engine = browser.app.registry.live.engine
        with engine.connect() as connection:
            query = sa.text("SELECT id FROM portal_account WHERE email = :email")
            inputs["account"] = str(connection.execute(query, {"email": inputs["account"]}).scalar())
    return browser.post("/-/view-as", {"_csrf": forms[0]["_csrf"].value, **inputs}, status="*")


def rows(browser):
    """Every row of the database except sessions."""
    engine = browser.app.registry.live.engine
    with engine.connect() as connection:
        names = [name for name in sa.inspect(engine).get_table_names() if name != "portal_session"]
        return {name: connection.execute(sa.text(f'SELECT * FROM "{name}"')).all() for name in names}  # noqa: S608


def leave(browser):
    return form_of(browser.get("/"), "/logout").submit(status=303)


@pytest.fixture
def app(shared_app):
    return shared_app


@pytest.fixture
def nancy(sign_in):
    """Nancy, an administrator, and a ticket by Anna."""
    anna = sign_in(ANNA)
    fill_in(anna, "/tickets/create", {"title": "Printer"})
    form_of(anna.get("/"), "/logout").submit()
    return sign_in(NANCY)


def test_an_administrator_sees_what_the_person_sees_with_a_banner_on_every_page(nancy):
    assert view(nancy, account=ANNA).status_int == 303
    for path in ("/", "/tickets/", "/tickets/1/", "/tickets/create", "/account/", "/search?q=printer", "/nothing"):
        page = nancy.get(path, status="*")
        assert "You are viewing the portal as Anna Rossi (Customer)" in page
        assert "Leave preview" in page
    assert nancy.get("/organizations/", status="*").status_int == 200
    assert "Globex" not in nancy.get("/organizations/")
    assert nancy.get("/-/problems", status=404)


def test_a_page_that_is_not_found_says_why_to_the_administrator_alone(nancy, sign_in, another_browser):
    view(nancy, account="carla@globex.example")
    page = nancy.get("/tickets/1/", status=404)
    assert "“see: own” does not cover T1 for this person" in page
    assert "profiles/customer.yaml:3<" in page
    assert "see: own" in page

    assert "“can” does not grant create" in nancy.get("/articles/create", status=404)
    assert "There is no such record" in nancy.get("/tickets/999/", status=404)
    leave(nancy)
    for browser in (nancy, sign_in("carla@globex.example", browser=another_browser())):
        assert "Why it is not found" not in browser.get("/tickets/999/", status=404)


def test_who_sees_a_record_and_why_and_what_a_person_sees(nancy, app):
    change_account(app, "carla@globex.example", disabled=True)
    page = nancy.get("/tickets/1/").click("Who can see this")
    can, cannot = page.text.split("Those who cannot")
    assert [name in can for name in ("Anna Rossi", "Bruno Verdi", "Nancy Smith")] == [True] * 3
    assert "profiles/customer.yaml:3<" in can
    assert "Your account has been disabled" in cannot
    asked = page.forms[next(key for key, form in page.forms.items() if form.action == "/-/explain")]
    asked["what"] = "delete"
    can, cannot = asked.submit().text.split("Those who cannot")
    assert "Nancy Smith" in can
    assert "Bruno Verdi" in cannot
    person = nancy.get("/people/1/").click("What they can see")
    assert "Their own" in person
    for address in ("module=tickets&id=999", "module=nothing&record=T1", "module=tickets&record=nothing"):
        assert "There is no such record" in nancy.get(f"/-/explain?{address}")


def test_nothing_is_written_in_a_preview_whatever_is_sent(nancy):
    view(nancy, account=ANNA)
    page, before = nancy.get("/tickets/1/"), rows(nancy)
    token = form_of(page, "/logout")["_csrf"].value
    posted = {"_csrf": token, "title": "Changed", "text": "Hello", "_form": "tickets/create/abcdefgh", "language": "it"}
    for path in ("/tickets/create", "/tickets/1/edit", "/tickets/1/comments", "/tickets/1/hide", "/tickets/1/seen",
                 "/tickets/seen", "/tickets/1/move/resolve", "/tickets/bulk", "/account/drafts", "/account/letters",
                 "/account/sign-out", "/password", "/login", "/language", "/-/view-as", "/nothing"):  # fmt: skip
        refused = nancy.post(path, posted, status=403)
        assert "nothing can be changed or sent" in refused
    assert nancy.delete("/tickets/1/", status="*").status_int == 403
    for page in ("/", "/tickets/", "/tickets/1/", "/tickets/create", "/tickets/1/history", "/account/", "/password"):
        nancy.get(page)
    assert rows(nancy) == before


def test_signing_out_leads_out_of_the_view_which_the_history_of_the_person_tells(nancy):
    view(nancy, account=ANNA)
    form = form_of(nancy.get("/tickets/create"), "/tickets/create")
    form["title"] = "Written as Anna"
    assert leave(nancy).location.endswith("/people/1/")
    page = nancy.get("/people/1/history")
    assert "Leave preview" not in page
    assert "Portal viewed as this person" in page
    assert "This form has expired" in form.submit(status=400), "a form of the preview is worth nothing behind it"


def test_what_is_someone_elses_alone_is_not_shown(nancy, sign_in, another_browser):
    anna = sign_in(ANNA, browser=another_browser())
    form = form_of(anna.get("/tickets/1/"), "/tickets/1/comments")
    drafted = {name: field[0].value for name, field in form.fields.items() if name and name.startswith("_")}
    anna.post("/account/drafts", {**drafted, "_form": "tickets/1/comments", "text": "Half a sentence"})
    assert "Half a sentence" in anna.get("/tickets/1/")
    view(nancy, account=ANNA)
    for path in ("/tickets/1/", "/account/"):
        assert "Half a sentence" not in nancy.get(path)
    assert "This device" not in nancy.get("/account/")


def test_a_profile_is_seen_as_nobody_in_particular(nancy):
    assert view(nancy, profile="customer").status_int == 303
    page = nancy.get("/tickets/")
    assert "You are viewing the portal with the profile Customer" in page
    assert "Printer" not in page
    assert leave(nancy).location.endswith("/-/view-as")
    assert "Portal viewed with the profile" in nancy.get("/-/history?module=people")


def test_people_to_be_seen_as_stand_in_the_order_of_the_alphabet(nancy, app):
    change_account(app, ANNA, name="Łucja Rossi")
    names = [name.get_text() for name in nancy.get("/-/view-as").html.select(".who strong a")]
    assert names == ["Bruno Verdi", "Carla Neri", "Łucja Rossi", "Nancy Smith"]


def test_only_who_can_sign_in_and_profiles_can_be_seen_as(nancy, app):
    change_account(app, BRUNO, disabled=True)
    for inputs in ({}, {"account": "nobody@x.example"}, {"profile": "nothing"}, {"account": NANCY}, {"account": BRUNO}):
        assert view(nancy, **inputs).status_int == 422
        assert "Leave preview" not in nancy.get("/")


@pytest.mark.parametrize(("email", "values"), [(ANNA, {"disabled": True}), (NANCY, {"profile": "power"})])
def test_a_view_ends_with_the_account_and_with_the_right_to_administer(nancy, app, email, values):
    view(nancy, account=ANNA)
    change_account(app, email, **values)
    page = nancy.get("/tickets/")
    assert "The preview has ended" in page
    assert "Leave preview" not in page
    assert "The preview has ended" not in nancy.get("/")


def test_a_view_ends_after_an_hour_and_its_forms_are_worth_nothing_then(nancy, clock):
    view(nancy, account=ANNA)
    form = form_of(nancy.get("/tickets/create"), "/tickets/create")
    form["title"] = "Written as Anna"
    clock.pass_by(minutes=61)
    assert "This form has expired" in form.submit(status=400)
    assert "Written as Anna" not in nancy.get("/tickets/?tab=all")
    assert "Leave preview" not in nancy.get("/")


def test_only_an_administrator_may(sign_in):
    bruno = sign_in(BRUNO)
    assert bruno.get("/-/view-as", status=404)
    token = form_of(bruno.get("/"), "/logout")["_csrf"].value
    assert bruno.post("/-/view-as", {"_csrf": token, "account": "1"}, status=404)


def test_the_map_draws_modules_and_links_and_says_who_may_do_what(nancy):
    page = nancy.get("/-/map")
    boxes = {link["href"]: link.text for link in page.html.select("svg a")}
    assert set(boxes) == {"#module-tickets", "#module-articles", "#module-people", "#module-organizations"}
    assert "caller" in boxes["#module-tickets"]
    assert "city" not in boxes["#module-tickets"], "a lookup is no link"
    paths = page.html.select("svg > g path")
    assert len(paths) == 4
    assert len([path for path in paths if "decides" in path.get("class", [])]) == 3
    cells = [cell.get_text(" ", strip=True) for cell in page.html.select("#module-articles td")]
    assert cells[0].startswith("All published: true see")
    assert "Not available" not in cells[0]
    assert "create" in cells[2]


def test_ids_that_no_account_has_are_nobodys(make_app, sign_in):
    nancy = sign_in(NANCY, browser=make_app())
    for address in ("/-/explain?account=", "/-/explain?module=tickets&id=", "/-/outbox?letter="):
        assert nancy.get(f"{address}{'9' * 18}").status_int == 200
    assert view(nancy, account="9" * 18).status_int == 422

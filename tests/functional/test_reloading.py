"""The portal in force, while its YAML changes under it."""

import os
import re
import shutil
import threading

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply, plan
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.records.indexing.backlog import running_threads
from portal.web.live import StartupError
from tests.functional.conftest import PASSWORD, fill_in, form_of, without_tokens
from tests.functional.test_signing_in import ANNA
from tests.portal_files import change

NANCY = "nancy@supplier.example"


def signed_in(browser, email):
    fill_in(browser, "/login", {"email": email, "password": PASSWORD})
    return browser


@pytest.mark.sqlite_suffices
def test_a_changed_label_is_on_the_next_page(app, portal_folder, sign_in):
    sign_in(ANNA)
    change(portal_folder, "label: Knowledge base", "label: Good to know")
    assert "Good to know" in app.get("/")


@pytest.mark.sqlite_suffices
def test_files_are_looked_at_as_often_as_is_set(make_app, portal_folder):
    seldom, often = make_app(reload_every=3600), make_app(reload_every=0)
    change(portal_folder, "name: Small Portal", "name: Other Portal")
    assert "Other Portal" in often.get("/login")
    assert "Other Portal" not in seldom.get("/login")


def test_a_new_field_has_its_column_at_once_in_development(app, portal_folder, sign_in):
    sign_in(ANNA)
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    app.get("/tickets/")
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        connection.execute(sa.select(portal.tables.module("tickets").c["floor"]))


@pytest.mark.sqlite_suffices
def test_addresses_from_before_a_module_was_renamed_lead_to_where_it_is_now(app, portal_folder, sign_in):
    anna = sign_in(ANNA)
    for file in (
        "modules.yaml",
        "buttons.yaml",
        "profiles/customer.yaml",
        "profiles/power.yaml",
        "profiles/staff.yaml",
    ):
        path = portal_folder / file
        path.write_text(re.sub(r"\barticles\b", "guides", path.read_text()))
    change(portal_folder, "  guides:\n", "  guides:\n    formerly: articles\n")
    assert anna.get("/articles/7/?q=a%2Fb", status=303).location.endswith("/guides/7/?q=a%2Fb")
    assert anna.get("/articles", status=303).location.endswith("/guides")
    anna.post("/articles/", status=404)
    anna.get("/tickets/articles", status=404)


@pytest.mark.sqlite_suffices
def test_a_module_taken_from_a_profile_is_gone_with_the_next_request(app, portal_folder, sign_in):
    sign_in(ANNA)
    app.get("/articles/", status=200)
    change(portal_folder, "  articles: {where: {published: true}}\n", "", "profiles/customer.yaml")
    change(portal_folder, ", article]", "]", "profiles/customer.yaml")
    change(portal_folder, ", find_answer]", "]", "profiles/customer.yaml")
    app.get("/articles/", status=404)


@pytest.mark.sqlite_suffices
def test_broken_yaml_changes_nothing_for_customers_and_tells_administrators(
    app, another_browser, portal_folder, sign_in
):
    sign_in(ANNA)
    nancy = sign_in(NANCY, browser=another_browser())
    before = without_tokens(app.get("/articles/"))
    change(portal_folder, "label: Knowledge base", "label: [broken")
    assert without_tokens(app.get("/articles/")) == before
    assert "last valid version is in use" in nancy.get("/")
    assert "modules.yaml:" in nancy.get("/-/problems")
    change(portal_folder, "label: [broken", "label: Mended")
    assert "Mended" in app.get("/articles/")
    assert "last valid version is in use" not in nancy.get("/")


@pytest.mark.sqlite_suffices
def test_a_wrong_name_is_told_with_its_place(app, portal_folder, sign_in):
    sign_in(NANCY)
    change(portal_folder, "languages: [en, it]", "languages: [en, it, de]")  # a warning, of a line before
    change(portal_folder, "columns: [reference, title,", "columns: [reference, titel,")
    page = app.get("/-/problems")
    article, warning = page.html.find_all("article")
    assert warning.find(class_="cure").find("code").get_text() == "portal texts"
    assert article.find(class_="pill").get_text() == "Error"
    assert article.find("h2").get_text() == 'No field "titel"'
    assert article.find(class_="hit").get_text().strip().startswith("columns: [reference, titel,")
    caret = article.find(class_="caret").get_text()
    assert article.find(class_="hit").get_text()[caret.index("^") :].startswith("titel")
    assert article.find(class_="cure").get_text() == 'Write "title"'
    explained = page.click("P201")
    assert "There is no such field" in explained.html.find("h1")
    assert ["titel" in pre.get_text() for pre in explained.html.find_all("pre")] == [True, False]
    app.get("/-/problems?code=P999", status=404)
    rows = page.html.select(".split aside li")
    listed = {row.find(class_="spot").get_text(): row.get_text(" ", strip=True) for row in rows}
    assert listed["modules.yaml"] == "modules.yaml Errors : 1 Warnings : 1"
    assert listed["buttons.yaml"] == "buttons.yaml Valid"


@pytest.mark.sqlite_suffices
def test_a_name_that_appears_twice_is_shown_with_the_first(app, portal_folder, sign_in):
    sign_in(NANCY)
    change(portal_folder, "      cost: money\n", "      cost: money\n      cost: money\n")
    figure = app.get("/-/problems").html.find("figure")
    assert figure.find("figcaption").get_text().startswith("First defined here: modules.yaml:")
    assert figure.find(class_="seen").get_text() == "      cost: money"


def test_no_request_fails_while_files_change(app, another_browser, portal_folder, sign_in):
    browsers = [sign_in(ANNA, browser=another_browser()) for _number in range(4)]
    answers, stop, answered = [], threading.Event(), threading.Semaphore(0)

    def visit(browser):
        try:
            while not stop.is_set():
                answers.append(browser.get("/tickets/", status="*").status_int)
                answered.release()
        finally:
            answered.release(1_000)  # nobody waits for a thread that has ended

    threads = [threading.Thread(target=visit, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    text = (portal_folder / "modules.yaml").read_text(encoding="utf-8")
    for number in range(10):
        broken = text.replace("label: Knowledge base", "label: [broken" if number % 2 else f"label: Number {number}")
        (portal_folder / "modules.yaml").write_text(broken, encoding="utf-8")
        for _answer in range(8):
            answered.acquire()
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {200}


@pytest.mark.sqlite_suffices
def test_a_portal_with_broken_yaml_does_not_start_and_says_why(make_app, portal_folder):
    change(portal_folder, "label: Knowledge base", "label: [broken")
    with pytest.raises(StartupError, match=r"modules\.yaml:\d+"):
        make_app()


def test_a_request_whose_tables_change_under_it_is_tried_again_with_the_new_ones(
    app, database, portal_folder, sign_in, caplog
):
    nancy = sign_in(NANCY)
    nancy.get("/tickets/")
    form = form_of(nancy.get("/tickets/create"), "/tickets/create")
    form["title"], form["description"] = "Printer", "smokes"
    live = app.app.registry.live
    live.every, live.whole_after = 3600, 0  # a process that has not noticed yet
    change(portal_folder, "      cost: money", "      costs: {type: money, formerly: cost}")
    elsewhere = make_engine(database)
    assert any("rename" in sentence for sentence in apply(elsewhere, build(load(portal_folder).declaration)).done)
    elsewhere.dispose()
    form.submit(status=303)
    assert "Printer" in nancy.get("/tickets/", status=200)
    assert "costs" in live.current().declaration.modules["tickets"].fields
    assert "ERROR" not in [record.levelname for record in caplog.records]


@pytest.mark.sqlite_suffices
def test_a_process_that_starts_with_broken_files_serves_the_last_valid_ones(make_app, portal_folder, caplog):
    change(portal_folder, "label: Knowledge base", "label: Good to know")
    make_app().app.registry.live.close()
    change(portal_folder, "label: Good to know", "label: [broken")
    (portal_folder / "profiles" / "power.yaml").unlink()
    caplog.clear()
    nancy = signed_in(make_app(), NANCY)
    assert {record.levelname for record in caplog.records if "modules.yaml:" in record.message} == {"ERROR"}
    home = nancy.get("/")
    assert "Good to know" in home
    assert "last valid version is in use" in home
    assert "modules.yaml:" in nancy.get("/-/problems")
    change(portal_folder, "label: [broken", "label: Mended")
    assert "power.yaml" not in nancy.get("/-/problems"), "what is not there any more is not in force"
    assert "Mended" in nancy.get("/")


@pytest.mark.sqlite_suffices
def test_what_could_not_be_kept_for_processes_that_start_is_kept_later(make_app, portal_folder, caplog):
    app = make_app(reload_every=0)
    live = app.app.registry.live
    live.close()  # waits until the first declarations are kept
    with writing(live.engine) as connection:
        fails = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER full BEFORE INSERT ON portal_declarations {fails}")
    change(portal_folder, "label: Knowledge base", "label: Good to know")
    for _attempt in range(3):
        live.current()
        live.close()
    assert caplog.text.count("the disk is full") == 1
    with writing(live.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    live.current()
    live.close()
    change(portal_folder, "label: Good to know", "label: [broken")
    caplog.clear()
    assert "Good to know" in signed_in(make_app(), NANCY).get("/")
    assert f"came into force at {live.current().since.isoformat(timespec='seconds')}" in caplog.text


@pytest.mark.sqlite_suffices
def test_a_process_that_starts_never_serves_what_does_not_fit_the_database(make_app, database, portal_folder):
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    make_app().app.registry.live.close()
    change(portal_folder, "\n      floor: integer", "")
    elsewhere = make_engine(database)
    apply(elsewhere, build(load(portal_folder).declaration), allow_loss=True)
    elsewhere.dispose()
    change(portal_folder, "label: Knowledge base", "label: [broken")
    with pytest.raises(StartupError, match=r"modules\.yaml:\d+"):
        make_app()


@pytest.mark.sqlite_suffices
def test_in_production_a_process_that_starts_waits_for_apply_with_the_last_valid_ones(
    make_app, database, portal_folder
):
    make_app(base_url="https://care.example").app.registry.live.close()
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    live = make_app(base_url="https://care.example").app.registry.live
    assert "floor" not in live.current().declaration.modules["tickets"].fields
    assert any("floor" in sentence for sentence in live.report.missing)
    elsewhere = make_engine(database)
    apply(elsewhere, build(load(portal_folder).declaration))
    elsewhere.dispose()
    assert "floor" in live.current().declaration.modules["tickets"].fields


@pytest.mark.sqlite_suffices
def test_a_fault_of_the_portal_itself_does_not_keep_a_process_from_starting(make_app, portal_folder, monkeypatch):
    make_app().app.registry.live.close()
    change(portal_folder, "label: Knowledge base", "label: Good to know")

    def load_copies(folder, *arguments):
        return load(folder, *arguments) if folder != portal_folder else {}["no such thing"]

    monkeypatch.setattr("portal.web.live.load", load_copies)
    nancy = signed_in(make_app(), NANCY)
    assert "Knowledge base" in nancy.get("/")
    assert "An error in the portal itself" in nancy.get("/-/problems")


@pytest.mark.sqlite_suffices
def test_in_production_a_database_that_lacks_something_is_told_with_the_way_out(make_app, portal_folder):
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    with pytest.raises(StartupError, match="portal apply"):
        make_app(base_url="https://care.example")


@pytest.mark.sqlite_suffices
def test_in_production_a_reload_waits_for_apply(make_app, portal_folder):
    app = make_app(base_url="https://care.example")
    live = app.app.registry.live
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    assert "floor" not in live.current().declaration.modules["tickets"].fields
    assert any("floor" in sentence for sentence in live.report.missing)


def test_in_production_a_change_is_in_force_once_it_was_applied(make_app, database, portal_folder):
    live = make_app(base_url="https://care.example").app.registry.live
    change(portal_folder, "      cost: money", "      cost: money\n      floor: integer")
    assert "floor" not in live.current().declaration.modules["tickets"].fields
    elsewhere = make_engine(database)
    apply(elsewhere, build(load(portal_folder).declaration))
    elsewhere.dispose()
    assert "floor" in live.current().declaration.modules["tickets"].fields
    assert live.report.missing == ()


@pytest.mark.sqlite_suffices
def test_a_file_that_is_being_saved_is_read_when_it_is_whole(make_app, portal_folder):
    live = make_app().app.registry.live
    live.whole_after = 3600
    (portal_folder / "profiles" / "power.yaml").unlink()
    assert "power" in live.current().declaration.profiles
    for path in (portal_folder / "profiles", portal_folder / "modules.yaml", portal_folder / "buttons.yaml"):
        os.utime(path, (1e9, 1e9))
    for path in portal_folder.glob("profiles/*.yaml"):
        os.utime(path, (1e9, 1e9))
    assert "power" not in live.current().declaration.profiles


@pytest.mark.sqlite_suffices
def test_a_folder_that_is_gone_leaves_the_last_good_portal_in_force(app, portal_folder, sign_in):
    sign_in(ANNA)
    shutil.rmtree(portal_folder)
    app.get("/tickets/", status=200)


@pytest.mark.sqlite_suffices
def test_a_fault_of_the_portal_itself_leaves_the_last_good_portal_in_force(
    app, portal_folder, sign_in, monkeypatch, caplog
):
    sign_in(NANCY)
    monkeypatch.setattr("portal.web.live.shared_tables", lambda *arguments: {}["no such thing"])
    change(portal_folder, "label: Knowledge base", "label: Good to know")
    assert "Knowledge base" in app.get("/")
    assert "An error in the portal itself" in app.get("/-/problems")
    assert "KeyError" in caplog.text


@pytest.mark.sqlite_suffices
def test_a_fault_in_what_follows_a_reload_keeps_no_change_back(app, portal_folder, sign_in):
    sign_in(ANNA)

    def fail() -> None:
        raise KeyError("a fault of ours")

    app.app.registry.live.on_change = fail
    change(portal_folder, "label: Knowledge base", "label: Good to know")
    assert "Good to know" in app.get("/")


def test_what_a_reload_searches_otherwise_is_found_otherwise_and_found_meanwhile(app, portal_folder, sign_in):
    sign_in(ANNA)
    token = re.search(r'name="_csrf" value="([^"]+)"', app.get("/tickets/create").text)[1]
    fields = {"_csrf": token, "title": "Printer", "description": "smokes", "urgency": "normal"}
    app.post("/tickets/create", fields, status=303)
    assert "Printer" in app.get("/tickets/?q=smokes")
    change(portal_folder, "description: longtext", "description: {type: longtext, search: false}")
    app.get("/tickets/")
    for thread in running_threads():
        thread.join()
    assert "Printer" not in app.get("/tickets/?q=smokes")
    assert "Printer" in app.get("/tickets/?q=printer")


def test_a_list_that_was_visited_often_is_right_after_a_column_has_another_type(app, database, portal_folder, sign_in):
    sign_in(NANCY)
    change(portal_folder, "  articles:\n", "  parts: {title: name, fields: {name: text, size: integer}}\n  articles:\n")
    change(portal_folder, "modules:\n", "modules:\n  parts: {see: all}\n", "profiles/staff.yaml")
    statuses = {app.get("/parts/", status="*").status_int for _visit in range(8)}
    assert statuses == {200}
    change(portal_folder, "size: integer}", "size: {type: decimal, places: 2}}")
    declaration = load(portal_folder).declaration
    elsewhere = make_engine(database)
    apply(elsewhere, build(declaration))
    elsewhere.dispose()
    app.get("/parts/", status="*")  # whoever finds out that the old plan is of no use any more
    assert {app.get("/parts/", status="*").status_int for _visit in range(8)} == {200}
    change(portal_folder, "places: 2}}", "places: 2} }")  # looked at once more, now that the database fits
    assert {app.get("/parts/", status="*").status_int for _visit in range(8)} == {200}
    size = app.app.registry.live.current().declaration.modules["parts"].field("size")
    assert size.type == "decimal"


@pytest.mark.sqlite_suffices
def test_a_broken_edit_is_one_error_in_the_log_and_its_warnings_are_warnings(app, portal_folder, sign_in, caplog):
    sign_in(ANNA)
    change(portal_folder, "icon: life-buoy", "icon: life-bouy\n    sort: title")
    caplog.clear()
    app.get("/tickets/")
    levels = {record.levelname: record.getMessage() for record in caplog.records if "modules.yaml" in record.message}
    assert 'no icon "life-bouy"' in levels["WARNING"]
    assert '"sort" belongs under list:' in levels["ERROR"]
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


@pytest.mark.sqlite_suffices
def test_the_page_of_problems_says_what_the_plan_says_without_counting(app, portal_folder, sign_in, another_browser):
    nancy = sign_in(NANCY, browser=another_browser())
    live = app.app.registry.live
    with writing(live.engine) as connection:
        connection.execute(sa.insert(live.current().tables.module("tickets")).values(cost=5, _cost_currency="EUR"))
    change(portal_folder, "      cost: money\n", "")
    assert nancy.get("/tickets/").status_int == 200
    page = nancy.get("/-/problems")
    sentences = str(plan(live.engine, build(load(portal_folder).declaration))).splitlines()
    assert sentences == [line.replace("its values", "1 value") for line in live.report.missing]
    assert sentences == [
        "! drop field tickets.cost: 1 value would be lost (apply with --allow-loss); if it only has another name now,"
        " write formerly: cost there"
    ]
    assert all(line in page for line in live.report.missing)

"""Tokens: created and ended at /account/ and by command, what they allow, and when they are invalid; errors as JSON."""

import re

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.accounts import attempts
from portal.commands import main
from portal.database.engine import reading
from tests.functional.conftest import form_of
from tests.functional.test_passwords import letters
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, NOW, PASSWORD, Program

pytestmark = pytest.mark.sqlite_suffices


def tokens(world) -> list[dict]:
    table = world.portal.tables.api_token
    with reading(world.portal.engine) as connection:
        return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c["id"])).mappings()]


def made_at_account(world, email, **form) -> Program:
    page = world[email].send("/account/token", {"name": "Nightly export", "current": PASSWORD, **form}, status=200)
    program = Program(world.app)
    program.token = re.search(r'value="(portal_[\w-]{43})"', page.text)[1]
    return program


def test_a_token_is_shown_once_listed_and_ended(world):
    program = made_at_account(world, ANNA, until="2026-03-06")
    assert letters(world[ANNA])[-1][1] == "A token was created"
    assert program.token not in str(tokens(world))
    assert program.token not in world[ANNA].get("/account/").text
    assert "Never used" in world[ANNA].get("/account/")
    assert program.call("GET", "", status=200).json["account"] == ANNA
    page = world[ANNA].get("/account/")
    assert "Nightly export" in page
    assert "Never used" not in page
    assert "Nightly export" not in world[BRUNO].get("/account/")
    ended = {"token": str(tokens(world)[0]["id"])}
    world[BRUNO].send("/account/end-token", ended, status=404)
    program.call("GET", "", status=200)
    world[ANNA].send("/account/end-token", ended, status=303)
    program.call("GET", "", status=401)
    assert "No tokens" in world[ANNA].get("/account/")


def test_the_form_of_a_token_says_what_is_wrong_and_keeps_what_was_typed(world, monkeypatch):
    refused = world[ANNA].send("/account/token", {"name": " ", "until": "2026-03-04", "read_only": "true"})
    assert refused.status_int == 422
    assert "Enter a name." in refused
    assert "Enter today’s date or a later one." in refused
    assert "Current password is incorrect." in refused
    assert refused.html.select_one("#field-until")["value"] == "2026-03-04"
    assert refused.html.select_one("#field-read_only").has_attr("checked")
    monkeypatch.setattr("portal.views.account.token_list.MOST_TOKENS", 2)
    for status in (200, 200, 422):
        answer = world[ANNA].send("/account/token", {"name": "One of many", "current": PASSWORD}, status=status)
    assert "You have 2 tokens. Revoke one first." in answer


def test_a_token_opens_the_api_alone_and_a_session_does_not(world):
    program = world.program(ANNA)
    assert world[ANNA].see("/api/").status_int == 401
    assert world[ANNA].see("/api").content_type == "application/json"
    answer = world[ANNA].see("/api/requests")
    assert (answer.status_int, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers
    page = program.get("/requests/", headers={"Authorization": f"Bearer {program.token}"})
    assert page.location.endswith("/login?next=%2Frequests%2F")
    foreign = program.call("POST", "requests", {}, Origin="https://evil.example")
    assert (foreign.status_int, foreign.json["error"]) == (403, "This request came from another site.")


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer portal_invented", f"Basic {ANNA}", "Bearer \xe9"])
def test_without_a_valid_token_nothing_is_told(world, sent):
    program = world.program(ANNA)
    for method, address in (("GET", ""), ("GET", "requests"), ("GET", "invented/5"), ("GET", "openapi.json")):
        answer = program.call(method, address, Authorization=sent)
        assert (answer.status_int, list(answer.json)) == (401, ["error"])
    assert program.call("POST", "requests", {"name": "x"}, Authorization=sent).status_int == 401


def test_a_token_has_no_effect_while_its_account_has_none(world):
    program = world.program(ANNA, until=NOW.date())
    tomorrow = {"access_from": NOW.date().replace(day=6)}
    for closed in ({"disabled": True}, {"must_change": True}, tomorrow, {"profile": "gone"}, {"person": 999}):
        before = {"disabled": False, "must_change": False, "access_from": None, "profile": "customer", "person": 1}
        world.account(ANNA, **closed)
        assert program.call("GET", "", status=401).json["error"]
        world.account(ANNA, **{name: before[name] for name in closed})
        program.call("GET", "", status=200)
    world.clock.now = NOW.replace(day=6)
    program.call("GET", "", status=401)  # the last day is over


def test_rights_that_change_count_with_the_next_request(world):
    program = world.program(ANNA)
    program.call("GET", "ledgers", status=404)
    world.account(ANNA, profile="staff")
    program.call("GET", "ledgers", status=200)


@pytest.mark.parametrize("ends", ["password", "everywhere", "reset", "disable"])
def test_what_ends_all_sessions_ends_the_tokens(app, sign_in, database, portal_folder, ends):
    browser = sign_in("anna@acme.example")
    form = form_of(browser.get("/account/token"), "/account/token")
    form["name"], form["current"] = "Export", PASSWORD
    token = re.search(r'value="(portal_[\w-]+)"', form.submit(status=200).text)[1]
    headers = {"Authorization": f"Bearer {token}"}
    browser.get("/api/", headers=headers, status=200)
    if ends == "password":
        form = form_of(browser.get("/password"), "/password")
        form["current"], form["new"], form["confirm"] = PASSWORD, "another horse battery", "another horse battery"
        form.submit(status=303)
    elif ends == "everywhere":
        forms = browser.get("/account/").forms.values()
        [form for form in forms if form.action == "/account/sign-out"][-1].submit(status=303)
    else:
        settings = {"PORTAL_FOLDER": str(portal_folder), "PORTAL_DATABASE": database}
        outcome = CliRunner().invoke(main, ["account", ends, "anna@acme.example"], env=settings)
        assert outcome.exit_code == 0, outcome.output
        if ends == "disable":
            CliRunner().invoke(main, ["account", "enable", "anna@acme.example"], env=settings)
    browser.get("/api/", headers=headers, status=401)


def test_a_command_prints_a_token(app, database, portal_folder):
    settings = {"PORTAL_FOLDER": str(portal_folder), "PORTAL_DATABASE": database}
    command = ["account", "token", "anna@acme.example", "--read-only", "--until", "2099-12-31"]
    outcome = CliRunner().invoke(main, command, env=settings)
    assert outcome.exit_code == 0, outcome.output
    token = outcome.stdout.strip()
    answer = app.get("/api/", headers={"Authorization": f"Bearer {token}"})
    assert answer.json["account"] == "anna@acme.example"
    over = CliRunner().invoke(main, [*command[:-1], "2020-01-01"], env=settings)
    assert (over.exit_code, "2020-01-01 has passed" in over.output) == (1, True)
    unknown = CliRunner().invoke(main, ["account", "token", "nobody@acme.example"], env=settings)
    assert (unknown.exit_code, "has no access" in unknown.output) == (1, True)


def test_a_token_that_may_only_read_changes_nothing(world):
    nancy, reading_only = world.program(NANCY), world.program(NANCY, read_only=True)
    thing = nancy.call("POST", "things", {"name": "Lamp"}, status=201).json
    before = world.rows()
    address = f"things/{thing['id']}"
    for method, target in (("POST", "things"), ("PATCH", address), ("DELETE", address)):
        refused = reading_only.call(method, target, {"name": "x"}, status=403)
        assert refused.json == {"error": "This token may only read."}
    assert reading_only.call("GET", address, status=200).json == thing
    described = reading_only.call("GET", "openapi.json").json["paths"]
    assert {method for path in described.values() for method in path} == {"get", "parameters"}
    assert world.rows() == before


def test_reading_writes_nothing_but_the_last_use_every_ten_minutes(world):
    program = world.program(ANNA)
    world.add("things", name="Lamp")
    before = world.rows()
    for address in ("", "openapi.json", "things", "things/1", "requests?q=x", "requests/1", "invented"):
        program.call("GET", address)
    assert world.rows() == before
    world.clock.now = NOW.replace(minute=9)
    program.call("GET", "")
    assert world.rows() == before
    world.clock.now = NOW.replace(minute=11)
    program.call("GET", "")
    changed = [name for name, rows in world.rows().items() if rows != before[name]]
    assert changed == ["portal_api_token"]
    assert tokens(world)[0]["used"] == world.clock.now


@pytest.mark.parametrize(
    ("method", "address", "body", "headers", "status"),
    [
        ("POST", "things", b"{", {}, 400),
        ("POST", "things", b"[]", {}, 400),
        ("POST", "things", b'{"amount": NaN}', {}, 400),
        ("POST", "things", b'{"name": "x", "amount": 1e999999999999}', {}, 422),
        ("POST", "things", b"[" * 200_000, {}, 400),
        ("POST", "things", b'{"name": "\xff"}', {}, 400),
        ("POST", "things", b'{"name": "\\ud800"}', {}, 422),
        ("POST", "things", b'{"n\\u0000": "x"}', {}, 422),
        ("POST", "things", b'{"owner": "\\ud800", "\\ud800": 1}', {}, 422),
        ("POST", "things", b"{}" + b" " * 2_000_000, {}, 413),
        ("POST", "things", b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "things", b"x", {"Content-Type": "text/plain"}, 415),
        ("POST", "things", b"x", {"Content-Type": "multipart/form-data"}, 400),
        ("PUT", "things", b"{}", {}, 405),
        ("DELETE", "things", b"", {}, 405),
        ("POST", "", b"{}", {}, 405),
        ("GET", "things/999", b"", {}, 404),
        ("GET", "things/1/invented", b"", {}, 404),
        ("GET", "things/1/move/close", b"", {}, 404),
        ("GET", "account", b"", {}, 404),
        ("GET", "things/create", b"", {}, 404),
        ("GET", "-/problems", b"", {}, 404),
        ("GET", "things?name=%00", b"", {}, 400),
        ("GET", "things/%ff", b"", {}, 400),
    ],
)
def test_whatever_is_refused_is_refused_with_a_sentence_as_json(world, method, address, body, headers, status):
    answer = world.program(NANCY).call(method, address, body, **headers)
    assert (answer.status_int, answer.content_type) == (status, "application/json")
    assert answer.json["error"]
    assert "<" not in answer.text


def test_errors_are_in_the_language_of_the_account_or_the_request(world):
    program = world.program(NANCY)
    italian = program.call("POST", "things", {}, status=422, **{"Accept-Language": "it"}).json
    assert italian["fields"] == {"name": "Obbligatorio"}
    world.account(NANCY, language="it")
    assert program.call("POST", "things", {}, status=422, **{"Accept-Language": "en"}).json == italian


def test_a_program_that_runs_wild_is_slowed_down(world, monkeypatch):
    monkeypatch.setattr("portal.web.api.API_CHANGES", attempts.Limit("api-changes", 2, 300))
    program = world.program(CARLA)
    for _number in range(2):
        program.call("POST", "things", {"name": "Lamp"}, status=201)
    refused = program.call("POST", "things", {"name": "Lamp"}, status=429)
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert refused.json["error"]
    program.call("GET", "things", status=200)

"""`portal account` as an administrator types it, and its effect for the person."""

import re

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import reading
from tests.functional.test_passwords import letters
from tests.functional.test_second_factor import set_up
from tests.functional.test_signing_in import ANNA, is_signed_in, session_cookie, try_to_sign_in
from tests.portal_files import write_portal

pytestmark = pytest.mark.sqlite_suffices

DORA = "dora@acme.example"


@pytest.fixture
def account(portal_folder, database, monkeypatch):
    monkeypatch.setenv("PORTAL_PASSWORD_MEMORY", "8")
    monkeypatch.setenv("PORTAL_PASSWORD_ROUNDS", "1")

    def run(*words, typed=None):
        return CliRunner().invoke(
            main, ["account", *words, "--folder", str(portal_folder), "--database", database], typed
        )

    return run


def records(app, module):
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        return connection.execute(sa.select(portal.tables.module(module))).mappings().all()


def generated(answer):
    return re.search(r"^Password: (\S+)$", answer.output, re.MULTILINE)[1]


def test_a_new_account_signs_in_with_what_was_printed_and_has_to_change_it(app, account):
    answer = account(
        "add", "Dora@Acme.example", "--profile", "customer", "--name", "Dora Blu", "--organization", "Acme"
    )
    assert answer.exit_code == 0, answer.output
    assert try_to_sign_in(app, DORA, generated(answer)).location == "http://localhost/password"
    person = next(row for row in records(app, "people") if row["name"] == "Dora Blu")
    assert person["email"] == DORA
    assert [row["name"] for row in records(app, "organizations") if row["id"] == person["company"]] == ["Acme"]


def test_an_existing_person_is_not_recorded_twice(app, account):
    before = len(records(app, "people"))
    account("disable", ANNA)
    assert account("add", ANNA, "--profile", "customer").exit_code == 1
    assert len(records(app, "people")) == before


def test_a_given_password_stays(app, account):
    answer = account("add", DORA, "--profile", "customer", "--password-file", "-", typed="long enough phrase\n")
    assert answer.exit_code == 0, answer.output
    assert "long enough phrase" not in answer.output
    assert try_to_sign_in(app, DORA, "long enough phrase").location == "http://localhost/"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "no address", "--profile", "customer"), "is not an email address"),
        (("add", DORA, "--profile", "king"), 'there is no profile "king"; there are customer'),
        (("add", ANNA, "--profile", "customer"), "has access already"),
        (("set", DORA, "--profile", "customer"), "has no access"),
        (("disable", DORA), "has no access"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(account, words, sentence):
    answer = account(*words)
    assert answer.exit_code == 1
    assert sentence in answer.output


@pytest.fixture
def numbered(tmp_path, monkeypatch):
    """Runs `portal account add` in a portal where names are unique and every badge has the same default."""
    monkeypatch.setenv("PORTAL_PASSWORD_MEMORY", "8")
    monkeypatch.setenv("PORTAL_PASSWORD_ROUNDS", "1")
    unique = "name: {type: text, unique: true}, badge: {type: integer, unique: true, default: 7}"
    modules = f"people: people\nmodules: {{people: {{fields: {{{unique}, email: email}}}}}}\n"
    write_portal(tmp_path, modules, staff="modules: {people: {see: all}}\n")
    assert CliRunner().invoke(main, ["apply", "--folder", str(tmp_path)]).exit_code == 0

    def add(email: str, name: str):
        words = ["account", "add", email, "--name", name, "--profile", "staff", "--folder", str(tmp_path)]
        return CliRunner().invoke(main, words)

    return add


def test_a_default_that_must_be_unique_is_given_once_and_then_left_empty(numbered):
    assert "warning" not in numbered("anna@x.example", "Anna").output
    second = numbered("bruno@x.example", "Bruno")
    assert second.exit_code == 0
    assert "warning: people.badge must be unique, and another record has its default" in second.output


def test_a_name_that_must_be_unique_and_is_taken_is_refused_with_what_to_give(numbered):
    numbered("anna@x.example", "Anna")
    second = numbered("anna@y.example", "Anna")
    assert second.exit_code == 1
    assert "people.name must be unique, and another record has “Anna”: give another one" in second.output


def test_wrong_use_exits_with_two(account):
    assert account("add", DORA).exit_code == 2
    assert account("set", ANNA, "--from", "tomorrow").exit_code == 2
    assert account("set", ANNA).exit_code == 2


def test_disabling_signs_out_at_once_and_enabling_lets_in_again(app, account, sign_in):
    sign_in(ANNA)
    assert account("disable", ANNA).exit_code == 0
    assert not is_signed_in(app)
    assert "disabled" in try_to_sign_in(app)
    assert account("enable", ANNA).exit_code == 0
    assert try_to_sign_in(app).status_int == 303


def test_a_reset_voids_password_and_sessions(app, account, sign_in, another_browser):
    sign_in(ANNA)
    copy = another_browser()
    copy.set_cookie("portal_session", session_cookie(app).value)
    password = generated(account("reset", ANNA))
    assert not is_signed_in(copy)
    assert try_to_sign_in(another_browser()).status_int == 422
    assert try_to_sign_in(app, password=password).location == "http://localhost/password"


def test_a_reset_of_the_second_factor_keeps_the_password(app, account, sign_in, another_browser, clock):
    assert "has no second factor" in account("reset", ANNA, "--second-factor").output
    set_up(sign_in(ANNA), clock)
    assert re.search(r"anna@acme\.example .*second factor", account("list").output)
    assert account("reset", ANNA, "--second-factor").exit_code == 0
    assert letters(app)[-1][1] == "Two-factor authentication was turned off"
    assert try_to_sign_in(another_browser()).location == "http://localhost/"


def test_profile_and_dates_are_changed_and_listed(app, account):
    assert account("set", ANNA, "--profile", "power", "--until", "2026-03-04").exit_code == 0
    assert "ended on Mar 4, 2026" in try_to_sign_in(app)
    assert re.search(r"anna@acme\.example +power .*until 2026-03-04", account("list").output)
    refused = account("set", ANNA, "--from", "2026-03-05")
    assert (refused.exit_code, "before it begins on 2026-03-05" in refused.output) == (1, True)
    account("set", ANNA, "--until", "none")
    assert try_to_sign_in(app).status_int == 303
    days = ("--from", "2026-03-05", "--until", "2026-03-04")
    assert account("add", DORA, "--profile", "customer", *days).exit_code == 2


def test_another_address_signs_in_and_is_the_persons(app, account, another_browser):
    answer = account("set", "Anna@Acme.example", "--email", "Anna.Rossi@acme.example")
    assert "signs in with anna.rossi@acme.example" in answer.output
    assert try_to_sign_in(another_browser()).status_int == 422
    assert try_to_sign_in(app, "anna.rossi@acme.example").status_int == 303
    assert "anna.rossi@acme.example" in [person["email"] for person in records(app, "people")]
    assert ANNA not in [person["email"] for person in records(app, "people")]


def test_an_address_of_someone_else_is_refused(app, account):
    answer = account("set", ANNA, "--email", "NANCY@supplier.example")
    assert (answer.exit_code, "has access already" in answer.output) == (1, True)


def test_older_records_are_hidden_from_whoever_has_access_since_a_day(app, account, sign_in):
    assert account("set", ANNA, "--records-from", "2026-03-01").exit_code == 0
    sign_in(ANNA)
    assert app.get("/tickets/", status=200)


def test_a_new_address_is_told_to_the_old_one_and_to_the_new_one(app, account):
    assert account("set", ANNA, "--email", DORA).exit_code == 0
    portal = app.app.registry.live.current()
    with reading(portal.engine) as connection:
        rows = connection.execute(sa.select(portal.tables.outbox)).mappings().all()
    assert [row["recipient"] for row in rows] == [f"Anna Rossi <{ANNA}>", f"Anna Rossi <{DORA}>"]
    assert all("dora@acme.example" in row["message"] for row in rows)

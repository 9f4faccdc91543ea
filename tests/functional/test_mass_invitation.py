"""Inviting all recorded people: counted first, then invited by the worker in batches."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal.accounts import mass_invitation
from portal.commands import main
from portal.database import outbox
from portal.database.engine import writing
from portal.jobs.worker import Worker
from tests.functional.test_granting import BRUNO, CARLA, NANCY, account, post, rows, small_portal
from tests.functional.test_passwords import letters
from tests.functional.test_signing_in import ANNA, change_account

pytestmark = pytest.mark.sqlite_suffices

__all__ = ["small_portal"]  # a fixture
NEW = {"elio@acme.example": "Acme", "fara@globex.example": "Globex", "gino@supplier.example": "Supplier"}


@pytest.fixture
def app(shared_app):
    return shared_app


@pytest.fixture
def recorded(app, sign_in):
    """Nancy's browser, after she has recorded three people, and one without a working address."""
    staff = sign_in(NANCY)
    ids = {row["name"]: str(row["id"]) for row in rows(app, "organizations")}
    for email, company in NEW.items():
        post(staff, "/people/create", name=email.partition("@")[0], email=email, company=ids[company])
    post(staff, "/people/create", name="Nobody", email="zażółć@acme.example", company=ids["Acme"])
    return staff


def work(app, clock):
    live = app.app.registry.live
    Worker(live.engine, lambda: live.current().tables, clock, lambda _tables: "https://care.example", None).turn()


def test_everyone_is_counted_then_invited_batch_by_batch(app, recorded, clock, monkeypatch):
    monkeypatch.setattr(mass_invitation, "BATCH", 1)
    assert "Invite 3 people" in recorded.get("/people/open")
    assert post(recorded, "/people/open", profile="customer", visible="new").status_int == 303
    assert account(app, "elio@acme.example") is None
    work(app, clock)
    invited = [row for row in rows(app, "account") if row["invited"]]
    assert {row["email"] for row in invited} == {"elio@acme.example", "fara@globex.example"}, "not the staff's own"
    assert {(row["profile"], str(row["records_from"])) for row in invited} == {("customer", "2026-03-05")}
    assert {to for to, _subject, _text in letters(app)} == {row["email"] for row in invited}
    work(app, clock)
    assert len(letters(app)) == 2
    page = recorded.get("/people/open")
    assert "2 people were invited on Mar 5, 2026." in page
    assert "1 person could not be invited" in page
    assert "Nobody" in page.html.select_one("section.card ul").text
    assert "Invite 1 person" in page


def test_another_worker_continues_what_a_killed_one_leaves(app, recorded, clock, monkeypatch):
    monkeypatch.setattr(mass_invitation, "BATCH", 1)
    post(recorded, "/people/open", profile="customer")
    written = []

    def put_once(*about, **more):
        if written:
            raise KeyboardInterrupt  # the end of the process, in the middle of the second batch
        written.append(put(*about, **more))

    put = outbox.put_letter
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(outbox, "put_letter", put_once)
        work(app, clock)
    assert len(letters(app)) == 1
    assert len([row for row in rows(app, "account") if row["invited"]]) == 1
    assert "1 person has been invited so far" in recorded.get("/people/open")
    work(app, clock)
    assert [to for to, _subject, _text in letters(app)] == ["elio@acme.example", "fara@globex.example"]


def test_people_with_current_or_past_access_or_without_address_are_not_invited(app, recorded, clock):
    change_account(app, ANNA, disabled=True)
    change_account(app, CARLA, bounces=3)
    acme = next(row["id"] for row in rows(app, "organizations") if row["name"] == "Acme")
    people = app.app.registry.live.current().tables.module("people")
    with writing(app.app.registry.live.engine) as connection:
        connection.execute(sa.insert(people).values(name="Nemo", company=acme))
        connection.execute(sa.insert(people).values(name="Twin", email="Elio@acme.example", company=acme))
    post(recorded, "/people/open", profile="customer")
    work(app, clock)
    assert [to for to, _subject, _text in letters(app)] == ["elio@acme.example", "fara@globex.example"]


def test_a_closed_company_is_left_out_and_the_invitations_can_be_stopped(app, recorded, clock):
    globex = next(row["id"] for row in rows(app, "organizations") if row["name"] == "Globex")
    post(recorded, f"/organizations/{globex}/switch", do="close")
    assert "Invite 2 people" in recorded.get("/people/open")
    post(recorded, "/people/open", profile="customer")
    assert "so far" in recorded.get("/people/open")
    post(recorded, "/people/open", do="stop")
    work(app, clock)
    assert letters(app) == []


def test_of_two_who_open_the_portal_the_second_does_not_stop_the_first(app, recorded, clock, monkeypatch):
    monkeypatch.setattr(mass_invitation, "BATCH", 2)
    for _who in range(2):
        assert post(recorded, "/people/open", profile="customer").status_int == 303
    with writing(app.app.registry.live.engine) as connection:
        mass_invitation.invite_next_people(
            connection, app.app.registry.live.current().tables, clock(), lambda account, token: None
        )
    page = recorded.get("/people/open")
    assert "2 people have been invited so far, 1 still to go." in page
    assert page.html.select_one('input[name="do"]')["value"] == "stop"


def test_only_staff_opens_the_portal_to_everyone(app, sign_in):
    bruno = sign_in(BRUNO)
    assert bruno.get("/people/open", status="*").status_int == 404
    assert post(bruno, "/people/open", profile="customer").status_int == 404
    assert rows(app, "opening") == []


def test_the_command_does_the_same(app, recorded):
    live = app.app.registry.live
    options = ["--folder", str(live.folder), "--database", str(live.engine.url)]
    words = ["account", "invite-all", "--profile", "customer", *options]
    assert "3 people would be invited." in CliRunner().invoke(main, [*words, "--dry-run"]).output
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 0, answer.output
    assert "2 people invited." in answer.output
    assert len(letters(app)) == 2
    assert CliRunner().invoke(main, ["account", "invite-all", "--profile", "staff", *words[4:]]).exit_code == 1

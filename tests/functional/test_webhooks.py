"""Webhooks, with a real receiver: events are sent, signed, to those who may read them; nothing is lost."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from standardwebhooks.webhooks import Webhook

from portal.commands import main
from portal.database.engine import reading, writing
from portal.jobs.worker import Worker
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.conftest import fill_in
from tests.functional.test_emails import comment, move, open_ticket
from tests.functional.webhooks_portal import (
    DAY,
    KEY,
    KEY_BEFORE,
    MINUTE,
    deliveries,
    open_receiver,
    receiver,
    secrets_of,
    tell,
    telling_world,
    world,
)
from tests.functional.world import ANNA, NANCY

__all__ = ["open_receiver", "receiver", "telling_world", "world"]  # fixtures
# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices


def test_a_new_record_is_sent_in_the_form_of_the_api_and_signed(world, receiver):
    ticket = open_ticket(world)
    tell(world)
    ((_path, headers, body),) = receiver.got
    message = json.loads(body)
    assert message["type"] == "tickets.created"
    assert message["timestamp"] == "2026-03-05T12:00:00Z"
    assert message["data"]["record"] == world.program(NANCY).call("GET", f"tickets/{ticket}").json
    assert (message["data"]["author"], message["data"]["channel"]) == ("Anna Rossi", "portal")
    assert headers["webhook-id"] == deliveries(world)[0]["message_id"]
    assert headers["webhook-timestamp"] == str(int(world.clock.now.timestamp()))
    (secret,) = secrets_of(world, "erp")
    signature = Webhook(secret).sign(headers["webhook-id"], world.clock.now, body.decode())
    assert headers["webhook-signature"] == signature


def test_each_event_tells_what_is_particular_to_it(world, receiver):
    ticket = open_ticket(world)
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "tickets")
        Writer(records, Author(name="Nancy")).change(records.get(ticket), {"urgency": "low", "notes": "Ours"}, 1)
    move(world, NANCY, ticket, "resolve")
    comment(world, ANNA, ticket, "Thank you")
    files = [("files", "a.txt", b"Some text")]
    world[ANNA].send(f"/tickets/{ticket}/files", {}, upload_files=files, status=303)
    tell(world)
    created, edited, moved, commented, attached = receiver.told()
    assert "changed" not in created["data"]
    assert edited["data"]["changed"] == ["notes", "urgency"]
    data = moved["data"]
    assert (moved["type"], data["transition"], data["from"], data["to"]) == (
        "tickets.moved",
        "resolve",
        "new",
        "resolved",
    )
    assert (commented["data"]["comment"]["text"], commented["data"]["comment"]["staff"]) == ("Thank you", False)
    assert (attached["data"]["file"]["name"], attached["data"]["file"]["size"]) == ("a.txt", 9)
    world[NANCY].send(f"/tickets/{ticket}/delete", status=303)
    tell(world)
    (deleted,) = receiver.told()
    assert deleted["data"]["record"] == {"id": ticket, "reference": created["data"]["record"]["reference"]}


def test_a_webhook_gets_what_its_profile_may_read_and_nothing_else(world, receiver):
    ticket = open_ticket(world, urgency="high")
    comment(world, NANCY, ticket, "Between us", internal="true")
    world.set("tickets", ticket, notes="Canary")
    comment(world, NANCY, ticket, "To everyone")
    tell(world)
    created, commented = receiver.told("/shop")
    assert "notes" not in created["data"]["record"]
    assert commented["data"]["comment"]["text"] == "To everyone"
    assert "internal" not in commented["data"]["comment"]
    assert len(receiver.told("/erp")) == 4


def test_a_record_that_the_profile_does_not_see_is_not_told(world, receiver):
    hidden, seen = open_ticket(world, urgency="low"), open_ticket(world, urgency="high")
    comment(world, ANNA, hidden, "Canary")
    tell(world)
    assert [message["data"]["record"]["id"] for message in receiver.told("/shop")] == [seen]
    assert {row["state"] for row in deliveries(world)} == {"sent"}  # what is not told is forgotten


def test_the_rights_are_those_of_the_moment_of_sending(world, receiver):
    ticket = open_ticket(world, urgency="high")
    comment(world, ANNA, ticket, "Withdrawn")
    world.set("tickets", ticket, urgency="low")
    tell(world)
    assert receiver.told("/shop") == []


def test_what_is_taken_back_is_never_told(world, receiver):
    class TakenBackError(Exception):
        pass

    with pytest.raises(TakenBackError), writing(world.portal.engine) as connection:
        records = world.records(connection, "tickets")
        Writer(records, Author(name="Nancy")).create({"title": "Never"})
        raise TakenBackError
    assert tell(world) == 0
    assert receiver.got == []


def test_an_import_notifies_nobody(world, receiver):
    world.add("tickets", title="From the file")
    tell(world)
    assert receiver.got == []


def live_worker(app, clock):
    live = app.app.registry.live
    return Worker(
        live.engine, lambda: live.current().tables, clock, lambda _tables: "https://x.example", None, webhook_keys=KEY
    )


def test_what_waits_for_a_webhook_that_is_removed_troubles_nobody_and_is_dropped(
    receiver, app, portal_folder, sign_in, clock
):
    modules = portal_folder / "modules.yaml"
    others = modules.read_text()

    def declare(name):
        hook = f"""{name}: {{url: "{receiver.url}/site", on: articles.created, as: staff}}"""
        modules.write_text(f"{others}webhooks: {{{hook}}}\n")

    sign_in(NANCY)
    declare("old")
    fill_in(app, "/articles/create", {"title": "Good to know"})
    declare("new")
    app.get("/articles/")
    clock.now += 20 * MINUTE
    assert app.get("/-/health").json["webhooks"] == 0
    clock.now += 3 * DAY
    worker = live_worker(app, clock)
    worker.turn()
    worker.deliver()
    assert receiver.got == []
    tables = app.app.registry.live.current().tables
    with reading(worker.engine) as connection:
        assert connection.execute(sa.select(tables.delivery)).all() == []
        assert connection.scalars(sa.select(tables.outbox.c["subject"])).all() == []


def test_a_webhook_declared_while_the_portal_runs_is_notified(receiver, app, portal_folder, sign_in, clock):
    worker = live_worker(app, clock)
    sign_in(NANCY)
    new_article = {"title": "Good to know"}
    fill_in(app, "/articles/create", new_article)
    with (portal_folder / "modules.yaml").open("a") as file:
        file.write(f"""webhooks: {{site: {{url: "{receiver.url}/site", on: articles.created, as: staff}}}}\n""")
    fill_in(app, "/articles/create", new_article)
    worker.deliver()
    assert [message["data"]["record"]["id"] for message in receiver.told("/site")] == [2]


def test_the_command_lists_webhooks_shows_a_secret_and_tries_one(world, receiver, monkeypatch):
    def portal(*arguments):
        portal = world.portal
        options = ["--folder", str(portal.declaration.folder), "--database", str(portal.engine.url)]
        return CliRunner().invoke(main, ["webhooks", *arguments, *options])

    open_ticket(world)
    listed = portal()
    assert f"erp: {receiver.url}/erp is notified of tickets.created, " in listed.output
    assert "as staff; 1 message waiting" in listed.output
    missing = portal("erp")
    assert (missing.exit_code, "PORTAL_WEBHOOK_KEY=" in missing.output) == (1, True)
    monkeypatch.setenv("PORTAL_WEBHOOK_KEY", f"{KEY} {KEY_BEFORE}")
    new, old = secrets_of(world, "erp", f"{KEY} {KEY_BEFORE}")
    shown = portal("erp").output
    assert f"secret: {new}\n" in shown
    assert f"previous secret, still in use: {old}\n" in shown
    assert new not in portal().output
    assert portal("erp", "--test").output == f"{receiver.url}/erp has accepted the message\n"
    ((_path, headers, body),) = receiver.got
    assert Webhook(new).verify(body, headers)["type"] == "test"
    receiver.answers = [404]
    failed = portal("erp", "--test")
    assert (failed.exit_code, "answered 404 Not Found" in failed.output) == (1, True)
    unknown = portal("epr")
    assert (unknown.exit_code, 'did you mean "erp"?' in unknown.output) == (2, True)
    assert portal("--test").exit_code == 2

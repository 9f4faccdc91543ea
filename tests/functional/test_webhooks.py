"""Webhooks, with a real receiver: events are sent, signed, to those who may read them; nothing is lost."""

import contextlib
import datetime
import http.server
import json
import shutil
import socket
import socketserver
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from standardwebhooks.webhooks import Webhook

from portal.accounts.keys_and_tokens import portal_key
from portal.commands import main
from portal.database import queue
from portal.database.engine import reading, writing
from portal.jobs import delivering, webhook_request
from portal.jobs.webhook_request import DeliveryError, post, webhook_secrets
from portal.jobs.worker import Worker
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.conftest import fill_in
from tests.functional.test_emails import comment, move, open_ticket
from tests.functional.world import ANNA, NANCY, PORTALS, opened_world

# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices

KEY, KEY_BEFORE = "k" * 32, "b" * 32
NOW = datetime.datetime(2026, 3, 5, 12, tzinfo=datetime.UTC)
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
WEBHOOKS = """
webhooks:
  erp: {{url: "{url}/erp", as: staff, on: [{events}]}}
  shop: {{url: "{url}/shop", as: robot, on: [tickets.created, tickets.edited, tickets.commented]}}
"""
ALL_EVENTS = ("created", "edited", "moved", "deleted", "commented", "attached")
ROBOT = """
modules:
  tickets: {see: all, where: {urgency: high}, can: [comment]}
"""


class Receiver(http.server.ThreadingHTTPServer):
    """A real server; `answers`: its replies to the next messages instead of 204, a status or a function."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.got, self.answers = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def told(self, path="/erp"):
        """Returns and clears the messages that an address has received."""
        told = [json.loads(body) for to, _headers, body in self.got if to == path]
        self.got = [message for message in self.got if message[0] != path]
        return told


class Handler(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):  # noqa: N802 - named by the standard library
        self.server.got.append((self.path, dict(self.headers), b""))
        self.send_error(501)

    def do_POST(self):  # noqa: N802 - named by the standard library
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0) if self.server.answers else 204
        if callable(answer):
            answer(self)
            return
        self.send_response(answer)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def log_message(self, *about):
        """Says nothing."""


@pytest.fixture(scope="module")
def open_receiver():
    with Receiver() as receiver:
        yield receiver
        receiver.shutdown()


@pytest.fixture
def receiver(open_receiver):
    open_receiver.got, open_receiver.answers = [], []
    return open_receiver


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def telling_world(request, open_receiver, tmp_path_factory):
    """The portal that writes emails, with two webhooks: one with staff rights, one that may read little."""
    folder = shutil.copytree(PORTALS / "post", tmp_path_factory.mktemp("webhooks") / "post")
    events = ", ".join(f"tickets.{event}" for event in ALL_EVENTS)
    text = (folder / "modules.yaml").read_text() + WEBHOOKS.format(url=open_receiver.url, events=events)
    (folder / "modules.yaml").write_text(text)
    (folder / "profiles" / "robot.yaml").write_text(ROBOT)
    with opened_world(folder, request) as world:
        yield world, world.rows()


@pytest.fixture
def world(telling_world):
    world, rows = telling_world
    yield world
    world.put_back(rows)


def worker_of(world, keys=KEY):
    tables = lambda: world.portal.tables  # noqa: E731 - a value
    return Worker(
        world.portal.engine, tables, world.clock, lambda _tables: "https://x.example", None, webhook_keys=keys
    )


def tell(world):
    """Lets the worker send what is due."""
    return worker_of(world).deliver()


def deliveries(world):
    with reading(world.portal.engine) as connection:
        table = world.portal.tables.delivery
        return connection.execute(sa.select(table).order_by(table.c["id"])).mappings().all()


def secrets_of(world, name, keys=KEY):
    with writing(world.portal.engine) as connection:
        return webhook_secrets(keys, portal_key(connection, world.portal.tables), name)


# -- what is told -----------------------------------------------------------------------------------------------------


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


# -- when the other side fails ----------------------------------------------------------------------------------------


def test_a_message_that_the_other_side_refuses_is_sent_later_with_the_same_id(world, receiver):
    open_ticket(world)
    receiver.answers = [500, 503]
    tell(world)
    world.clock.now += MINUTE / 2
    tell(world)
    assert len(receiver.got) == 1
    (row,) = [row for row in deliveries(world) if row["webhook"] == "erp"]
    assert (row["state"], row["reason"]) == ("waiting", "answered 500 Internal Server Error")
    for _time in range(3):
        world.clock.now += 2 * MINUTE
        tell(world)
    assert len(receiver.got) == 3
    assert {headers["webhook-id"] for _path, headers, _body in receiver.got} == {row["message_id"]}
    assert len({headers["webhook-signature"] for _path, headers, _body in receiver.got}) == 3
    assert [row["state"] for row in deliveries(world)] == ["sent"]


def test_one_event_that_is_refused_keeps_the_others_back_for_moments_only(world, receiver):
    refused, taken = open_ticket(world), open_ticket(world)
    receiver.answers = [422]
    tell(world)
    world.clock.now += MINUTE / 2
    tell(world)
    assert [message["data"]["record"]["id"] for message in receiver.told()] == [refused, taken]


def test_a_redirect_is_not_followed(world, receiver):
    open_ticket(world)
    receiver.answers = [302]
    tell(world)
    assert [path for path, _headers, _body in receiver.got] == ["/erp"]
    assert "redirects are not followed" in deliveries(world)[0]["reason"]


def test_a_receiver_that_asks_for_time_gets_it_for_all_messages(world, receiver):
    def is_busy(handler):
        handler.send_response(429)
        handler.send_header("Retry-After", "1200")
        handler.end_headers()

    open_ticket(world)
    open_ticket(world)
    receiver.answers = [is_busy]
    tell(world)
    worker = worker_of(world)
    receiver.answers = [is_busy]
    world.clock.now += 19 * MINUTE
    worker.deliver()  # the other message, of which the receiver has not said anything
    world.clock.now += 19 * MINUTE
    worker.deliver()
    assert len(receiver.got) == 2
    world.clock.now += MINUTE
    assert worker.deliver() == 2


def test_a_receiver_that_is_gone_gets_nothing_more_and_administrators_see_it(world, receiver):
    open_ticket(world)
    open_ticket(world, urgency="high")
    receiver.answers = [410]
    worker = worker_of(world)
    worker.deliver()
    states = {(row["webhook"], row["state"], row["reason"]) for row in deliveries(world)}
    assert states == {("erp", "refused", "answered 410 Gone"), ("shop", "sent", None)}
    with reading(world.portal.engine) as connection:
        subjects = connection.scalars(sa.select(world.portal.tables.outbox.c["subject"])).all()
    assert "Messages to a webhook could not be delivered" in subjects
    open_ticket(world)  # someone has put the receiver up again
    world.clock.now += MINUTE
    assert worker.deliver() == 1


def test_webhooks_take_turns_so_that_a_slow_one_does_not_keep_the_others_waiting(world, receiver):
    def takes_nine_seconds(handler):
        world.clock.now += datetime.timedelta(seconds=9)
        handler.send_response(204)
        handler.end_headers()

    for _ticket in range(3):
        open_ticket(world, urgency="high")
    receiver.answers = [takes_nine_seconds]
    tell(world)
    assert [path for path, _headers, _body in receiver.got] == ["/erp", "/shop", "/shop", "/shop"]
    assert tell(world) == 2


def test_after_three_days_it_is_given_up_and_administrators_see_why(world, receiver):
    ticket = open_ticket(world)
    receiver.answers = [500]
    tell(world)
    world.clock.now += 20 * MINUTE
    health = world[NANCY].get("/-/health").json
    assert (health["webhooks"], health["oldest_webhook"]) == (1, 20 * 60)
    assert "webhooks" in health["behind"]
    assert "portal_waiting_webhooks 1.0" in world[NANCY].get("/-/metrics").text
    world.clock.now += 3 * DAY
    tell(world)
    assert len(receiver.got) == 1
    with reading(world.portal.engine) as connection:
        subjects = connection.scalars(sa.select(world.portal.tables.outbox.c["subject"])).all()
    assert "Messages to a webhook could not be delivered" in subjects
    world.account(NANCY, signed_in=None)
    browser = world.signed_in(NANCY)
    page = browser.get("/-/outbox?state=refused")
    assert "answered 500 Internal Server Error" in page
    assert f'href="/tickets/{ticket}/"' in page
    delivery = str(deliveries(world)[0]["id"])
    assert world.signed_in(ANNA).send("/-/outbox", {"delivery": delivery}).status_int == 404
    assert browser.send("/-/outbox", {"delivery": "4000000"}).status_int == 404
    browser.send("/-/outbox", {"delivery": delivery}, status=303)
    assert "This message will be sent again." in browser.get("/-/outbox")
    assert tell(world) == 1


def test_what_was_given_up_is_forgotten_as_what_was_told_is(world, receiver):
    open_ticket(world)
    receiver.answers = [500]
    tell(world)
    world.clock.now += 3 * DAY
    tell(world)
    assert [row["state"] for row in deliveries(world)] == ["refused"]
    world.clock.now += 91 * DAY
    worker_of(world).turn()
    assert deliveries(world) == []


def test_a_slow_receiver_keeps_no_email_waiting(world, receiver):
    asked, goes_on = threading.Event(), threading.Event()

    def waits(handler):
        asked.set()
        goes_on.wait(60)
        handler.send_response(204)
        handler.end_headers()

    open_ticket(world)
    receiver.answers = [waits]
    thread = threading.Thread(target=tell, args=[world])
    thread.start()
    assert asked.wait(60)
    assert worker_of(world).turn().announced == 2
    assert deliveries(world)[0]["state"] == "waiting"
    goes_on.set()
    thread.join()
    assert deliveries(world)[0]["state"] == "sent"


def test_a_worker_that_died_leaves_what_it_told_to_another(world, receiver):
    open_ticket(world)
    with writing(world.portal.engine) as connection:
        while queue.claim(connection, world.portal.tables.delivery, world.clock.now):
            pass
    assert tell(world) == 0
    world.clock.now += 11 * MINUTE
    assert tell(world) == 1


def test_without_a_key_everything_waits_and_the_log_says_so_once(world, receiver, caplog):
    open_ticket(world)
    worker = worker_of(world, keys=None)
    worker.deliver()
    worker.deliver()
    assert [record.getMessage() for record in caplog.records if "PORTAL_WEBHOOK_KEY" in record.getMessage()] != []
    assert sum("PORTAL_WEBHOOK_KEY" in record.getMessage() for record in caplog.records) == 1
    assert receiver.got == []
    assert tell(world) == 1


def test_an_error_of_the_portal_keeps_no_other_event_back(world, receiver, monkeypatch):
    broken, fine = open_ticket(world), open_ticket(world)
    write = delivering.write_message

    def fails(connection, tables, webhook, event_id, now):
        if event_id == deliveries(world)[0]["event"]:
            raise ZeroDivisionError
        return write(connection, tables, webhook, event_id, now)

    monkeypatch.setattr(delivering, "write_message", fails)
    tell(world)
    assert [message["data"]["record"]["id"] for message in receiver.told()] == [fine]
    monkeypatch.undo()
    world.clock.now += 2 * MINUTE
    tell(world)
    assert [message["data"]["record"]["id"] for message in receiver.told()] == [broken]


# -- one request ------------------------------------------------------------------------------------------------------


def test_while_secrets_are_renewed_the_old_one_is_right_too(receiver):
    now = datetime.datetime.now(datetime.UTC)
    new, old = webhook_secrets(f"{KEY} {KEY_BEFORE}", b"of the portal", "erp")
    assert [old] == webhook_secrets(KEY_BEFORE, b"of the portal", "erp")
    post(f"{receiver.url}/erp", [new, old], "msg_1", now, "{}")
    ((_path, headers, body),) = receiver.got
    assert [Webhook(secret).verify(body, headers) for secret in (new, old)] == [{}, {}]


def test_secrets_differ_by_webhook_and_portal():
    made = [webhook_secrets(KEY, portal, name)[0] for portal in (b"one", b"other") for name in ("erp", "shop")]
    assert len(set(made)) == 4


def test_an_answer_that_comes_a_byte_at_a_time_is_not_waited_for(receiver, monkeypatch):
    gone = threading.Event()

    def drips(handler):
        try:
            while not gone.wait(0.02):
                handler.wfile.write(b"H")
        except OSError:
            gone.set()

    monkeypatch.setattr(webhook_request, "LONGEST", 0.2)
    receiver.answers = [drips]
    with pytest.raises(DeliveryError):
        post(f"{receiver.url}/erp", [], "msg_1", datetime.datetime.now(datetime.UTC), "{}")
    gone.set()
    assert len(receiver.got) == 1


def test_a_handshake_that_comes_a_byte_at_a_time_is_not_waited_for(monkeypatch):
    hung_up = threading.Event()

    class Drips(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"\x16\x03\x03\x40\x00")  # so much of TLS is to follow
            with contextlib.suppress(OSError):
                for _byte in range(100):
                    hung_up.wait(0.02)
                    self.request.sendall(b"\x02")
                return
            hung_up.set()

    monkeypatch.setattr(webhook_request, "LONGEST", 0.2)
    with socketserver.TCPServer(("127.0.0.1", 0), Drips) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(DeliveryError):
            post(
                f"https://127.0.0.1:{server.server_address[1]}/", [], "msg_1", datetime.datetime.now(datetime.UTC), "{}"
            )
        thread.join()
    assert hung_up.is_set()


@pytest.mark.parametrize("answer", [b"\x00 nonsense\r\n\r\n", b"HTTP/\x00 200 OK\r\n\r\n"])
def test_what_answers_in_another_language_is_put_off_and_none_of_it_kept(world, receiver, answer):
    open_ticket(world)
    receiver.answers = [lambda handler: handler.wfile.write(answer)]
    tell(world)
    (row,) = deliveries(world)
    assert (row["state"], row["reason"], row["locked_until"]) == ("waiting", "did not answer in HTTP", None)


def test_an_address_of_ipv6_without_a_port_is_understood(monkeypatch):
    asked = []

    def refuse(address, *_more):
        asked.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    for url in ("https://[2001:db8::5]/hook", "http://[::1]/hook", "https://[2001:db8::5]:8443/hook"):
        with pytest.raises(DeliveryError, match="refused"):
            post(url, [], "msg_1", datetime.datetime.now(datetime.UTC), "{}")
    assert asked == [("2001:db8::5", 443), ("::1", 80), ("2001:db8::5", 8443)]


def test_an_unreachable_receiver_is_reported_in_words():
    with pytest.raises(DeliveryError, match="refused"):
        post("http://127.0.0.1:9/hook", [], "msg_1", datetime.datetime.now(datetime.UTC), "{}")


def test_a_proxy_of_the_machine_is_asked_for_the_way(receiver, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", receiver.url.replace("//", "//portal:p%40ss@"))
    with pytest.raises(DeliveryError, match="501"):  # the receiver is no proxy
        post("https://erp.example/hook", [], "msg_1", datetime.datetime.now(datetime.UTC), "{}")
    ((path, headers, _body),) = receiver.got
    assert (path, headers["Proxy-Authorization"]) == ("erp.example:443", "Basic cG9ydGFsOnBAc3M=")


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [("120", 120), ("Thu, 05 Mar 2026 12:02:00 GMT", 120), ("9" * 30, 3600), ("-5", 0), ("soon", 0), ("", 0)],
)
def test_for_how_long_the_other_side_asks(answer, seconds):
    assert webhook_request.requested_pause(answer, NOW) == datetime.timedelta(seconds=seconds)


# -- declarations -----------------------------------------------------------------------------------------------------


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

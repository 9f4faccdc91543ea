"""A portal that tells webhooks what happens, and a real server that receives it."""

import datetime
import http.server
import json
import shutil
import threading

import pytest
import sqlalchemy as sa

from portal.accounts.keys_and_tokens import portal_key
from portal.database.engine import reading, writing
from portal.jobs.webhook_request import webhook_secrets
from portal.jobs.worker import Worker
from tests.functional.world import PORTALS, opened_world

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

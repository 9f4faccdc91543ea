"""One request to a webhook: its signature, and what answers it."""

import contextlib
import datetime
import socket
import socketserver
import threading

import pytest
from standardwebhooks.webhooks import Webhook

from portal.jobs import webhook_request
from portal.jobs.webhook_request import DeliveryError, post, webhook_secrets
from tests.functional.test_emails import open_ticket
from tests.functional.webhooks_portal import (
    KEY,
    KEY_BEFORE,
    NOW,
    deliveries,
    open_receiver,
    receiver,
    tell,
    telling_world,
    world,
)

__all__ = ["open_receiver", "receiver", "telling_world", "world"]  # fixtures
# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices


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

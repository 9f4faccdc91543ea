"""Webhooks whose receiver fails, is slow or is gone: everything is sent later, or given up and reported."""

import datetime
import threading

import pytest
import sqlalchemy as sa

from portal.database import queue
from portal.database.engine import reading, writing
from portal.jobs import delivering
from tests.functional.test_emails import open_ticket
from tests.functional.webhooks_portal import (
    DAY,
    MINUTE,
    deliveries,
    open_receiver,
    receiver,
    tell,
    telling_world,
    worker_of,
    world,
)
from tests.functional.world import ANNA, NANCY

__all__ = ["open_receiver", "receiver", "telling_world", "world"]  # fixtures
# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices


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

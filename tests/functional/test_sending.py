"""Emails on their way, with a real mail server: none is lost, none doubled, whatever happens to either side."""

import asyncio
import contextlib
import datetime
import email
import email.policy
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from portal.accounts.accounts import Account, find_account
from portal.database import outbox
from portal.database.engine import make_engine, reading, writing
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.jobs.worker import Worker
from portal.mail import builder, record_letters
from portal.mail.account_letters import password_changed_letter
from portal.mail.builder import Sender
from portal.mail.letter_text import read_letter
from portal.mail.smtp import SmtpServer
from tests.functional.test_emails import comment, open_ticket
from tests.functional.world import ANNA, NANCY, PORTALS, Browser

TIMEOUT = 120  # seconds; the machine may be busy
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


class MailServer:
    """A real SMTP server in a thread; `answers`: its replies to the next letters instead of accepting them."""

    def __init__(self):
        self.taken, self.connections, self.answers = [], 0, []
        self.wait_in_letter = 0  # in which letter it waits until it `goes_on`
        self.is_waiting, self.goes_on, self.has_all = threading.Event(), threading.Event(), threading.Event()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.controller = None

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 - named by aiosmtpd
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if len(self.taken) + 1 == self.wait_in_letter and not self.goes_on.is_set():
            self.is_waiting.set()
            await asyncio.get_running_loop().run_in_executor(None, self.goes_on.wait)
            return "451 too late"
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "die":  # it has taken the letter and says nothing any more
            self.taken.append(envelope)
            server.transport.abort()
            return "451 gone"
        if answer:
            return answer
        self.taken.append(envelope)
        if len(self.taken) == 6:
            self.has_all.set()
        return "250 OK"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=TIMEOUT)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    @property
    def ids(self):
        """The Message-IDs of accepted letters."""
        return [email.message_from_bytes(each.content, policy=email.policy.SMTP)["Message-ID"] for each in self.taken]


@pytest.fixture
def server():
    running = MailServer()
    running.start()
    yield running
    running.stop()


def worker_of(world, server):
    smtp = SmtpServer.parse(f"smtp://127.0.0.1:{server.port}")
    address = "https://care.example"
    return Worker(world.portal.engine, lambda: world.portal.tables, world.clock, lambda tables: address, smtp)


def queue(world, number=1, **options):
    sender = Sender(world.portal.declaration, "https://care.example", world.clock.now)
    account = Account(1, ANNA, "Anna Rossi", "customer")
    with writing(world.portal.engine) as connection:
        for _number in range(number):
            letter = password_changed_letter(sender, account)
            outbox.put_letter(connection, world.portal.tables, letter, world.clock.now, **options)


def rows(world):
    with reading(world.portal.engine) as connection:
        table = world.portal.tables.outbox
        return connection.execute(sa.select(table).order_by(table.c["id"])).mappings().all()


def states(world):
    return [row["state"] for row in rows(world)]


def test_one_connection_carries_many_letters(post, server):
    queue(post, 5)
    assert worker_of(post, server).turn().sent == 5
    assert states(post) == ["sent"] * 5
    assert server.connections == 1
    assert sorted(server.ids) == sorted(row["message_id"] for row in rows(post))
    envelope = server.taken[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("inbox@post.example", [ANNA])
    assert worker_of(post, server).turn().sent == 0


def test_a_full_disk_delays_letters_and_loses_none(post, server):
    engine = post.portal.engine
    if engine.dialect.name != "sqlite":
        pytest.skip("no disk of PostgreSQL is filled here")

    def no_page_more(connection):
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes this as the present size

    def enough_pages(connection):
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    with writing(engine) as connection:  # until no free page is left
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
        connection.execute(sa.insert(post.portal.tables.comment).values(text="x" * 4096 * (free + 1)))
    worker = worker_of(post, server)
    sa.event.listen(engine, "begin", no_page_more)
    with pytest.raises(sa.exc.OperationalError, match="full"):
        queue(post, 5)
    worker.turn()
    assert states(post) == []
    sa.event.remove(engine, "begin", no_page_more)
    sa.event.listen(engine, "begin", enough_pages)
    queue(post, 5)
    assert worker.turn().sent == 5
    assert sorted(server.ids) == sorted(row["message_id"] for row in rows(post))
    sa.event.remove(engine, "begin", enough_pages)


def test_a_server_that_is_away_delays_letters_and_loses_none(post, server, monkeypatch):
    monkeypatch.setattr(post.app.registry, "serving", replace(post.app.registry.serving, sends_email=True))
    server.stop()
    queue(post, 3)
    worker = worker_of(post, server)
    for _time in range(12):
        worker.turn()
        post.clock.now += 5 * MINUTE
    assert set(states(post)) == {"waiting"}
    page = post[NANCY].get("/-/outbox")
    assert "3 emails are waiting." in page
    assert page.text.count("Connection refused") == 2  # also beside the email that is next
    post.clock.now += 5 * MINUTE
    assert "portal worker is not running" in post[NANCY].get("/-/outbox")
    post.clock.now += 2 * DAY
    queue(post, ahead=True)
    server.start()
    worker.turn()
    assert [(row["state"], row["attempts"]) for row in rows(post)] == [("sent", 1)] * 4
    assert len(set(server.ids)) == len(server.ids) == 4
    assert server.ids[0] == rows(post)[-1]["message_id"]


def test_a_letter_that_someone_waits_for_is_retried_before_all_others(post, server):
    server.answers = ["451 greylisted, come back"]
    queue(post, ahead=True)
    queue(post, 2)
    worker = worker_of(post, server)
    assert worker.turn().sent == 2
    queue(post, 2)
    assert (states(post)[0], worker.turn().sent) == ("waiting", 2), "it waits for its pause"
    queue(post, 2)
    post.clock.now += MINUTE
    assert worker.turn().sent == 3
    assert server.ids[4] == rows(post)[0]["message_id"]


def test_a_link_that_expires_before_its_email_can_be_sent_is_not_sent(post, server):
    server.stop()
    browser = Browser(post.app)
    token = browser.get("/password/forgotten").html.find("input", attrs={"name": "_csrf"})["value"]
    browser.post("/password/forgotten", {"_csrf": token, "email": ANNA}, status=303)
    worker = worker_of(post, server)
    worker.turn()
    post.clock.now += 61 * MINUTE
    server.start()
    worker.turn()
    reset, told = rows(post)
    assert (reset["state"], told["recipient"]) == ("refused", f"Nancy Smith <{NANCY}>")
    assert server.ids == []
    worker.turn()
    assert server.ids == [told["message_id"]]


def test_a_letter_whose_link_no_longer_works_is_not_sent_again(post, server, monkeypatch):
    monkeypatch.setattr(post.app.registry, "serving", replace(post.app.registry.serving, sends_email=True))
    browser, sentence = post[NANCY], "The link in this email no longer works."
    visitor = Browser(post.app)
    token = visitor.get("/password/forgotten").html.find("input", attrs={"name": "_csrf"})["value"]
    visitor.post("/password/forgotten", {"_csrf": token, "email": ANNA}, status=303)
    worker = worker_of(post, server)
    assert worker.turn().sent == 1
    [letter] = rows(post)
    page = browser.get(f"/-/outbox?letter={letter['id']}")
    assert sentence not in page
    again = next(form for form in page.forms.values() if "letter" in form.fields)
    again.submit(status=303)
    [waiting] = rows(post)
    assert (waiting["state"], waiting["give_up"]) == ("waiting", letter["give_up"])
    assert worker.turn().sent == 1
    post.clock.now += 61 * MINUTE
    answer = again.submit(status=303).follow()
    assert sentence in answer
    assert "Send again" not in answer
    assert states(post) == ["sent"]


def test_a_one_time_link_that_someone_wrote_is_not_that_of_their_email(post, server):
    record = open_ticket(post)
    worker_of(post, server).turn()
    comment(post, NANCY, record, f"Is this one yours? https://care.example/signup/{'a' * 43}")
    post.clock.now += 10 * MINUTE
    worker_of(post, server).turn()
    [letter] = [row for row in rows(post) if "Is this one yours?" in read_letter(row["message"])]
    assert "no longer works" not in post[NANCY].get(f"/-/outbox?letter={letter['id']}")


def test_a_letter_that_keeps_its_place_until_a_retry_is_sent_again_at_once(post, server):
    visitor = Browser(post.app)
    token = visitor.get("/password/forgotten").html.find("input", attrs={"name": "_csrf"})["value"]
    visitor.post("/password/forgotten", {"_csrf": token, "email": ANNA}, status=303)
    server.answers = ["451 later"]
    worker = worker_of(post, server)
    assert worker.turn().sent == 0
    [letter] = rows(post)
    post[NANCY].send("/-/outbox", {"letter": str(letter["id"])}, status=303)
    assert worker.turn().sent == 1


def test_a_letter_for_people_with_access_is_not_sent_to_others(post, server):
    with reading(post.portal.engine) as connection:
        anna, nancy = (find_account(connection, post.portal.tables, email).id for email in (ANNA, NANCY))
    for account in (anna, nancy):
        queue(post, about=outbox.About(account=account))
    post.account(ANNA, disabled=True)
    post.clock.now += MINUTE
    worker_of(post, server).turn()
    assert states(post) == ["refused", "sent"]


def test_sending_many_letters_leaves_time_for_the_other_tasks(post, server):
    queue(post, 3)
    worker = worker_of(post, server)
    taken = server.taken
    worker.sending.clock = lambda: post.clock.now + len(taken) * datetime.timedelta(seconds=20)
    assert [worker.turn().sent for _turn in range(3)] == [2, 1, 0]


def test_what_a_module_keeps_from_being_done_keeps_no_letter_back(post, server):
    def rename(before, after):
        with writing(post.portal.engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")

    queue(post)
    rename("tickets", "tickets_away")
    try:
        assert worker_of(post, server).turn().sent == 1
    finally:
        rename("tickets_away", "tickets")


def test_a_waiting_letter_is_rewritten_for_its_recipient_alone(post, server, monkeypatch):
    server.stop()
    open_ticket(post)
    worker = worker_of(post, server)
    worker.turn()
    assert sorted(row["recipient"] for row in rows(post)) == [f"Anna Rossi <{ANNA}>", f"Nancy Smith <{NANCY}>"]
    written = []
    monkeypatch.setattr(
        record_letters, "write_letter", lambda *about: written.append(about) or builder.write_letter(*about)
    )
    server.start()
    post.clock.now += 10 * MINUTE
    assert worker.turn().sent == 2
    assert len(written) == 2


def test_a_server_that_dies_while_it_takes_a_letter_gets_it_again_with_the_same_id(post, server):
    queue(post)
    server.answers = ["die"]
    worker = worker_of(post, server)
    worker.turn()
    assert states(post) == ["waiting"]
    post.clock.now += 2 * MINUTE
    worker.turn()
    assert states(post) == ["sent"]
    assert len(server.ids) == 2
    assert len(set(server.ids)) == 1


def test_a_refusal_is_tried_again_and_believed_when_it_lasts(post, server):
    queue(post)
    server.answers = ["451 later", "550 never", "550 never"]
    worker = worker_of(post, server)
    for _try in range(2):
        worker.turn()
        assert states(post) == ["waiting"]
        post.clock.now += 10 * MINUTE
    worker.turn()
    row, told = rows(post)
    assert (row["state"], row["reason"], row["attempts"]) == ("refused", "550 never", 3)
    assert (told["recipient"], told["subject"]) == (f"Nancy Smith <{NANCY}>", "Some emails could not be sent")
    assert worker.turn().sent == 1
    post.clock.now += DAY
    assert worker.turn().sent == 0


def test_a_refused_letter_keeps_no_other_waiting_until_many_in_a_row_are_refused(post, server):
    queue(post, 20)
    server.answers = ["550 unknown", *[""] * 5, *["452 full"] * 12]
    worker = worker_of(post, server)
    for _turn in range(2):
        worker.turn()
        assert (len(server.ids), len(server.answers)) == (5, 2)
    post.clock.now += MINUTE
    worker.turn()
    assert len(server.ids) == 18


def test_after_three_days_a_letter_is_given_up_and_administrators_are_notified_once(post, server):
    queue(post, 2)
    server.stop()
    worker = worker_of(post, server)
    worker.turn()
    post.clock.now += 3 * DAY
    worker.turn()
    *given_up, told = rows(post)
    assert [row["state"] for row in given_up] == ["refused"] * 2
    assert (told["recipient"], told["state"]) == (f"Nancy Smith <{NANCY}>", "waiting")
    assert given_up[0]["reason"] == f"127.0.0.1:{server.port}: Connection refused"
    assert given_up[1]["reason"] == "Could not be sent in time"
    post.account(NANCY, signed_in=None)  # else a sign-in from here would be told, too
    browser = post.signed_in(NANCY)
    assert "Not sent" in browser.get("/-/outbox?state=refused")
    server.start()
    browser.send("/-/outbox", {"letter": str(given_up[0]["id"])}, status=303)
    post.clock.now += 10 * MINUTE
    worker.turn()
    assert states(post) == ["sent", "refused", "sent"]


def test_nobody_else_sends_letters_again(post, server):
    queue(post)
    worker_of(post, server).turn()
    letter = str(rows(post)[0]["id"])
    assert post[ANNA].send("/-/outbox", {"letter": letter}).status_int == 404
    assert post[NANCY].post("/-/outbox", {"letter": letter}, status="*").status_int == 400
    assert post[NANCY].send("/-/outbox", {"letter": "4000000"}).status_int == 404
    assert post[NANCY].send("/-/outbox", {"letter": "x"}).status_int == 404
    assert states(post) == ["sent"]


def test_several_workers_send_each_letter_once(post, server):
    queue(post, 40)
    workers = [worker_of(post, server) for _number in range(3)]
    threads = [threading.Thread(target=worker.turn) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.ids) == len(set(server.ids)) == 40


def test_a_worker_that_died_leaves_its_letter_to_another(post, server):
    queue(post)
    with writing(post.portal.engine) as connection:
        assert outbox.claim_letter(connection, post.portal.tables, post.clock.now)
    assert worker_of(post, server).turn().sent == 0
    post.clock.now += 11 * MINUTE
    assert worker_of(post, server).turn().sent == 1


def test_a_clock_that_went_wrong_keeps_no_letter(post, server):
    post.clock.now += 300 * DAY
    queue(post)
    server.answers = ["451 later"]
    worker = worker_of(post, server)
    worker.turn()
    post.clock.now -= 299 * DAY
    assert worker_of(post, server).turn().sent == 1


@pytest.mark.parametrize("change", ["withdrawn right", "withdrawn comment"])
def test_what_may_no_longer_be_read_does_not_leave(post, server, change):
    record = open_ticket(post)
    server.stop()
    worker = worker_of(post, server)
    comment(post, NANCY, record, "Never to be read")
    post.clock.now += 2 * MINUTE
    worker.turn()
    assert any("Never to be read" in row["message"] for row in rows(post))
    if change == "withdrawn right":
        post.account(ANNA, disabled=True)
    else:
        with writing(post.portal.engine) as connection:
            comments = post.portal.tables.comment
            connection.execute(sa.delete(comments).where(comments.c["record"] == record))
    server.start()
    post.clock.now += 30 * MINUTE
    worker.turn()
    assert server.ids
    assert not any(b"Never to be read" in envelope.content for envelope in server.taken)


def test_a_stalled_server_does_not_stop_the_worker(post, monkeypatch):
    monkeypatch.setattr("portal.mail.smtp.TIMEOUT", 0.2)
    queue(post)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:

        class Silent:
            port = silent.getsockname()[1]

        assert worker_of(post, Silent).turn().sent == 0
    (row,) = rows(post)
    assert row["state"] == "waiting"
    assert "timed out" in row["reason"]


@pytest.mark.parametrize(
    "address", ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example:x", "smtp://a/b"]
)
def test_a_wrong_address_of_the_server_is_one_sentence(address):
    with pytest.raises(ValueError, match="PORTAL_SMTP must be an address"):
        SmtpServer.parse(address)


def test_a_killed_process_loses_no_letter_and_ends_by_itself_when_told_to(tmp_path, filled_sqlite, server):
    path = shutil.copy(filled_sqlite, tmp_path / "portal.sqlite")
    engine, tables = make_engine(f"sqlite:///{path}"), build(load(PORTALS / "small").declaration)
    sender = Sender(tables.declaration, "https://care.example", datetime.datetime.now(datetime.UTC))
    with writing(engine) as connection:
        for _number in range(6):
            letter = password_changed_letter(sender, Account(1, ANNA, "Anna Rossi", "customer"))
            outbox.put_letter(connection, tables, letter, sender.now)
        expected = set(connection.scalars(sa.select(tables.outbox.c["message_id"])))
    environment = {
        **os.environ, "PORTAL_FOLDER": str(PORTALS / "small"), "PORTAL_DATABASE": f"sqlite:///{path}",
        "PORTAL_SMTP": f"smtp://127.0.0.1:{server.port}",
    }  # fmt: skip
    command = [str(Path(sys.executable).parent / "portal"), "worker"]
    server.wait_in_letter = 3
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as killed:
        assert server.is_waiting.wait(TIMEOUT)
        killed.kill()
    server.goes_on.set()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert server.has_all.wait(TIMEOUT), server.ids
        process.send_signal(signal.SIGTERM)
        output, _errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert output.splitlines() == [f"Sending emails by 127.0.0.1:{server.port}", "Stopped"]
    assert set(server.ids) == expected
    with reading(engine) as connection:
        assert connection.scalars(sa.select(tables.outbox.c["state"])).all() == ["sent"] * 6
    engine.dispose()


def test_the_address_of_the_server_shows_no_password():
    server = SmtpServer.parse("smtp://anna%40b.example:p%2Fw@mail.example")
    assert (server.user, server.password, server.port) == ("anna@b.example", "p/w", 587)
    assert "p/w" not in f"{server} {server!r}"


def test_what_was_sent_long_ago_is_deleted(post, server):
    queue(post)
    worker = worker_of(post, server)
    worker.turn()
    post.clock.now += 80 * DAY
    worker.turn()
    assert states(post) == ["sent"]
    post.clock.now += 11 * DAY
    worker.turn()
    assert states(post) == []

"""Mail that attempts more than its sender may: access for others, a mail loop, a second comment after a crash."""

import pytest

from portal.jobs.worker import Worker
from tests.functional.test_granting import rows
from tests.functional.test_mail_in import ANNA, BRUNO, CARLA, PNG, Post, app, mail, post, small_portal, ticket

__all__ = ["app", "post", "small_portal", "ticket"]  # fixtures
pytestmark = pytest.mark.sqlite_suffices
HELP = "help@supplier.example"


def test_people_named_in_a_mail_gain_no_access(post: Post, ticket: str, another_browser, sign_in):
    copied = {"Cc": f"Carla <{CARLA}>", "Reply_To": BRUNO}

    assert post.brings(mail(ANNA, HELP, "For your eyes.", **copied)).kind == "created"
    assert post.brings(mail(ANNA, post.reply_address(ANNA), "For yours too.", **copied), CARLA).kind == "commented"

    carla = sign_in(CARLA, browser=another_browser())
    assert [carla.get(f"/tickets/{number}/", status="*").status_int for number in (1, 2)] == [404, 404]
    assert rows(post.app, "watcher") == []
    assert post.recipients() == [ANNA]


@pytest.mark.parametrize("header", ["Reply_To", "Sender", "Return_Path", "Resent_From", "X_Original_From"])
def test_the_sender_is_in_no_other_header(post: Post, ticket: str, header: str):
    forged = mail("eve@elsewhere.example", post.reply_address(ANNA), "Close it.", **{header: ANNA})

    assert post.brings(forged).kind == "kept"
    assert "Close it." not in post.app.get(ticket)


def test_two_portals_that_write_to_each_other_stop_at_once(post: Post, ticket: str):
    """The portal's letters come back to it in a known person's name, as if from another portal's inbox."""
    tables = post.portal.tables
    worker = Worker(post.portal.engine, lambda: tables, post.clock, lambda _tables: "http://localhost", None)
    worker.turn()
    [receipt] = post.letters("created")[:1]
    letters = len(rows(post.app, "outbox"))
    for to in (HELP, post.reply_address(ANNA)):
        for name, value in (("From", ANNA), ("To", to), ("Message-ID", f"<{to}>")):
            receipt.replace_header(name, value)
        assert post.brings(receipt).kind == "kept"

    post.clock.pass_by(minutes=3)
    worker.turn()
    assert len(rows(post.app, "tickets")) == 1
    assert len(rows(post.app, "outbox")) == letters


def test_a_crash_before_the_end_leaves_nothing_and_the_mail_is_used_when_it_comes_again(post: Post, ticket: str):
    message = mail(ANNA, post.reply_address(ANNA))
    message.add_attachment(PNG, "image", "png", filename="jam.png")

    def crash(receiver):
        receiver.receive(message.as_bytes(), ())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        post.receiving(crash)
    assert rows(post.app, "comment") == rows(post.app, "mail") == []
    assert post.brings(message).kind == "commented"
    assert post.brings(message).kind == "duplicate"
    page = post.app.get(ticket)
    assert len(page.html.select(".note")) == 1
    assert "jam.png" in page

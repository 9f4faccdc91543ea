"""The files of mails: refused ones are mentioned in the text, as the sender would not know otherwise."""

import pytest

from tests.functional.conftest import served
from tests.functional.test_mail_in import ANNA, BRUNO, PNG, Post, app, mail, post, ticket, with_inbox
from tests.portal_files import change

__all__ = ["app", "post", "ticket"]  # fixtures
pytestmark = pytest.mark.sqlite_suffices
LIMITED = "comments: true\n    attachments: {max_size: 2 kB, types: [image/*, application/pdf]}\n    lifecycle"
LARGE = b"%PDF-1.4" + b"x" * 2_000


@pytest.fixture(scope="module")
def small_portal(request):
    """Tickets take pictures and small files."""

    def declare(folder):
        change(folder, "comments: true\n    lifecycle", LIMITED)
        with_inbox(folder)

    with served(request, declare) as portal:
        yield portal


def test_a_mail_says_below_its_text_which_files_were_not_added(post: Post, ticket: str):
    for to, subject in (("help@supplier.example", "Fax"), (post.reply_address(ANNA), "Re: Printer")):
        message = mail(ANNA, to, "Look here.", subject)
        message.add_attachment(PNG, "image", "png", filename="fax.png")
        message.add_attachment(LARGE, "application", "pdf", filename="manual.pdf")
        post.brings(message)
    refused = "[“manual.pdf” was not added: it is 2,008 bytes, and the limit is 2,000 bytes.]"
    for page, part in ((post.app.get("/tickets/2/"), ".fields"), (post.app.get("/tickets/1/"), ".note .lines")):
        assert page.html.select_one(part).text.split("Look here.")[1].strip().startswith(refused)
        assert [link.text for link in page.html.select("#documents a.name")] == ["fax.png"]


def test_a_mail_with_nothing_but_refused_files_is_no_empty_comment(post: Post, ticket: str):
    message = mail(ANNA, post.reply_address(ANNA), "")
    message.add_attachment(b"MZ", "application", "x-msdownload", filename="setup.exe")
    post.brings(message)
    text = post.app.get("/tickets/1/").html.select_one(".note .lines").text
    assert text == "[“setup.exe” was not added: its type is not among those that are accepted (pictures, PDF).]"


def test_an_empty_file_is_reported(post: Post, ticket: str):
    message = mail(ANNA, post.reply_address(ANNA), "See the scan.")
    message.add_attachment(b"", "application", "pdf", filename="scan.pdf")
    message.add_attachment(b"", "image", "png", filename="logo.png", cid="<logo>")
    post.brings(message)
    text = post.app.get("/tickets/1/").html.select_one(".note .lines").text
    assert text == "See the scan.\n\n[“scan.pdf” was not added: it is empty.]"


def test_senders_who_may_add_no_files_are_notified_but_not_about_inline_pictures(post: Post, ticket: str):
    for name, content_id in (("logo.png", "<logo>"), ("fax.png", None)):
        message = mail(BRUNO, post.reply_address(BRUNO), f"With {name}.")
        message.add_attachment(PNG, "image", "png", filename=name, cid=content_id)
        assert post.brings(message).reason == "its files were not added: its sender may not add files to this record"
    told, untold = (note.text for note in post.app.get("/tickets/1/").html.select(".note .lines"))
    assert told == "With fax.png.\n\n[The files of this email were not added: files are not accepted here.]"
    assert untold == "With logo.png."

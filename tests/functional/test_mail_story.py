"""A story by mail, with real servers: from the first mail of someone without access to a closed ticket."""

import email
import email.policy
import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from webtest import TestApp

from portal.jobs.worker import Worker
from portal.mail.incoming.sources import serve_lmtp
from portal.mail.smtp import SmtpServer
from tests.functional.conftest import fill_in, form_of
from tests.functional.test_mail_in import NANCY, PNG, Post, app, portal_folder, post, small_portal
from tests.functional.test_mail_sources import free_port
from tests.functional.test_sending import MailServer, server
from tests.portal_files import change

__all__ = ["app", "portal_folder", "post", "server", "small_portal"]  # fixtures
PASSWORD = "a long and good password"
ZOE = "zoe@globex.example"


class MailProgram:
    """Zoe's mail program: it delivers to the portal by LMTP, and gets what the portal's mail server accepts."""

    def __init__(self, port: int, server: MailServer) -> None:
        self.port, self.server, self.first_id = port, server, ""

    def send(self, to: str, subject: str, text: str, photo: bytes = b"", answers: EmailMessage | None = None) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"Zoe <{ZOE}>", to, subject
        message["Message-ID"] = f"<{abs(hash(text))}@globex.example>"
        self.first_id = self.first_id or str(message["Message-ID"])
        if answers is not None:
            message["In-Reply-To"] = answers["Message-ID"]
            text += "".join(f"\n> {line}" for line in answers.get_body(("plain",)).get_content().split("\n"))
        message.set_content(text)
        if photo:
            message.add_attachment(photo, "image", "png", filename="jam.png")
        with smtplib.LMTP("127.0.0.1", self.port) as lmtp:
            lmtp.sendmail(ZOE, [to], message.as_bytes(policy=email.policy.SMTP))

    @property
    def letters(self) -> list[EmailMessage]:
        """Letters to Zoe, oldest first."""
        mails = [email.message_from_bytes(taken.content, policy=email.policy.SMTP) for taken in self.server.taken]
        return [mail for mail in mails if ZOE in str(mail["To"])]

    @property
    def newest(self) -> EmailMessage:
        return self.letters[-1]

    def link(self, path: str) -> str:
        """The newest link to `path`."""
        texts = [letter.get_body(("plain",)).get_content() for letter in self.letters]
        links = [link for text in texts for link in re.findall(rf"http://localhost({re.escape(path)}\S*)", text)]
        return links[-1]


@pytest.fixture
def program(post: Post, server: MailServer) -> Iterator[MailProgram]:
    def use(raw: bytes, envelope: tuple[str, ...]) -> None:
        post.receiving(lambda receiver: receiver.receive(raw, envelope))

    port = free_port()
    controller = serve_lmtp("127.0.0.1", port, use)
    yield MailProgram(port, server)
    controller.stop()


@pytest.fixture
def worker(post: Post, server: MailServer) -> Worker:
    smtp = SmtpServer.parse(f"smtp://127.0.0.1:{server.port}")
    return Worker(post.portal.engine, lambda: post.portal.tables, post.clock, lambda tables: "http://localhost", smtp)


@pytest.mark.sqlite_suffices
def test_a_customer_without_access_writes_is_let_in_answers_is_reminded_and_closes(
    post: Post, worker: Worker, program: MailProgram, portal_folder: Path, sign_in, another_browser
):
    change(portal_folder, "    comments: true\n", "    comments: true\n    mail: {remind: {waiting: 3 days}}\n")
    nancy, zoe = sign_in(NANCY, browser=another_browser()), another_browser()

    # Support knows her; she has no access, and writes.
    person = fill_in(nancy, "/people/create", {"name": "Zoe Vidal", "email": ZOE}).location
    program.send("help@supplier.example", "Paper jam", "The tray does not close.")
    assert "Paper jam" in nancy.get("/tickets/")

    let_in(nancy, person)
    worker.turn()
    accept(zoe, program.link("/password/"))
    assert "Paper jam" in zoe.get("/tickets/")

    # Support asks; she answers from her mail program, with a photo.
    comment(nancy, "Can you send us a photo?")
    post.clock.pass_by(minutes=3)
    worker.turn()
    asked = program.newest
    assert "Can you send us a photo?" in asked.get_body(("plain",)).get_content()
    assert asked["In-Reply-To"] == program.first_id  # so that mail programs show it below her own message
    program.send(str(asked["Reply-To"]), "Re: Paper jam", "Here it is.", PNG, answers=asked)
    note = nancy.get("/tickets/1/").html.select_one(".note")
    assert note.select_one(".lines").text == "Here it is."
    assert "jam.png" in note.text

    # Support asks again; she is silent, and is reminded once.
    comment(nancy, "Does it work now?")
    letters = len(program.letters)
    for _day in range(5):
        post.clock.pass_by(days=1)
        worker.turn()
    assert len(program.letters) == letters + 2  # the question and the reminder
    assert "Reminder: this is waiting for you." in program.newest.get_body(("plain",)).get_content()

    # Support has solved it; the button in the letter leads her to the ticket, which she closes.
    sign_in(NANCY, browser=nancy)
    form_of(nancy.get("/tickets/1/"), "/tickets/1/move/resolve").submit(status=303)
    post.clock.pass_by(minutes=3)
    worker.turn()
    sign_in(ZOE, PASSWORD, browser=zoe)
    page = zoe.get(program.link("/tickets/1/"))
    form = form_of(page.click(href="/tickets/1/move/close"), "/tickets/1/move/close")
    form["satisfaction"] = "5"
    assert "Closed" in form.submit(status=303).follow()


def let_in(browser: TestApp, person: str) -> None:
    """Gives access to the person with this address."""
    form = form_of(browser.get(f"{person}access"), f"{person.removeprefix('http://localhost')}access")
    form["profile"] = "customer"
    form.submit(status=303)


def accept(browser: TestApp, link: str) -> None:
    """Sets a password with the link of an invitation."""
    page = browser.get(link)
    form = next(form for form in page.forms.values() if "new" in form.fields)
    form["new"] = form["confirm"] = PASSWORD
    form.submit(status=303)


def comment(browser: TestApp, text: str) -> None:
    fill_in(browser, "/tickets/1/", {"text": text}, action="/tickets/1/comments")

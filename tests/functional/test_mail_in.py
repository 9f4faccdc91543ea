"""Incoming mail: what becomes of it on the pages, for whom, and what is kept aside."""

import datetime
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import sqlalchemy as sa
from pyramid.router import Router
from webtest import TestApp, TestResponse

from portal.accounts.accounts import find_account
from portal.accounts.giving_access import AccessRequest
from portal.accounts.keys_and_tokens import portal_key
from portal.commands.inbox import MailIntake
from portal.database.engine import reading, writing
from portal.database.outbox import About, put_letter
from portal.mail.announcement import load_announcement
from portal.mail.builder import Sender
from portal.mail.incoming.mail_rows import MailOutcome, stored_mails, unused_mails
from portal.mail.incoming.mail_store import MailStore
from portal.mail.incoming.receive import Receiver
from portal.mail.recipients import recipients
from portal.mail.record_letters import record_letters
from portal.mail.reply_address import ReplyTo, make_reply_address
from portal.records.writing.files import stored_file_names
from portal.settings import ProcessSettings
from portal.store.store import Store, Stored
from tests.functional.conftest import changeable, fill_in, form_of, served
from tests.functional.world import Rows, add_people
from tests.portal_files import change

ANNA, BRUNO, CARLA, NANCY = (
    "anna@acme.example", "bruno@acme.example", "carla@globex.example", "nancy@supplier.example",
)  # fmt: skip
INBOX = "inbox: {address: help@supplier.example, creates: tickets, title: title}\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" "1f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff5c2b9f130000000049454e44ae426082"
)  # fmt: skip

REPORT = """From: MAILER-DAEMON@mx.example
Message-ID: <report{id}@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; anna@acme.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {letter_id}
--b--
"""
on_sqlite = pytest.mark.sqlite_suffices  # the statements are few


class Post:
    """A portal that receives mail, and what is sent to it."""

    def __init__(self, app: object, clock: object) -> None:
        self.app, self.clock = app, clock

    @property
    def portal(self) -> object:
        return self.app.app.registry.live.current()

    def brings(self, mail: EmailMessage | bytes, *envelope: str) -> MailOutcome:
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        return self.receiving(lambda receiver: receiver.receive(raw, envelope))

    def receiving(self, use: Callable[[Receiver], Any]) -> Any:
        """What `use` returns, with what it stores."""
        store, tables = MailStore(self.app.app.registry.store()), self.portal.tables
        return store.in_transaction(
            self.portal.engine, lambda connection: use(Receiver(connection, tables, store, self.clock.now))
        )

    def reply_address(self, email: str, internal: bool = False) -> str:
        """The address for replies to someone's letter about a ticket."""
        account = self.portal.tables.account
        with writing(self.portal.engine) as connection:
            account_id = connection.execute(sa.select(account.c["id"]).where(account.c["email"] == email)).scalar_one()
            key = portal_key(connection, self.portal.tables)
        return make_reply_address(key, "help@supplier.example", ReplyTo("tickets", 1, account_id, internal))

    def letter_to(self, email: str, events: tuple[int, ...] = ()) -> str:
        """The Message-ID of a new letter about the first ticket, to someone."""
        letter = mail("help@supplier.example", email, id=make_msgid())
        with writing(self.portal.engine) as connection:
            account = find_account(connection, self.portal.tables, email)
            about = About("moved", account.id, "tickets", 1, events)
            put_letter(connection, self.portal.tables, letter, self.clock.now, about=about)
        return str(letter["Message-ID"])

    def letters(self, kind: str) -> list[EmailMessage]:
        """The letters about the last event of a kind, by recipient."""
        sender, tables = Sender(self.portal.declaration, "http://localhost", self.clock.now), self.portal.tables
        event = tables.event
        with writing(self.portal.engine) as connection:
            last = sa.select(event.c["id"]).where(event.c["kind"] == kind).order_by(event.c["id"].desc())
            news = load_announcement(connection, tables, "tickets", 1, [connection.execute(last.limit(1)).scalar_one()])
            found = record_letters(connection, tables, sender, portal_key(connection, tables), news)
        return [letter.message for letter in found]

    def recipients(self) -> list[str]:
        """Who would be notified of news about the first ticket."""
        sender = Sender(self.portal.declaration, "http://localhost", self.clock.now)
        with reading(self.portal.engine) as connection:
            found = recipients(connection, self.portal.tables, sender, "tickets", 1)
        return [recipient.account.email for recipient in found]


def mail(sender: str, to: str, text: str = "It still jams.", subject: str = "Printer", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = headers.pop("id", f"<{abs(hash((sender, to, text, subject)))}@mail.example>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def kept_address(page: TestResponse, action: str) -> str:
    """The target of a kept mail's form for `action`: ids may have gaps, since a transaction is retried."""
    return str(page.html.select_one(f'form[action^="/-/inbox/"][action$="/{action}"]')["action"])


def with_inbox(portal_folder: Path) -> None:
    modules = portal_folder / "modules.yaml"
    declared, without = modules.read_text(), "    comments: true\n    lifecycle"  # unless they are declared already
    modules.write_text(INBOX + declared.replace(without, "    comments: true\n    attachments: true\n    lifecycle"))
    change(portal_folder, "[create, comment,", "[create, comment, attach,", "profiles/customer.yaml")
    change(portal_folder, "people: {see: all, can: [", "people: {see: all, can: [grant, ", "profiles/staff.yaml")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def small_portal(request: pytest.FixtureRequest) -> Iterator[tuple[Router, Rows]]:
    """The small portal with an inbox; tickets take files."""
    with served(request, with_inbox) as portal:
        yield portal


@pytest.fixture
def app(shared_app: TestApp) -> TestApp:
    return shared_app


@pytest.fixture
def portal_folder(app: TestApp) -> Iterator[Path]:
    with changeable(app.app.registry.live) as folder:
        yield folder


@pytest.fixture
def post(app: TestApp, clock: object) -> Post:
    return Post(app, clock)


@pytest.fixture
def ticket(post: Post, sign_in: Callable) -> str:
    """The address of a ticket by Anna, with Anna signed in."""
    return fill_in(sign_in(ANNA, browser=post.app), "/tickets/create", {"title": "Printer jams"}).location


@on_sqlite
def test_a_reply_becomes_a_comment_without_what_it_quotes(post: Post, ticket: str):
    text = "It still jams.\n\nOn Thu, 5 Mar 2026 at 12:00, Small Portal <help@supplier.example> wrote:\n> Try again."

    outcome = post.brings(mail(f"Anna <{ANNA}>", post.reply_address(ANNA), text))

    page = post.app.get(ticket)
    assert outcome == MailOutcome("commented", "", ("tickets", 1))
    assert page.html.select_one(".note .lines").text == "It still jams."
    assert "by email" in page.html.select_one(".note header").text
    assert "Try again." in page.html.select_one(".note details").text


@on_sqlite
def test_a_reply_moves_the_record_as_a_comment_on_the_page_does(post: Post, ticket: str):
    post.brings(mail(ANNA, post.reply_address(ANNA)))
    post.brings(mail(NANCY, post.reply_address(NANCY), "Which paper?"))

    assert "Waiting for you" in post.app.get(ticket)


@on_sqlite
def test_an_answer_by_mail_ends_the_pause_of_a_deadline(post: Post, sign_in: Callable, portal_folder: Path):
    due = "{type: datetime, within: 2 days, pause: [waiting]}"
    change(portal_folder, "      cost: money", f"      cost: money\n      due: {due}")
    change(portal_folder, "aside: [status,", "aside: [status, due,")
    ticket = fill_in(sign_in(ANNA, browser=post.app), "/tickets/create", {"title": "Printer jams"}).location

    def shown() -> str:
        return str(post.app.get(ticket).html.select_one("aside dl").get_text(" "))

    assert "Mar 7, 2026" in shown()
    post.clock.now += datetime.timedelta(hours=6)
    post.brings(mail(NANCY, post.reply_address(NANCY), "Which paper?"))
    assert "Paused" in shown()
    post.clock.now += datetime.timedelta(days=3)
    post.brings(mail(ANNA, post.reply_address(ANNA), "A4"))
    sign_in(ANNA, browser=post.app)
    assert "Mar 10, 2026" in shown()


@on_sqlite
def test_what_staff_quote_is_not_shown_to_customers(post: Post, ticket: str):
    quoting = (
        "Which paper?\n\nOn Thu, 5 Mar 2026 at 12:00, Portal <help@supplier.example> wrote:\n> an internal thought"
    )

    post.brings(mail(NANCY, post.reply_address(NANCY), quoting))

    page = post.app.get(ticket)
    assert "Which paper?" in page
    assert "an internal thought" not in page


@pytest.mark.parametrize(
    ("sender", "recipient", "reason"),
    [
        (CARLA, ANNA, "went to someone else"),
        (CARLA, CARLA, "may not see the record"),
        ("stranger@elsewhere.example", ANNA, "went to someone else"),
    ],
)
@on_sqlite
def test_only_the_recipient_of_the_letter_can_reply(post: Post, ticket: str, sender: str, recipient: str, reason: str):
    outcome = post.brings(mail(sender, post.reply_address(recipient), "Forged."))

    assert outcome.kind == "kept"
    assert reason in outcome.reason
    assert "Forged." not in post.app.get(ticket)


@on_sqlite
def test_machines_forgers_and_poison_are_kept_aside(post: Post, ticket: str):
    automatic = {"Auto_Submitted": "auto-replied"}
    forged = {"Authentication_Results": "mx.supplier.example; spf=fail; dmarc=fail (p=reject)"}

    to_record = post.brings(mail(ANNA, post.reply_address(ANNA), "Away.", **automatic))
    to_inbox = post.brings(mail(ANNA, "help@supplier.example", "Away.", **forged))
    poison = post.brings(b"\x00\xff" * 5_000)
    own = post.brings(mail("Help@supplier.example", "help@supplier.example", "Form of the website."))

    assert [to_record.kind, to_inbox.kind, poison.kind, own.kind] == ["kept"] * 4
    assert own.reason == "it comes from the address of the inbox itself"
    assert "Away." not in post.app.get(ticket)
    assert post.app.get("/tickets/").html.select_one("tbody").text.count("T") == 1


def test_a_mail_is_used_once_however_often_it_comes(post: Post, ticket: str):
    message = mail(ANNA, post.reply_address(ANNA))
    again = b"Received: from relay.example\r\n" + message.as_bytes()

    kinds = [post.brings(message).kind, post.brings(again).kind, post.brings(message).kind]

    assert kinds == ["commented", "duplicate", "duplicate"]
    assert len(post.app.get(ticket).html.select(".note")) == 1


@on_sqlite
def test_access_that_is_over_is_over_by_mail_too(post: Post, ticket: str):
    account = post.portal.tables.account
    with writing(post.portal.engine) as connection:
        connection.execute(sa.update(account).where(account.c["email"] == ANNA).values(disabled=True))

    outcome = post.brings(mail(ANNA, post.reply_address(ANNA)))

    assert outcome == MailOutcome("kept", "its sender currently has no access")


@on_sqlite
def test_a_mail_of_someone_known_becomes_their_ticket(post: Post, ticket: str):
    message = mail(f"Anna Rossi <{ANNA.upper()}>", "help@supplier.example", "Paper everywhere.", "Fax is broken")
    message.add_attachment(PNG, "image", "png", filename="../fax.png")

    post.brings(message)

    rows = post.app.get("/tickets/").html.select("tbody tr")
    page = post.app.get("/tickets/2/")
    assert ["Fax is broken" in row.text for row in rows] == [True, False]
    assert "Paper everywhere." in page
    assert "Acme" in page
    assert [link.text for link in page.html.select("#documents a.name")] == ["fax.png"]


@on_sqlite
def test_a_subject_longer_than_the_title_is_complete_in_the_text(post: Post, ticket: str):
    subject = "The printer on the second floor " * 5 + "jams"

    post.brings(mail(ANNA, "help@supplier.example", "See above.", subject))

    page = post.app.get("/tickets/2/")
    assert page.html.h1.text.endswith("floor The printer on the …")
    assert page.html.select_one(".fields .lines").text == f"{subject}\n\nSee above."


@on_sqlite
def test_others_may_write_while_files_are_stored_and_none_is_left_without_a_row(post: Post, ticket: str, monkeypatch):
    store, written = post.app.app.registry.store(), []

    def put_while_another_writes(self: Store, source: BinaryIO) -> Stored:
        with writing(post.portal.engine) as connection:  # SQLite has one writer at a time
            written.append(connection.execute(sa.delete(post.portal.tables.attempt)))
        return self.put_as(f"stored-{len(written)}", source)

    monkeypatch.setattr(Store, "put", put_while_another_writes)
    message = mail(ANNA, "help@supplier.example", subject="Fax")
    message.add_attachment(PNG, "image", "png", filename="fax.png")
    stranger = mail("zoe@elsewhere.example", "help@supplier.example")
    outcomes = [post.brings(raw).kind for raw in (message, message, stranger)]

    assert outcomes == ["created", "duplicate", "kept"]
    with reading(post.portal.engine) as connection:
        named = stored_file_names(connection, post.portal.tables) | stored_mails(connection, post.portal.tables)
    assert store.unnamed((), post.clock.now + datetime.timedelta(days=900)) != []
    assert store.unnamed(named, post.clock.now + datetime.timedelta(days=900)) == []


@on_sqlite
def test_what_the_sender_adds_in_the_same_thread_is_a_comment(post: Post, ticket: str):
    post.brings(mail(ANNA, "help@supplier.example", "First.", id="<first@acme.example>"))
    post.brings(mail(ANNA, "help@supplier.example", "Second.", "Re: Printer", References="<first@acme.example>"))
    post.brings(mail(BRUNO, "help@supplier.example", "Mine.", "Re: Printer", References="<first@acme.example>"))

    assert "Second." in post.app.get("/tickets/2/").html.select_one(".note").text
    assert "Mine." not in post.app.get("/tickets/2/")


def test_a_stranger_is_kept_for_staff_who_make_a_ticket_of_it(post: Post, ticket: str, another_browser, sign_in):
    post.brings(mail("Zoe <zoe@elsewhere.example>", "help@supplier.example", "Do you repair faxes?", "A question"))

    assert post.app.get("/-/inbox", status=404)
    nancy = sign_in(NANCY, browser=another_browser())
    page = nancy.get("/-/inbox")
    assert "its sender is not known" in page
    shown = page.click("A question")
    assert "Do you repair faxes?" in shown
    made = form_of(shown, kept_address(shown, "create")).submit(status=303)
    assert "Do you repair faxes?" in nancy.get(made.location)
    assert "A question" not in nancy.get("/-/inbox")


@pytest.mark.parametrize("unknown", ["keep", "create"])
@on_sqlite
def test_after_getting_access_a_stranger_finds_what_they_wrote(
    post: Post, portal_folder: Path, another_browser, sign_in, unknown: str
):
    change(portal_folder, "title: title}", f"title: title, unknown: {unknown}}}")
    outcome = post.brings(mail("zoe@elsewhere.example", "help@supplier.example", "Do you repair faxes?", "A question"))
    assert outcome.kind == {"keep": "kept", "create": "created"}[unknown]
    with writing(post.portal.engine) as connection:
        add_people(
            connection, post.portal.tables, [AccessRequest("zoe@elsewhere.example", "customer", "Zoe", "Globex")]
        )
    assert (post.receiving(Receiver.adopt), post.receiving(Receiver.adopt)) == (True, False)

    zoe = sign_in("zoe@elsewhere.example", browser=another_browser())
    assert "A question" in zoe.get("/tickets/")
    assert "Globex" in zoe.get("/tickets/1/")


@on_sqlite
def test_a_stranger_is_answered_by_mail_alone(post: Post, portal_folder: Path, another_browser, sign_in):
    change(portal_folder, "title: title}", "title: title, unknown: create}")
    post.brings(mail("zoe@elsewhere.example", "help@supplier.example", "Do you repair faxes?", "BUY THIS"))
    nancy = sign_in(NANCY, browser=another_browser())
    for text, internal in (("What a fool.", "true"), ("Yes, we do.", "")):
        fill_in(nancy, "/tickets/1/", {"text": text, "internal": internal}, action="/tickets/1/comments")

    (letter,) = [letter for letter in post.letters("commented") if "zoe@" in str(letter["To"])]
    answer = mail("zoe@elsewhere.example", str(letter["Reply-To"]), "Thank you!")
    someone_else = mail("eve@elsewhere.example", str(letter["Reply-To"]), "Me too!")

    text = str(letter)
    assert "Yes, we do." in text
    assert "fool" not in text
    assert "BUY THIS" not in text
    assert "faxes" not in text
    assert [post.brings(answer).kind, post.brings(someone_else).kind] == ["commented", "kept"]
    assert "Thank you!" in nancy.get("/tickets/1/")


@pytest.mark.parametrize("address", ["müller@elsewhere.example", "a..b@elsewhere.example"])
@on_sqlite
def test_a_stranger_with_a_bad_address_does_not_prevent_notifications(
    post: Post, portal_folder: Path, another_browser, sign_in, address: str
):
    change(portal_folder, "title: title}", "title: title, unknown: create}")
    head = f"From: {address}\r\nTo: help@supplier.example\r\nSubject: Hello\r\nMessage-ID: <1@elsewhere.example>\r\n"
    assert post.brings(f"{head}\r\nDo you repair faxes?\r\n".encode()).kind == "created"
    nancy = sign_in(NANCY, browser=another_browser())
    fill_in(nancy, "/tickets/1/", {"text": "Yes, we do."}, action="/tickets/1/comments")

    assert post.recipients() == []
    assert post.letters("commented") == []


@on_sqlite
def test_without_the_reply_address_an_answer_is_as_internal_as_the_letter_that_it_answers(
    post: Post, ticket: str, another_browser, sign_in
):
    nancy, event = sign_in(NANCY, browser=another_browser()), post.portal.tables.event
    fill_in(nancy, "/tickets/1/", {"text": "What a fool.", "internal": "true"}, action="/tickets/1/comments")
    with reading(post.portal.engine) as connection:
        internal = connection.scalar(sa.select(event.c["id"]).where(event.c["internal"]))
    about = [post.letter_to(NANCY, events) for events in ((), (internal,), ())]
    for nearest, text in ((1, "Yes, what a fool."), (0, "Dear Anna,"), (2, "Yours,")):
        others = [letter for letter in about if letter != about[nearest]]
        thread = {"In_Reply_To": about[nearest], "References": " ".join([*others, about[nearest]])}
        assert post.brings(mail(NANCY, "help@supplier.example", text, **thread)).kind == "commented"
    page = post.app.get(ticket)
    assert "Dear Anna," in page
    assert "Yours," in page
    assert "fool" not in page


def test_an_answer_to_an_internal_comment_is_internal(post: Post, ticket: str, another_browser, sign_in):
    address = post.reply_address(NANCY, internal=True)

    post.brings(mail(NANCY, address, "Let us wait."))

    assert "Let us wait." in sign_in(NANCY, browser=another_browser()).get(ticket)
    assert "Let us wait." not in post.app.get(ticket)
    assert post.brings(mail(ANNA, post.reply_address(ANNA, internal=True), "Let me in.")).kind == "kept"


@on_sqlite
def test_staff_put_a_mail_away(post: Post, ticket: str, another_browser, sign_in):
    post.brings(mail("zoe@elsewhere.example", "help@supplier.example", "Buy!", "Great offer"))
    nancy = sign_in(NANCY, browser=another_browser())

    shown = nancy.get("/-/inbox").click("Great offer")
    form_of(shown, kept_address(shown, "dismiss")).submit(status=303)

    assert "Great offer" not in nancy.get("/-/inbox")


@on_sqlite
def test_an_address_from_which_letters_come_back_gets_no_more(post: Post, ticket: str, another_browser, sign_in):
    nancy = sign_in(NANCY, browser=another_browser())
    for number in range(3):
        letter_id = post.letter_to(ANNA)
        returned = REPORT.format(id=number, letter_id=letter_id)
        assert post.brings(returned.encode()).kind == "bounced"
        assert post.brings(returned.encode()).kind == "duplicate"

    person = nancy.get("/people/").click("Anna Rossi")
    assert "Emails have stopped" in person
    assert "550 no such user" in person
    assert "Emails have stopped" in nancy.get(nancy.get("/organizations/").click("Acme").request.path + "people")
    assert "Email could not be delivered" in nancy.get("/tickets/1/history")
    assert "Email could not be delivered" not in post.app.get("/tickets/1/history")
    assert post.recipients() == []
    post.brings(mail(ANNA, post.reply_address(ANNA)))
    assert ANNA in post.recipients()


@on_sqlite
def test_a_report_about_a_letter_of_someone_else_changes_nothing(post: Post, ticket: str):
    assert post.brings(REPORT.format(id=1, letter_id="<guessed@localhost>").encode()).kind == "kept"
    assert post.recipients() == [ANNA]


@pytest.mark.parametrize(
    ("list_headers", "kind"),
    [
        ({"List_Id": "Help <help.supplier.example>", "Precedence": "list"}, "created"),
        ({"List_Post": "<https://groups.example/a>, <mailto:Help@Supplier.example>", "List_Id": "<1.x>"}, "created"),
        ({"List_Id": "<help.supplier.example>", "Auto_Submitted": "auto-replied"}, "kept"),
        ({"List_Id": "<news.globex.example>", "Precedence": "list"}, "kept"),
    ],
)
@on_sqlite
def test_a_mailing_list_at_the_address_of_the_inbox_brings_mails_of_persons(
    post: Post, ticket: str, list_headers: dict[str, str], kind: str
):
    assert post.brings(mail(ANNA, "help@supplier.example", **list_headers)).kind == kind


@on_sqlite
def test_nobody_makes_tickets_without_end(post: Post, ticket: str):
    kinds = [post.brings(mail(ANNA, "help@supplier.example", f"Number {number}")).kind for number in range(22)]
    post.clock.now += datetime.timedelta(hours=2)

    assert kinds.count("created") == 20
    assert kinds[-1] == "kept"
    assert post.brings(mail(ANNA, "help@supplier.example", "Later")).kind == "created"


@on_sqlite
def test_a_picture_in_the_text_is_shown_where_it_stood(post: Post, ticket: str):
    message = mail(ANNA, post.reply_address(ANNA), "")
    message.set_content("<p>Look:</p><img src='cid:p1'><p>That is it.</p>", "html")
    message.add_related(PNG, "image", "png", cid="<p1>", filename="jam.png")

    post.brings(message)
    message.replace_header("To", "help@supplier.example")
    message.replace_header("Message-ID", "<another@mail.example>")
    post.brings(message)

    for text in (
        post.app.get(ticket).html.select_one(".note .lines"),
        post.app.get("/tickets/2/").html.select_one(".lines"),
    ):
        assert text.text.split() == ["Look:", "That", "is", "it."]
        assert text.select_one("img")["alt"] == "jam.png"


@on_sqlite
def test_a_mail_on_which_the_portal_fails_is_kept_and_keeps_no_other_back(post: Post, ticket: str, portal_folder: Path):
    intake = MailIntake(post.app.app.registry.live, ProcessSettings(folder=portal_folder))
    with writing(post.portal.engine) as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER poison BEFORE INSERT ON portal_comment WHEN NEW.text LIKE '%poison%' "
            "BEGIN SELECT RAISE(ABORT, 'no such text'); END"
        )
    for subject in ("Poison", "Poison", "Printer"):
        intake.use(mail(ANNA, post.reply_address(ANNA), f"About {subject.lower()}", subject=subject).as_bytes(), ())

    assert len(post.app.get(ticket).html.select(".note")) == 1
    with reading(post.portal.engine) as connection:
        (kept,) = unused_mails(connection, post.portal.tables, 10)
    assert "the portal could not process it" in kept.reason
    assert (kept.sender, kept.subject) == (ANNA, "Poison")

"""Emails about records: who is notified of what, once, with their current rights; and what happens automatically."""

import datetime
import email
import email.policy
import re
import threading
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa
from webtest import TestApp

from portal.accounts.accounts import find_account
from portal.accounts.keys_and_tokens import find_portal_key
from portal.accounts.letter_choices import chosen_letters
from portal.database.engine import reading, writing
from portal.fields.money import Money
from portal.jobs import announcing
from portal.jobs.worker import Worker
from portal.mail.letter_text import plain_text
from portal.mail.reply_address import ReplyTo, read_reply_address
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.conftest import fill_in
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, EDDA, NANCY, PASSWORD, Browser

pytestmark = pytest.mark.sqlite_suffices

LATER = datetime.timedelta(minutes=2)


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str
    html: str
    message: email.message.EmailMessage


def worker_of(world):
    address = "https://care.example"
    return Worker(world.portal.engine, lambda: world.portal.tables, world.clock, lambda tables: address, None)


def new_letters(world, after=LATER):
    """The letters that the worker writes some time later, by recipient."""
    with writing(world.portal.engine) as connection:
        connection.execute(sa.delete(world.portal.tables.outbox))
    world.clock.now += after
    worker_of(world).turn()
    with reading(world.portal.engine) as connection:
        rows = connection.execute(sa.select(world.portal.tables.outbox)).mappings().all()
    return [read(row["message"]) for row in rows]


def read(message):
    parsed = email.message_from_string(message, policy=email.policy.SMTP)
    to = parsed["To"].addresses[0].addr_spec
    html = parsed.get_body(("html",)).get_content()
    return Letter(to, str(parsed["Subject"]), plain_text(parsed).replace("\r\n", "\n"), html, parsed)


def to(letters):
    return sorted(letter.to for letter in letters)


def open_ticket(world, who=ANNA, **fields):
    files = [("files", name, b"text") for name in fields.pop("attached", ())]
    form = {"title": "Printer is broken", "body": "It smokes", **fields}
    page = world[who].send("/tickets/create", form, upload_files=files)
    assert page.status_int == 303, page.text
    return int(page.location.rstrip("/").rpartition("/")[2])


def comment(world, who, record, text, **more):
    assert world[who].send(f"/tickets/{record}/comments", {"text": text, **more}).status_int == 303


def known_ticket(world, assignee=None):
    """A ticket by Anna that everyone has been notified of."""
    record = open_ticket(world)
    if assignee:
        assign(world, record, assignee)
    new_letters(world)
    return record


def move(world, who, record, transition, **answers):
    """Signs someone in and moves a ticket."""
    page = world.signed_in(who).send(f"/tickets/{record}/move/{transition}", answers)
    assert page.location.endswith(f"/tickets/{record}/")


def assign(world, record, person, who=NANCY):
    """Assigns a ticket to someone, as Nancy or another person."""
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "tickets")
        ticket, account = records.get(record), find_account(connection, world.portal.tables, who)
        values = {"assignee": world.the("people", person)}
        Writer(records, Author(account.id, "Nancy Smith")).change(ticket, values, ticket.version)


def test_opening_something_sends_an_immediate_receipt_and_notifies_the_desk(post):
    record = open_ticket(post, urgency="high", attached=["smoke.txt", "noise.txt"])
    letters = new_letters(post, datetime.timedelta(seconds=2))
    assert to(letters) == [ANNA, NANCY]
    receipt = next(letter for letter in letters if letter.to == ANNA)
    assert receipt.subject == "[T1] Printer is broken"
    assert "This is what we have received from you." in receipt.text
    assert "You get this because T1 is yours." in receipt.text
    assert "Body: It smokes" in receipt.text
    assert "Urgency: High" in receipt.text
    assert re.search("Files:\n    smoke.txt, 1.kB\n    noise.txt, 1.kB\n", receipt.text)
    assert f'href="https://care.example/tickets/{record}/"' in receipt.html
    assert "Open Monday to Friday" in receipt.text
    desk = next(letter for letter in letters if letter.to == NANCY)
    assert "Anna Rossi opened this." in desk.text
    assert "Nobody is assigned to it yet." in desk.text
    assert "You get this because nobody is assigned to T1." in desk.text
    assert new_letters(post) == []


def test_several_comments_make_one_letter_and_nobody_is_notified_of_their_own(post):
    record = known_ticket(post, "Nancy Smith")
    comment(post, NANCY, record, "First answer")
    post.clock.now += datetime.timedelta(minutes=1)
    comment(post, NANCY, record, "Second answer")
    assert new_letters(post, datetime.timedelta(seconds=50)) == []
    letters = new_letters(post, datetime.timedelta(seconds=20))
    assert to(letters) == [ANNA]
    assert letters[0].text.index("First answer") < letters[0].text.index("Second answer")
    assert "Nancy Smith, Support · " in letters[0].text
    comment(post, ANNA, record, "Thanks")
    letters = new_letters(post)
    assert to(letters) == [NANCY]
    assert "Thanks" in letters[0].text
    assert "First answer" not in letters[0].text
    assert new_letters(post) == []


def test_letters_of_a_record_are_one_thread_that_one_click_ends(post):
    record = open_ticket(post)
    (first, _desk) = sorted(new_letters(post), key=lambda letter: letter.to)
    comment(post, NANCY, record, "Hello")
    second = next(letter for letter in new_letters(post) if letter.to == ANNA)
    assert first.subject == second.subject
    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert first.message["References"] == second.message["References"]
    former, root = re.findall(r"<(\w+)[.](\d+)[.]\d+@care.example>", first.message["References"])
    assert (former, root) == (("cases", str(record)), ("tickets", str(record))), "also of letters before the renaming"
    assert second.message["Auto-Submitted"] == "auto-generated"
    assert second.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch("<https://care.example(.*)>", str(second.message["List-Unsubscribe"]))[1]
    stranger = post[CARLA]
    assert "anna@acme.example" in stranger.get(link)
    comment(post, NANCY, record, "Looking at the link ends nothing")
    assert ANNA in to(new_letters(post))
    stranger.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    comment(post, NANCY, record, "After the end")
    assert new_letters(post) == []


def test_an_invalid_unsubscribe_link_says_so_without_a_sign_in(post):
    stranger = TestApp(post.app)
    for answer in (stranger.get("/unsubscribe/forged", status=404), stranger.post("/unsubscribe/forged", status=404)):
        assert "This link is not valid" in answer


def test_an_answer_finds_the_record_and_proves_who_was_written_to(post):
    record = open_ticket(post)
    letter = next(letter for letter in new_letters(post) if letter.to == ANNA)
    with reading(post.portal.engine) as connection:
        key = find_portal_key(connection, post.portal.tables)
        account = find_account(connection, post.portal.tables, ANNA)
    address = letter.message["Reply-To"].addresses[0].addr_spec
    assert read_reply_address(key, address, {"tickets": "tickets"}) == ReplyTo("tickets", record, account.id)
    assert letter.text.startswith("Reply to this email to add a comment.\n---- Write above ----\n")
    post.set("tickets", record, status="closed")
    post[NANCY].send(f"/tickets/{record}/comments", {"text": "Too late for an answer", "internal": "true"})
    move_back = new_letters(post)
    assert not any("Reply to this email" in letter.text for letter in move_back)


def test_what_is_withdrawn_is_in_no_letter_that_waits(post):
    record = known_ticket(post)
    comment(post, NANCY, record, "Withdrawn at once")
    comment(post, NANCY, record, "This one stays")
    assert "Withdrawn at once" in new_letters(post)[0].text
    page = post[NANCY].get(f"/tickets/{record}/").text
    (first, *_others) = re.findall(rf"/tickets/{record}/comments/(\d+)/withdraw", page)[::-1]
    assert post[NANCY].send(f"/tickets/{record}/comments/{first}/withdraw").status_int == 303
    worker_of(post).turn()
    with reading(post.portal.engine) as connection:
        (message,) = connection.scalars(sa.select(post.portal.tables.outbox.c["message"])).all()
    assert "Withdrawn at once" not in message
    assert "This one stays" in message


def test_a_sign_in_from_a_new_device_is_announced(post):
    new_letters(post)
    browser = Browser(post.app, extra_environ={"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux) <b>evil</b> Firefox/140.0"})
    for _time in range(2):  # the second time the device is known
        token = re.search(r'name="_csrf"[^>]*value="([^"]+)"', browser.get("/login").text)[1]
        browser.post("/login", {"_csrf": token, "email": ANNA, "password": PASSWORD}, status=303)
        browser.cookiejar.clear("localhost.local", "/", "portal_session")
    with reading(post.portal.engine) as connection:
        written = [read(message) for message in connection.scalars(sa.select(post.portal.tables.outbox.c["message"]))]
    assert [letter.subject for letter in written] == ["A new sign-in"]
    assert "Firefox on Linux" in written[0].text
    assert "evil" not in written[0].html


def test_each_person_chooses_which_letters_they_get(post):
    record = open_ticket(post)
    assert post[ANNA].get("/account/").text.count(' checked="checked"') == 8
    assert "company.moved" not in post[ANNA].get("/account/")
    chosen = [("letters", "own.moved"), ("letters", "own.created"), ("letters", "company.commented")]
    post[ANNA].send("/account/letters", chosen, status=303)
    assert post[ANNA].get("/account/").text.count(' checked="checked"') == 2
    new_letters(post)
    comment(post, NANCY, record, "Not told")
    assert new_letters(post) == []
    move(post, NANCY, record, "resolve")
    letters = new_letters(post)
    assert to(letters) == [ANNA]
    assert "The status is now: Resolved" in letters[0].text


def test_only_letters_that_are_written_are_offered(world):
    account = world[ANNA].get("/account/")
    assert "The status has changed" in account
    assert "Something was assigned to me" not in account
    world[ANNA].send("/account/letters", [("letters", "own.moved")], status=303)
    with reading(world.portal.engine) as connection:
        tables = world.portal.tables
        choices = chosen_letters(connection, tables, find_account(connection, tables, ANNA).id)
    assert {kind for relation, kind in choices if relation == "own"} == {"moved", "assigned", "reminded"}


def test_people_who_see_their_companys_records_may_choose_letters_about_them(post):
    chosen = [("letters", f"company.{kind}") for kind in ("commented", "created", "reminded")]
    post[BRUNO].send("/account/letters", chosen, status=303)
    assert post[BRUNO].get("/account/").text.count(' checked="checked"') == 2
    record = open_ticket(post)
    letters = new_letters(post)
    assert to(letters) == [ANNA, BRUNO, NANCY]
    mine = next(letter for letter in letters if letter.to == BRUNO)
    assert "You get this because T1 belongs to your company." in mine.text
    comment(post, NANCY, record, "We look into it")
    comment(post, NANCY, record, "Secret", internal="true")
    letters = new_letters(post)
    assert to(letters) == [ANNA, BRUNO]
    assert "Secret" not in letters[1].text
    move(post, NANCY, record, "resolve")
    assert to(new_letters(post)) == [ANNA]
    open_ticket(post, CARLA)
    assert BRUNO not in to(new_letters(post))
    post.account(BRUNO, profile="customer")
    comment(post, NANCY, record, "No longer for Bruno")
    assert to(new_letters(post)) == [ANNA]


def test_customers_are_notified_of_exactly_what_they_may_open(post):
    """With every box ticked, exactly the people who may open a ticket are notified of it."""
    customers = (ANNA, BRUNO, CARLA, DARIO, EDDA)
    for who in customers:
        boxes = [("letters", f"{relation}.commented") for relation in ("own", "followed", "company")]
        assert post[who].send("/account/letters", boxes).status_int == 303
    records = {who: open_ticket(post, who) for who in customers}
    post[NANCY].send(f"/tickets/{records[CARLA]}/watchers", {"add": post.the("people", "Anna Rossi").id})
    post.set("tickets", records[DARIO], company=post.the("companies", "Acme"))
    post.set("tickets", records[EDDA], caller=None)
    new_letters(post)
    for record in records.values():
        comment(post, NANCY, record, "An answer")
    told = {(letter.to, letter.message["References"].split(".")[1]) for letter in new_letters(post)}
    opened = {
        (who, str(record))
        for who in customers
        for record in records.values()
        if post[who].see(f"/tickets/{record}/").status_int == 200
    }
    assert told == opened
    assert len(opened) == 8


def attach(world, who, record, *names):
    files = [("files", name, b"text of " + name.encode()) for name in names]
    return world[who].send(f"/tickets/{record}/files", {}, upload_files=files)


def test_files_without_a_comment_are_also_announced(post):
    record = known_ticket(post)
    attach(post, NANCY, record, "plan.txt", "photo.txt")
    letters = new_letters(post)
    assert to(letters) == [ANNA]
    assert re.search(r"Nancy Smith, Support · .*:\n\n    plan\.txt, 1 kB\n    photo\.txt", letters[0].text)
    first = int(re.search(rf"/tickets/{record}/files/(\d+)", letters[0].html)[1])
    attach(post, NANCY, record, "wrong.txt")
    assert post[NANCY].send(f"/tickets/{record}/files/{first + 2}/remove", {}).status_int == 303
    assert new_letters(post) == []


def test_the_language_is_the_recipients(post):
    post.account(ANNA, language="it")
    record = open_ticket(post)
    move(post, NANCY, record, "resolve")
    letter = next(letter for letter in new_letters(post) if letter.to == ANNA)
    assert "T1 · Risolto" in letter.text
    assert '<html lang="it"' in letter.html


def test_without_a_chosen_language_letters_are_in_that_of_the_pages(post):
    browser = TestApp(post.app, extra_environ={"HTTP_ACCEPT_LANGUAGE": "it-IT,en;q=0.5"})
    fill_in(browser, "/login", {"email": ANNA, "password": PASSWORD})
    record = open_ticket(post)
    move(post, NANCY, record, "resolve")
    assert "T1 · Risolto" in next(letter for letter in new_letters(post) if letter.to == ANNA).text
    post.account(ANNA, language="en")
    move(post, ANNA, record, "reopen", comment="Still broken")
    move(post, NANCY, record, "resolve")
    assert "T1 · Resolved" in next(letter for letter in new_letters(post) if letter.to == ANNA).text


@pytest.mark.parametrize("change", ["disabled", "ended", "scope", "deleted"])
def test_the_rights_of_the_moment_decide(post, change):
    record = known_ticket(post, "Nancy Smith")
    comment(post, NANCY, record, "Secret by now")
    if change == "disabled":
        post.account(ANNA, disabled=True)
    elif change == "ended":
        post.account(ANNA, access_until=datetime.date(2020, 1, 1))
    elif change == "scope":
        post.set("tickets", record, caller=post.the("people", "Carla Neri"))
        letters = new_letters(post)
        assert ANNA not in to(letters)
        return
    else:
        post.remove("tickets", record)
    assert new_letters(post) == []


def test_internal_comments_reach_staff_alone(post):
    record = known_ticket(post, "Nancy Smith")
    with writing(post.portal.engine) as connection:
        records = post.records(connection, "tickets")
        Writer(records, Author(None, "Ulla Graf")).add_comment(records.get(record), "Between us", internal=True)
    letters = new_letters(post)
    assert to(letters) == [NANCY]
    assert "Between us" in letters[0].text


def said_between_staff(world, record):
    """As Nancy, writes two internal comments with files, corrects one and withdraws the other."""
    comments = world.portal.tables.comment
    for text in ("Between us", "Between us too"):
        file = ("files", "between-us.txt", b"Between us", "text/plain")
        form = {"text": text, "internal": "true"}
        world[NANCY].send(f"/tickets/{record}/comments", form, upload_files=[file], status=303)
    with reading(world.portal.engine) as connection:
        query = sa.select(comments.c["id"]).where(comments.c["internal"], comments.c["record"] == record)
        first, second = connection.scalars(query.order_by(comments.c["id"].desc()).limit(2))
    for act, answers in ((f"{first}/edit", {"text": "Between us still"}), (f"{second}/withdraw", {})):
        assert world[NANCY].send(f"/tickets/{record}/comments/{act}", answers).status_int == 303


def test_what_staff_say_among_themselves_changes_no_letter_to_a_customer(post):
    quiet, loud = known_ticket(post), known_ticket(post)
    said_between_staff(post, loud)
    assert set(to(new_letters(post))) <= {NANCY}
    said_between_staff(post, loud)
    for record in (loud, quiet):
        comment(post, NANCY, record, "We look at it")
    said_between_staff(post, loud)
    letters = [letter for letter in new_letters(post) if letter.to == ANNA]
    assert len({letter.subject for letter in letters}) == 2
    without_reference = {re.sub(r"\bT\d+\b|(?<=/tickets/)\d+", "", letter.text + letter.html) for letter in letters}
    assert len(without_reference) == 1
    assert "We look at it" in without_reference.pop()


def test_the_assigned_person_is_notified_and_the_desk_no_longer(post):
    record = known_ticket(post)
    assign(post, record, "Bruno Verdi")
    letters = new_letters(post)
    assert to(letters) == [BRUNO]
    assert "This is assigned to you." in letters[0].text
    assert "You get this because T1 is assigned to you." in letters[0].text
    comment(post, ANNA, record, "And now?")
    assert to(new_letters(post)) == [BRUNO]


def test_followers_of_a_record_are_notified_once(post):
    record = known_ticket(post, "Nancy Smith")
    watcher = post.the("people", "Carla Neri").id
    post[NANCY].send(f"/tickets/{record}/watchers", {"add": str(watcher)}, status=303)
    comment(post, NANCY, record, "For everyone")
    letters = new_letters(post)
    assert to(letters) == [ANNA, CARLA]
    assert "You get this because you watch T1." in next(letter for letter in letters if letter.to == CARLA).text


def test_own_words_say_only_what_the_recipient_may_read(post):
    page = post[ANNA].send("/orders/create", {"name": "Desk", "price": "10", "price.currency": "EUR"})
    record = int(page.location.rstrip("/").rpartition("/")[2])
    post.set("orders", record, margin=Money(Decimal(7), "EUR"))
    letters = new_letters(post)
    assert to(letters) == [ANNA, "orders@outside.example"]
    receipt = letters[0]
    assert receipt.subject == "Order 1, Desk"
    assert f"We thank you for Desk (€10.00, ).\n\nSee https://care.example/orders/{record}/" in receipt.text
    outside = letters[1]
    assert "Desk" in outside.text
    assert "10.00" not in outside.text
    assert not any("7.00" in letter.html for letter in letters)
    assert "List-Unsubscribe" not in outside.message


def test_nothing_is_told_of_what_is_rolled_back_or_imported(post):
    post.add("tickets", title="Imported", caller=post.the("people", "Anna Rossi"))
    with pytest.raises(ZeroDivisionError), writing(post.portal.engine) as connection:
        records = post.records(connection, "tickets")
        Writer(records, Author(None, "Portal")).create({"title": "Never", "caller": post.the("people", "Anna Rossi")})
        raise ZeroDivisionError
    assert new_letters(post) == []


def test_hostile_texts_change_no_header_and_no_markup(post):
    title = "<b>x</b>\u2028Bcc: evil@e.example =?utf-8?b?QmNjOg==?="
    record = open_ticket(post, title=title)
    comment(post, ANNA, record, "<script>alert(1)</script>")
    for letter in new_letters(post):
        assert "<b>x</b>" not in letter.html
        assert "<script" not in letter.html
        assert set(letter.message.keys()).isdisjoint({"Bcc", "Cc"})
        assert "=?" not in letter.subject


# -- what happens by itself -------------------------------------------------------------------------------------------


def events_of(world, record, kind):
    event = world.portal.tables.event
    of_record = event.c["module"] == "tickets", event.c["record"] == record, event.c["kind"] == kind
    with reading(world.portal.engine) as connection:
        return connection.execute(sa.select(event).where(*of_record)).mappings().all()


def test_what_is_due_is_done_once_with_the_portal_as_author(post):
    record = open_ticket(post)
    move(post, NANCY, record, "resolve")
    post.clock.now += datetime.timedelta(days=6)
    worker_of(post).turn()
    assert events_of(post, record, "moved:close") == []
    post.clock.now += datetime.timedelta(days=8)
    for _time in range(3):
        worker_of(post).turn()
    (event,) = events_of(post, record, "moved:close")
    assert (event["account"], event["author"]) == (None, "Post")
    assert "Done automatically after 7\u00a0days" in post.signed_in(ANNA).get(f"/tickets/{record}/")


def test_several_workers_at_once_do_and_tell_each_due_thing_once(post):
    records = [open_ticket(post) for _number in range(4)]
    resolved, waiting = records[:2], records[2:]
    for record in resolved:
        move(post, NANCY, record, "resolve")
    for record in waiting:
        move(post, NANCY, record, "ask_back", comment="Which printer?")
    new_letters(post)
    with writing(post.portal.engine) as connection:
        connection.execute(sa.delete(post.portal.tables.outbox))
    for time in (datetime.timedelta(days=8), LATER):  # they were off for a week; then what they did is told
        post.clock.now += time
        threads = [threading.Thread(target=worker_of(post).turn) for _number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [len(events_of(post, record, "moved:close")) for record in resolved] == [1, 1]
    assert [len(events_of(post, record, "reminded")) for record in waiting] == [1, 1]
    with reading(post.portal.engine) as connection:
        table = post.portal.tables.outbox.c
        told = connection.execute(sa.select(table["record"]).where(table["recipient"].contains(ANNA))).scalars().all()
    assert sorted(told) == records


def test_an_error_about_one_record_puts_off_the_news_of_that_one_alone(post, monkeypatch):
    first = known_ticket(post)
    comment(post, NANCY, first, "Which printer?")
    second = open_ticket(post)
    write = announcing.record_letters

    def fail(connection, tables, sender, key, news):
        if news.record == second:
            post.clock.now += LATER  # meanwhile the comment is due too
            raise ValueError("a fault of the portal")
        return write(connection, tables, sender, key, news)

    monkeypatch.setattr(announcing, "record_letters", fail)
    (letter,) = new_letters(post, datetime.timedelta())
    assert (letter.to, "Which printer?" in letter.text) == (ANNA, True)


def test_a_new_stay_in_the_state_counts_from_its_beginning(post):
    record = open_ticket(post)
    move(post, NANCY, record, "resolve")
    post.clock.now += datetime.timedelta(days=6)
    move(post, ANNA, record, "reopen")
    move(post, NANCY, record, "resolve")
    post.clock.now += datetime.timedelta(days=6)
    worker_of(post).turn()
    assert events_of(post, record, "moved:close") == []


def test_a_reminder_comes_once_in_each_stay(post, monkeypatch):
    record = open_ticket(post)
    move(post, NANCY, record, "ask_back", comment="Which printer?")
    new_letters(post)
    letters = new_letters(post, datetime.timedelta(days=10))
    assert to(letters) == [ANNA]
    assert "Reminder: this is waiting for you." in letters[0].text
    assert "Which printer?" in letters[0].text
    post.clock.now -= datetime.timedelta(days=9)  # a clock that was set back
    monkeypatch.setitem(post.browsers, CARLA, post.signed_in(CARLA))
    open_ticket(post, CARLA)
    new_letters(post)
    assert new_letters(post, datetime.timedelta(days=20)) == []
    monkeypatch.setitem(post.browsers, ANNA, post.signed_in(ANNA))
    comment(post, ANNA, record, "The big one")
    move(post, NANCY, record, "ask_back", comment="Which of them?")
    new_letters(post)
    assert to(new_letters(post, datetime.timedelta(days=4))) == [ANNA]


def test_what_is_known_of_sent_forms_is_forgotten(post):
    open_ticket(post, _once="key-1")
    once = sa.select(sa.func.count()).select_from(post.portal.tables.once)
    known = []
    for days in (0, 29, 31):
        post.clock.now += datetime.timedelta(days=days)
        worker_of(post).turn()
        with reading(post.portal.engine) as connection:
            known.append(connection.execute(once).scalar_one())
    assert known == [1, 1, 0]

"""Letters, read as the sent bytes: whatever a name contains, it is one recipient's name and never a separate header."""

import base64
import datetime
import email
import email.policy
import importlib
import inspect
import pkgutil
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path

import pytest

import portal.mail
from portal.accounts.accounts import Account
from portal.accounts.devices import Device
from portal.accounts.letter_choices import KINDS
from portal.declaration.load import load
from portal.declaration.shapes import LETTER_KINDS, Mail
from portal.mail import access_letters, account_letters
from portal.mail.account_letters import (
    address_changed_letter,
    letters_given_up_letter,
    new_device_letter,
    passkey_changed_letter,
    password_changed_letter,
    password_reset_letter,
    second_factor_changed_letter,
    token_made_letter,
    webhooks_given_up_letter,
)
from portal.mail.builder import LetterContent, LetterThread, Sender, write_letter
from portal.mail.headers import header_text, parse_letter
from portal.mail.letter_text import plain_text
from portal.mail.recipients import Role

SMALL = load(Path(__file__).parents[2] / "portals" / "small").declaration
NOW = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=datetime.UTC)
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def encoded(text, charset="utf-8", way="b"):
    if way == "b":
        return f"=?{charset}?b?{base64.b64encode(text.encode(charset)).decode()}?="
    return f"=?{charset}?q?{''.join(f'={byte:02x}' for byte in text.encode(charset))}?="


INJECTED = "Hi\r\nBcc: evil@e.example"
HOSTILE = [
    INJECTED,
    "Hi\nBcc: evil@e.example",
    "Hi\x0bBcc: evil\x85Bcc: evil\u2028Bcc: evil",
    encoded(INJECTED),
    encoded(INJECTED, way="q"),
    encoded(INJECTED).upper().replace("UTF-8?B", "utf-8?B"),
    encoded(INJECTED, "iso-8859-1"),
    f"Anna {encoded(INJECTED)} Rossi",
    encoded("=?") + encoded(INJECTED)[2:],
    "=" + encoded(INJECTED),
    "=\u0000" + encoded(INJECTED)[1:],
    "=\u200b" + encoded(INJECTED)[1:],
    encoded("Hi\r\n\r\nAnother body"),
    encoded("victim@b.example, evil@e.example <x@y.example>"),
    "victim@b.example, evil@e.example <x@y.example>",
    '"; evil@e.example',
    "Zażółć " + encoded(INJECTED) + " gęślą " + "ja" * 100,
    "a" * 300 + encoded(INJECTED),
]


# Every letter, written to someone.
WRITE = {
    "second_factor_changed_letter": lambda *who: second_factor_changed_letter(*who, is_on=True),
    "token_made_letter": lambda *who: token_made_letter(*who, "Nightly export"),
    "passkey_changed_letter": lambda *who: passkey_changed_letter(*who, is_added=True),
    "address_changed_letter": lambda *who: address_changed_letter(*who, "anna@new.example"),
    "new_device_letter": lambda *who: new_device_letter(*who, Device("Firefox", "Linux")),
    "letters_given_up_letter": letters_given_up_letter,
    "webhooks_given_up_letter": webhooks_given_up_letter,
    "address_proof_letter": lambda *who: access_letters.address_proof_letter(*who, "TOKEN"),
    "invitation_letter": lambda *who: access_letters.invitation_letter(*who, "TOKEN", 7),
    "access_approved_letter": access_letters.access_approved_letter,
    "approval_request_letter": lambda *who: access_letters.approval_request_letter(*who, "eva@acme.example"),
    "password_changed_letter": password_changed_letter,
    "sign_in_link_letter": lambda *who: account_letters.sign_in_link_letter(*who, "TOKEN"),
    "password_reset_letter": lambda *who: password_reset_letter(*who, "TOKEN"),
}


def test_every_letter_is_tested_here():
    names = [module.name for module in pkgutil.iter_modules(portal.mail.__path__, "portal.mail.")]
    functions = [
        function
        for module in map(importlib.import_module, names)
        for _name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and inspect.signature(function).return_annotation is EmailMessage
    ]
    letters = {each.__name__ for each in functions if each not in (write_letter, parse_letter)}
    assert sorted(letters ^ WRITE.keys()) == [], "WRITE here"


def test_every_letter_is_sent_somewhere():
    portal_folder = Path(portal.__path__[0])
    above = [path.read_text("utf-8") for name in ("jobs", "views") for path in (portal_folder / name).rglob("*.py")]
    unsent = [name for name in WRITE if not any(re.search(rf"\b{name}[()]", text) for text in above)]
    assert unsent == [], "queue_letter (web/letters.py) in a view, or put_letter in a job"


def test_a_request_about_a_record_writes_no_letter_itself():
    # Only record_letters.py reads the record with the rights of each recipient, from the worker's events.
    records = Path(portal.__path__[0]) / "views" / "records"
    mail = re.compile(r"\bportal\.(mail|web\.letters|database\.outbox)\b")
    assert [path.name for path in records.rglob("*.py") if mail.search(path.read_text("utf-8"))] == [], (
        "add an event instead, of which record_letters.py tells"
    )


def test_every_kind_of_letters_is_declared_and_chosen():
    mail = Mail(created=True, commented=True, moved=True, assigned="assignee", remind={"waiting": "3 days"})
    assert sorted(mail.kinds ^ {*LETTER_KINDS}) == [], "declaration/shapes.py: Mail.kinds, or Mail(…) here"
    assert sorted(KINDS.keys() ^ {*LETTER_KINDS}) == [], "accounts/letter_choices.py: KINDS"


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
def test_a_letter_is_written_in_the_language_of_its_reader(write):
    settings = SMALL.settings.model_copy(update={"languages": ("en", "it")})
    sender = Sender(SMALL.model_copy(update={"settings": settings}), "https://care.example", NOW)
    first, second = (
        write(sender, Account(1, "anna@b.example", "Anna", "customer", language=each)) for each in ("en", "it")
    )
    assert first["Subject"] != second["Subject"]
    common = set(plain_text(first).partition("-- ")[0].split("\n")) & set(plain_text(second).split("\n"))
    assert {line for line in common if line and not line.startswith("https://")} == set()


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
def test_a_letter_in_arabic_runs_from_right_to_left_and_its_links_stay_links(write):
    settings = SMALL.settings.model_copy(update={"languages": ("ar",)})
    sender = Sender(SMALL.model_copy(update={"settings": settings}), "https://care.example", NOW)
    letter = write(sender, Account(1, "anna@b.example", "Anna", "customer", language="ar"))
    html = letter.get_body(("html",)).get_content()
    assert html.count('dir="rtl"') == 2  # web mail shows the body alone
    links = re.findall(r"https://[^\s<>\"]+", plain_text(letter) + html)
    assert links
    assert [link for link in links if not link.isascii()] == []


@pytest.mark.parametrize("write", WRITE.values(), ids=WRITE)
def test_a_name_writes_no_header_no_recipient_and_no_body(write):
    for name in HOSTILE:
        settings = SMALL.settings.model_copy(update={"name": name})
        declaration = SMALL.model_copy(update={"settings": settings})
        letter = write(Sender(declaration, "https://care.example", NOW), Account(1, "anna@b.example", name, "customer"))
        for sent in (letter.as_bytes(), letter.as_string().encode()):
            plain = email.message_from_bytes(sent, policy=email.policy.compat32)
            assert list(plain.keys()) == HEADERS, ascii(name)
            for header in ("From", "To", "Subject"):
                texts = [part if isinstance(part, str) else part.decode(charset or "ascii")
                         for part, charset in decode_header(plain[header].replace("\r\n", ""))]  # fmt: skip
                assert not any(character in "".join(texts) for character in "\r\n\x0b\x85\u2028\x00"), ascii(name)
            parsed = email.message_from_bytes(sent, policy=email.policy.default)
            assert [address.addr_spec for address in parsed["To"].addresses] == ["anna@b.example"], ascii(name)
            assert len(parsed["From"].addresses) == 1, ascii(name)
            assert "Another body" not in parsed.get_body(("plain",)).get_content().partition("--")[0], ascii(name)


@pytest.mark.parametrize(
    "text", ["Printer is broken", "Zażółć gęślą jaźń", "50 % = 1/2?", "日本語の件名", "می\u200cخواهم 👩\u200d💻"]
)
def test_ordinary_text_is_unchanged_in_a_header(text):
    assert header_text(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_a_header_begins_no_encoded_word(text):
    assert "=?" not in header_text(text)
    assert header_text(text).isprintable()


@pytest.mark.parametrize("text", ["プリンタが壊れています" * 40, "word " * 100, "a" * 400])
def test_a_long_subject_keeps_its_beginning_in_languages_without_spaces_too(text):
    account = Account(1, "a@b.example", "Anna", "customer")
    letter = write_letter(
        Sender(SMALL, "https://care.example", NOW), account, LetterContent(f"[T1] {text}", (text,), "", "")
    )
    assert 195 < len(letter["Subject"]) <= 200
    assert letter["Subject"].startswith(f"[T1] {text[:180]}")
    assert letter["Subject"].endswith(" …")
    assert text[:180] in letter.get_body(("html",)).get_content().partition("display:none")[2][:400]


@pytest.mark.parametrize(
    "text",
    [
        "[T-00027] überfällig po 2024/05: Łódź, pokój Kraków. à proszę Zahlung proszę o wymianie l’heure à Kraków.",
        "Drukuje di nie Stampante à 😀 2024/05: & Zahlung 50 Mahnung? — “Rechnung” wymianie",
        'Anna "Nina" Żak, prezes (piętro 14); Süd, Nord: all',
        "żółć " * 30 + "日本語" * 20,
        'Plain "quoted", with (brackets)',
        f"{'a' * 90}, Anna: [{'b' * 90}];",
        f"{'a' * 60} \0 \0 {'b' * 90}",
    ],
)
@pytest.mark.parametrize("address", ["a@b.example", f"{'anna.maria' * 5}@{'department.' * 4}acme.example"])
def test_subjects_and_names_arrive_as_they_are_in_whatever_language(text, address):
    text = header_text(text)
    account = Account(1, address, text, "customer")
    letter = write_letter(Sender(SMALL, "https://care.example", NOW), account, LetterContent(text, (), "", ""))
    sent = email.message_from_bytes(parse_letter(letter.as_string()).as_bytes(), policy=email.policy.compat32)
    ((name, recipient),) = getaddresses([sent["To"]])
    assert recipient == address
    assert str(make_header(decode_header(name))) == text
    if len(text) < 200:
        assert " ".join(str(make_header(decode_header(sent["Subject"]))).split()) == text


def test_addresses_of_links_and_ids_stand_in_headers_as_they_are_however_long():
    address = f"https://{'customers.' * 8}care.example/unsubscribe/{'A' * 48}"
    root = f"<tickets.1.2@{'customers.' * 8}care.example>"
    thread = LetterThread(f"<1.{root[1:]}", root, unsubscribe=("Stop", address))
    account = Account(1, "a@b.example", "Anna", "customer")
    letter = write_letter(
        Sender(SMALL, "https://care.example", NOW), account, LetterContent("x " * 90, (), "", ""), thread
    )
    written = parse_letter(letter.as_string()).as_bytes().split(b"\r\n\r\n")[0].decode()
    lines = written.replace("\r\n ", " ").split("\r\n")
    assert f"List-Unsubscribe: <{address}>" in lines
    assert {
        f"Message-ID: <1.{root[1:]}",
        f"In-Reply-To: {root}",
        f"References: {root}",
        f"Subject: {('x ' * 90).strip()}",
    } <= set(lines)
    assert all(len(line) <= 78 for line in written.split("\r\n") if "example" not in line)


def test_every_reason_for_a_letter_about_a_record_is_tested():
    """By a test that quotes it, so that it knows who gets such letters."""
    tests = Path(__file__).parents[2] / "functional" / "test_emails.py"
    reasons = {role.name: role.reason.replace("${reference}", "T1") for role in Role if role is not Role.STRANGER}
    missing = [name for name, reason in reasons.items() if reason not in tests.read_text("utf-8")]
    assert missing == [], "no test in tests/functional/test_emails.py quotes the reason of these roles"

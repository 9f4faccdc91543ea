"""A mail as bytes: its author, its text and files, whether a machine wrote it, and what it reports."""

import base64
from email.message import EmailMessage

import pytest

from portal.mail.incoming.body import UnreadableMailError
from portal.mail.incoming.message import read_mail

REPORT = b"""From: Mail Delivery System <MAILER-DAEMON@mx.example>
Message-ID: <report@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; anna@acme.example
Action: %s
Status: %s
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: <letter@portal.example>
--b--
"""


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": "Anna <Anna@Acme.example>", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello\n")
    return message


def test_a_subject_keeps_the_joiners_of_its_language_and_of_emoji():
    subject = "می\u200cخواهم 👩\u200d💻"
    encoded = base64.b64encode(subject.encode())
    assert read_mail(b"From: z@x.example\nSubject: =?utf-8?b?%s?=\n\nHi" % encoded).subject == subject


def test_names_and_subjects_are_decoded():
    raw = b"From: =?utf-8?q?Zo=C3=AB?= <zoe@x.example>\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\n =?utf-8?q?_dich?=\n\nHi"
    read = read_mail(raw)
    assert (read.sender_name, read.sender, read.subject, read.text) == ("Zoë", "zoe@x.example", "Grüße dich", "Hi")


def test_what_cannot_be_decoded_stays_as_it_is_written():
    name = b"=?utf\xff?q?caf=C3=A9.txt?="
    read = read_mail(
        b"From: %s <zoe@x.example>\nSubject: %s\n" % (name, name)
        + b'Content-Type: application/pdf\nContent-Disposition: attachment; filename="%s"\n\nHi' % name
    )
    assert (read.sender, read.text, len(read.files)) == ("zoe@x.example", "", 1)
    assert "caf" in read.subject


@pytest.mark.parametrize("written", ["Zoë".encode(), "Zoë".encode("latin-1"), b"=?utf-8?q?Zo=C3=AB?="])
def test_headers_with_letters_that_none_may_have_are_read(written: bytes):
    read = read_mail(b"From: %s <zoe@x.example>\nSubject: Re: %s\n\nHi" % (written, written))
    assert (read.sender_name, read.sender, read.subject) == ("Zoë", "zoe@x.example", "Re: Zoë")


@pytest.mark.parametrize("name", ["anna@acme.example", "anna@elsewhere.example", "Anna @ Acme"])
def test_a_name_with_an_at_sign_is_no_second_sender(name: str):
    read = read_mail(f"From: {name} <anna@acme.example>\nTo: help@portal.example\n\nHi".encode())
    assert (read.sender_name, read.sender) == (name, "anna@acme.example")


def test_the_addresses_of_the_envelope_come_first():
    read = read_mail(mail(To="Help <help@x.example>", Cc="a@b.example").as_bytes(), ("help+token@x.example",))
    assert read.recipients == ("help+token@x.example", "help@x.example", "a@b.example")


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Abwesenheit kann nicht gebucht werden"},
        {"Subject": "Away from keyboard shortcut is broken"},
        {"Subject": "Auto reply rules of the shared mailbox"},
        {"From": "Castle <bounce.castle@x.example>"},
    ],
)
def test_what_a_person_wrote_about_machines_is_no_machines(headers: dict[str, str]):
    assert not read_mail(mail(**headers).as_bytes()).automatic


def test_a_copy_has_the_same_key_and_another_mail_has_another():
    first = mail(Message_ID="<1@a.example>").as_bytes()
    keys = [
        read_mail(raw).key for raw in (first, b"Received: by x\n" + first, mail(Message_ID="<2@a.example>").as_bytes())
    ]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\\b\\c.txt", "c.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "attachment-1.bin"),
        ("x" * 400 + ".pdf", "x" * 150 + ".pdf"),
        ("Rechnungsübersicht", "Rechnungsübersicht"),
        ("x" * 400, "x" * 150),
    ],
)
def test_files_get_names_that_a_portal_may_store(name: str, safe: str):
    message = mail()
    message.add_attachment(b"x", "application", "octet-stream", filename=name)
    assert [file.name for file in read_mail(message.as_bytes()).files] == [safe]


@pytest.mark.parametrize(("action", "status", "permanent"), [(b"failed", b"5.1.1", True), (b"failed", b"4.4.7", False)])
def test_a_report_names_the_letter_that_was_not_delivered(action: bytes, status: bytes, permanent: bool):
    report = read_mail(REPORT % (action, status)).report
    assert (report.letter_ids, report.permanent) == (("<letter@portal.example>",), permanent)
    assert "no such user" in report.reason


def test_what_no_database_can_hold_is_in_nothing_that_is_stored():
    with pytest.raises(UnreadableMailError):
        read_mail(b"From: an\x00na@b.example\nMessage-ID: <a\x00b@c>\n\nHello")
    read = read_mail(
        (REPORT % (b"failed", b"5.1.1")).replace(b"no such", b"no\x00such").replace(b"<report", b"<re\x00port")
    )
    assert (read.message_id, read.report.reason) == ("", "550 5.1.1 nosuch user")
    assert read_mail((REPORT % (b"failed", b"5.1.1")).replace(b"<letter", b"<let\x00ter")).report.letter_ids == ()


SIGNED = b"""From: Anna <anna@acme.example>
MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s

--s
Content-Type: text/plain; format=flowed%s

The printer on the second\x20
floor is broken.
 From here on:
- one
- two
> quoted\x20
> text
>> older
--\x20
Anna
--s
Content-Type: application/pkcs7-signature; name="smime.p7s"
Content-Disposition: attachment; filename="smime.p7s"

x
--s--
"""


@pytest.mark.parametrize(("kind", "space"), [(b"", " "), (b"; delsp=yes", "")])
def test_lines_that_a_program_broke_are_one_again_and_a_signature_is_no_file(kind: bytes, space: str):
    read = read_mail(SIGNED % kind)
    assert read.files == ()
    assert read.text.split("\n") == [
        f"The printer on the second{space}floor is broken.", "From here on:", "- one", "- two",
        f"> quoted{space}text", ">> older", "-- ", "Anna",
    ]  # fmt: skip


def test_a_delay_is_no_failure():
    read = read_mail(REPORT % (b"delayed", b"4.4.1"))
    assert read.report is None
    assert read.automatic


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.example>"},
        {"Subject": "Out of office: Printer"},
        {"From": "No reply <no-reply@x.example>"},
        {"From": "Shop <orders-noreply@x.example>"},
        {"X_ML_Name": "neighbours"},
        {"Precedence": "auto-reply"},
        {"Subject": "Abwesenheitsnotiz: Drucker"},
        {"Subject": "Automatische Antwort: Drucker"},
        {"Subject": "Odpowiedź automatyczna: Drukarka"},
        {"Subject": "Out of Office Re: Printer"},
        {"Subject": "Out of office until 5 May"},
    ],
)
def test_what_a_machine_wrote_is_known(headers: dict[str, str]):
    assert read_mail(mail(**headers).as_bytes()).automatic
    assert not read_mail(mail(Auto_Submitted="no", Subject="Out of paper").as_bytes()).automatic


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"Subject: x\n\nHi",
        b"From: a@b.example, c@d.example\n\nHi",
        b"\x00\xff" * 5_000,
        b"From: a@b.example\r\n"
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000)),
        b"From: a@b.example\r\nTo: " + b"c@d.example, " * 20_000 + b"\r\n\r\nHello",
        b"From: " + b"(" * 3_000 + b"a@b.example\r\n\r\nHello",
        b"From: " + b" " * 30_000 + b"a@" + b" " * 30_000 + b"\r\n\r\nHello",
        b"From: =?utf-8?b?" + b"A" * 50_000 + b"\r\n\r\nHello",
        b"Content-Type: message/delivery-status\r\n\r\n",
    ],
)
def test_poison_is_refused_at_once(poison: bytes):
    with pytest.raises(UnreadableMailError):
        read_mail(poison)


def part(headers: bytes, content: bytes = b"x") -> bytes:
    """A mail with one part that has these headers."""
    mixed = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    return mixed + headers + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    "poison",
    [
        b'From: a@b.example\r\nContent-Type: text/plain; x="' + b";" * 60_000 + b"\r\n\r\nHello",
        part(b'Content-Type: application/x; name="' + b";" * 1_000_000),
        part(b'X: y\rContent-Type: application/x; name="' + b";" * 1_000_000),
        part(b"Content-Disposition: attachment" + b";\r\n a=b" * 200_000),
        part(b'Content-Disposition: attachment; filename="' + b"=?a?q?" * 300_000 + b'"'),
    ],
)
def test_endless_headers_of_parts_are_refused_at_once(poison: bytes):
    """Not after hours, in which no other mail would come in."""
    with pytest.raises(UnreadableMailError):
        read_mail(poison)


@pytest.mark.parametrize(
    "mail_of_a_minute",
    [
        part(b"Content-Type: message/rfc822", b"Subject: " + b"=?a?q?" * 500_000 + b"\r\n\r\nx"),
        b"From: a@b.example\r\nContent-Type: text/plain; charset=punycode\r\n\r\na-" + b"z9" * 500_000,
    ],
)
def test_a_mail_is_read_at_once_whatever_it_declares(mail_of_a_minute: bytes):
    assert read_mail(mail_of_a_minute).sender == "a@b.example"


def test_long_names_of_files_are_no_poison():
    pieces = b"".join(b";\r\n filename*%d=%s" % (number, b"a" * 50) for number in range(30))
    assert len(read_mail(part(b"Content-Disposition: attachment" + pieces)).files) == 1

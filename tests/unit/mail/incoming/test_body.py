"""The body of a mail, also from programs that break the rules."""

import base64

import pytest

from portal.mail.incoming.message import read_mail

HEADERS = b"From: Anna <anna@acme.example>\nMIME-Version: 1.0\n"
MIXED = (
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello\n--b\n%s\n\naGVsbG8=\n--b--\n"
)
PICTURE = b"<p>See <img src='data:image/png;base64,%s'> here</p><p>After</p>"


def with_file(headers: str | bytes) -> bytes:
    written = headers if isinstance(headers, bytes) else headers.encode()
    return HEADERS + MIXED % (b"Content-Transfer-Encoding: base64\n" + written)


def with_text(content: bytes, kind: str) -> bytes:
    return HEADERS + f"Content-Type: {kind}\nContent-Transfer-Encoding: 8bit\n\n".encode() + content


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("Content-Disposition: attachment; filename*=us-ascii''ohne%20W%F6lbung.jpg", "ohne Wölbung.jpg"),
        ('Content-Disposition: attachment; filename="Erklärung.txt"', "Erklärung.txt"),
        ('Content-Disposition: attachment; filename="می\u200cخواهم.txt"', "می\u200cخواهم.txt"),
        ('Content-Disposition: attachment; filename="Erklärung.txt"'.encode("latin-1"), "Erklärung.txt"),
        ('Content-Type: application/pdf; name="Żółw.pdf"', "Żółw.pdf"),
        ("Content-Disposition: attachment; filename*= ISO-8859-1'en'R%FCckmeldung.txt", "Rückmeldung.txt"),
        ("Content-Disposition: attachment;\n filename*0*=utf-8''%D0%94%D0;\n filename*1*=%BE.pdf", "До.pdf"),
        ('Content-Disposition: attachment;\n filename="=?utf-8?q?R=C3?=\n =?utf-8?q?=BCck.txt?="', "Rück.txt"),
    ],
)
def test_the_name_of_a_file_is_read_however_it_is_written(headers: str | bytes, name: str):
    assert [file.name for file in read_mail(with_file(headers)).files] == [name]


def test_a_mail_within_a_mail_is_called_by_its_subject():
    inner = b"Content-Type: message/rfc822\n\nSubject: Re: =?utf-8?q?St=C3=B6rung?=\n\nOld"
    read = read_mail(HEADERS + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n%s\n--b--\n" % inner)
    assert [file.name for file in read.files] == ["Re Störung.eml"]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("“quoted” – 5 €".encode("windows-1252"), "iso-8859-1", "“quoted” – 5 €"),
        ("①株式会社".encode("cp932"), "shift_jis", "①株式会社"),
        ("镕基".encode("gb18030"), "gb2312", "镕基"),
        ("a – b".encode(), "gb2312", "a – b"),
        ("שלום".encode("iso-8859-8"), "iso-8859-8-i", "שלום"),
        ("สวัสดี".encode("cp874"), "windows-874", "สวัสดี"),
        (b"\x1b$B-!3t\x1b(B", "iso-2022-jp", "\N{REPLACEMENT CHARACTER}株"),
        (b"\x1b$B$3$s\x1b(B", "", "こん"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode("latin-1"), "unknown-8bit", "Grüße"),
        (b"\xef\xbb\xbfHello", "utf-8", "Hello"),
    ],
)
def test_a_text_is_read_in_the_character_set_that_programs_mean(content: bytes, charset: str, text: str):
    assert read_mail(with_text(content, f"text/plain; charset={charset}" if charset else "text/plain")).text == text


def test_html_may_name_its_character_set_itself():
    html = "<html><head><meta http-equiv=x content='text/html; charset=iso-8859-2'></head><p>Łódź</p>"
    assert read_mail(with_text(html.encode("iso-8859-2"), "text/html")).text == "Łódź"


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?iso-8859-1?Q?=93x=94_=80?=", "“x” €"),
        ("=?x-unknown?Q?B=FC?= hi", "Bü hi"),
        ("RE:=?utf-8?q?B=C3=BC?=x", "RE:Büx"),
        (r"C:\Users\u12 =?utf-8?q?=C3=BC?=", r"C:\Users\u12 ü"),
        ("Łódź =?utf-8?q?=C3=BC?=", "Łódź ü"),
    ],
)
def test_a_subject_is_read_however_it_is_written(written: str, subject: str):
    assert read_mail(HEADERS + f"Subject: {written}\n\nHello".encode()).subject == subject


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/alternative; boundary=elsewhere"])
def test_parts_that_cannot_be_told_apart_are_text(kind: str):
    read = read_mail(with_text(b"All of the text", kind))
    assert (read.text, read.files) == ("All of the text", ())


def test_how_a_part_is_encoded_may_be_written_with_spaces():
    encoded = (
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable \n\nGr=C3=BC=\n=C3=9Fe"
    )
    assert read_mail(HEADERS + encoded).text == "Grüße"


@pytest.mark.parametrize("size", [5, 2_000_000])
def test_a_picture_that_stands_in_the_html_is_a_file_and_the_text_goes_on(size: int):
    picture = b"x" * size
    read = read_mail(with_text(PICTURE % base64.b64encode(picture), "text/html"))
    assert read.text == "See [attachment-1.png] here\n\nAfter"
    assert [(file.name, file.content) for file in read.files] == [("attachment-1.png", picture)]


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        (b"", "First:[image.png] Then:[image (2).png]"),
        (b"First:\n[image: image.png]\nThen:\n[image: image.png]\n[image: other.png]",
         "First:\n[image.png]\nThen:\n[image (2).png]\n[image: other.png]"),
    ],
)  # fmt: skip
def test_pictures_of_one_name_each_stand_where_they_stood(plain: bytes, text: str):
    html = b"First:<img src='cid:1' alt=image.png> Then:<img src='cid:2' alt=image.png>"
    texts = b"--a\nContent-Type: text/plain\n\n%s\n--a\nContent-Type: text/html\n\n%s\n--a--\n" % (plain, html)
    picture = b"--b\nContent-Type: image/png; name=image.png\nContent-ID: <%d>\n\n%s\n"
    parts = b"--b\nContent-Type: multipart/alternative; boundary=a\n\n" + texts
    parts += b"".join(picture % (number, content) for number, content in ((1, b"one"), (2, b"two")))
    read = read_mail(HEADERS + b"Content-Type: multipart/related; boundary=b\n\n" + parts + b"--b--\n")
    assert read.text == text
    assert [(file.name, file.content) for file in read.files] == [("image.png", b"one"), ("image (2).png", b"two")]


def test_the_files_of_alternatives_that_are_not_shown_are_kept_and_their_texts_are_not_repeated():
    pdf = b"--c\nContent-Type: application/pdf\nContent-Disposition: inline; filename=a.pdf\n\nx\n"
    mixed = (
        b"Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>Hello</p>\n%s--c--\n" % pdf
    )
    meeting = b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n"
    html = b"Content-Type: text/html\n\n" + PICTURE % base64.b64encode(b"picture")
    parts = b"".join(b"--b\n%s\n" % part for part in (b"Content-Type: text/plain\n\nHello", mixed, html, meeting))
    read = read_mail(HEADERS + b"Content-Type: multipart/alternative; boundary=b\n\n" + parts + b"--b--\n")
    assert read.text == "Hello"
    assert [file.name for file in read.files] == ["a.pdf", "attachment-2.png", "attachment-3.ics"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
        ("One<br><br>Two<br>Three", "One\n\nTwo\nThree"),
        ("<blockquote>One<br><br>Two</blockquote>Three", "> One\n>\n> Two\n>\nThree"),
        (
            "<ol><li>One</li><li><p>Two</p><ul><li>a</li></ul></li><li>Three</li></ol>",
            "1. One\n2. Two\n\n- a\n\n3. Three",
        ),
        ("<ol start=7><li>Seven</li></ol><ol start=x><li>First</li></ol>", "7. Seven\n\n1. First"),
        ("<a href='mailto:ola@acme.example?subject=x'>Write</a> to us", "Write <ola@acme.example> to us"),
        ("<a href='mailto:ola@acme.example'>ola@acme.example</a>", "ola@acme.example"),
        ("10<sup>12</sup> m<sup>2</sup> on the 1<sup>st</sup>", "10¹² m² on the 1st"),
        ("Fine <img src=x alt='🙂'><img src=y alt='Our shop'><img src=z alt=' '>!", "Fine 🙂[Our shop]!"),
    ],
)
def test_html_reads_as_it_is_meant(html: str, text: str):
    assert read_mail(with_text(html.encode(), "text/html; charset=utf-8")).text == text

"""What someone wrote in a reply, without the mail program's quote and without the signature."""

import pytest

from portal.mail.incoming.html_text import text_of_html
from portal.mail.incoming.reply_text import split_reply


@pytest.mark.parametrize(
    ("text", "written", "folded"),
    [
        ("Thanks!", "Thanks!", ""),
        ("Thanks!\n\nOn Thu, 5 Mar 2026, Us <a@b.example> wrote:\n> Hi\n>\n> there", "Thanks!", "On Thu, 5 Mar"),
        ("Thanks!\n\nOn Thu, 5 Mar 2026 at 12:00, Us\n<a@b.example> wrote:\n\n> Hi", "Thanks!", "On Thu, 5 Mar"),
        ("Grazie!\n\nIl giorno 5 mar 2026 Noi <a@b.example> ha scritto:\n> Ciao", "Grazie!", "Il giorno"),
        ("Dzięki!\n\nDnia 5 mar 2026 My <a@b.example> napisał(a):\n> Cześć", "Dzięki!", "Dnia 5"),
        ("Dzięki!\n\nW dniu 5.03.2026 o 12:00, My pisze:\n> Cześć", "Dzięki!", "W dniu"),
        ("Dzięki!\n\nOd: My <a@b.example>\nWysłane: piątek\nDo: Anna\nTemat: Hej\n\nHej", "Dzięki!", "Od: My"),
        ("Grazie!\n\nScarica Outlook per iOS", "Grazie!", "Scarica Outlook"),
        ("Kiitos!\n\n5.3.2026 klo 12 Me <a@b.example> kirjoitti:\n> Hei", "Kiitos!", "5.3.2026 klo"),
        ("Thanks!\n\nFrom: Us <a@b.example>\nSent: Thursday\nTo: Anna\nSubject: Hi\n\nHi there", "Thanks!", "From: Us"),
        ("Danke!\n\nVon: Uns <a@b.example>\nGesendet: Donnerstag\nAn: Anna\n\nHallo", "Danke!", "Von: Uns"),
        ("¡Vale!\n\nDe: Uno <a@b.example>\nEnviado el: jueves, 5\nPara: Ana\n\nHola", "¡Vale!", "De: Uno"),
        ("Sim\n\nDe: Um <a@b.example>\nEnviada em: quinta, 5\nPara: Ana\n\nOlá", "Sim", "De: Um"),
        ("Да\n\nОт: Мы <a@b.example>\nОтправлено: 5 марта\nКому: Анна\n\nПривет", "Да", "От: Мы"),
        ("はい\n\n差出人: A <a@b.example>\n送信日時: 2026年3月5日\n宛先: B\n\nHi", "はい", "差出人"),
        ("Evet\n\nKimden: A <a@b.example>\nGönderildi: 5 Mart\nKime: B\n\nHi", "Evet", "Kimden"),
        ("Ja\n\nGesendet: Donnerstag, 5. März\nVon: Uns <a@b.example>\nAn: Anna\n\nHallo", "Ja", "Gesendet"),
        ("Zwei Karten:\nDatum: 5. März\nVon: Bonn", "Zwei Karten:\nDatum: 5. März\nVon: Bonn", ""),
        ("Tak\n\nWysłane z iPhone'a", "Tak", "Wysłane z"),
        ("Tak\n\nWysłane z mojego telefonu", "Tak", "Wysłane z"),
        ("Paczka:\nWysłane z magazynu wczoraj", "Paczka:\nWysłane z magazynu wczoraj", ""),
        ("Ja\n\nVon meinem Galaxy gesendet", "Ja", "Von meinem"),
        ("Sì\n\nInviato dal mio Galaxy", "Sì", "Inviato dal"),
        ("Ja\n\nOutlook für iOS<https://aka.ms/o0ukef> beziehen", "Ja", "Outlook für"),
        ("Thanks!\n\n-----Original Message-----\nFrom: a@b.example\n\nHi", "Thanks!", "-----Original"),
        ("Thanks!\n\n> Reply to comment.\n> ---- Please write above this line ----\n> TT1", "Thanks!", "> Reply"),
        ("Thanks!\n-- \nAnna Rossi\nAcme", "Thanks!", "-- \nAnna Rossi\nAcme"),
        ("Thanks!\n\nSent from my iPhone", "Thanks!", "Sent from my iPhone"),
        ("OK\n\nSent with [Proton Mail](https://proton.me) secure email.", "OK", "Sent with [Proton"),
        ("On Thu, 5 Mar 2026, Us wrote:\n> Does it work?\n\nYes, it does.", "Yes, it does.", "On Thu, 5 Mar"),
        ("> Does it work?\nYes, it does.", "Yes, it does.", "> Does it work?"),
        ("> One?\nYes.\n> Two?\nNo.", "> One?\nYes.\n> Two?\nNo.", ""),
        ("My list:\n- one\n- two\n\n    indented", "My list:\n- one\n- two\n\n    indented", ""),
        ("On your machine:\nrun it.", "On your machine:\nrun it.", ""),
        ("Data: 5 marca\nDo: Anny", "Data: 5 marca\nDo: Anny", ""),
        ("Two tickets:\nFrom: Rome\nTo: Milan\nDate: Friday", "Two tickets:\nFrom: Rome\nTo: Milan\nDate: Friday", ""),
        ("One ticket:\nFrom: Rome\nTo: Milan\nDate: 5 May", "One ticket:\nFrom: Rome\nTo: Milan\nDate: 5 May", ""),
        ("Thanks!\n\nFrom: Us\nSent: Thursday 5\nTo: Anna\nCc: Bob\nSubject: Hi\n\nHi", "Thanks!", "From: Us"),
        ("Thanks!\n\n---- Original message ----From: Us <a@b.example> Date: 5/3\nHi", "Thanks!", "---- Original"),
        ("Thanks!\n\n---- On Thu, 05 Mar 2026 Us <a@b.example> wrote ---\n> Hi", "Thanks!", "---- On Thu"),
        ("Thanks.\nSent from my desk, it is easier.", "Thanks.\nSent from my desk, it is easier.", ""),
        ("> only what was quoted", "> only what was quoted", ""),
    ],
)  # fmt: skip
def test_what_was_written_is_told_from_what_is_quoted(text: str, written: str, folded: str):
    reply = split_reply(text)
    assert reply.text == written
    assert reply.folded.startswith(folded)
    assert bool(reply.folded) == bool(folded)


def test_nothing_is_lost():
    text = "Thanks!\n\nOn Thu, 5 Mar 2026, Us wrote:\n> Hi\n> there" + "\n> more" * 50_000
    reply = split_reply(text)
    assert text.replace("\n", "") == (reply.text + reply.folded).replace("\n", "")


@pytest.mark.parametrize("odd", ["On " * 30_000, "> " * 40_000, "On a\nwrote:\n" * 8_000])
def test_odd_texts_are_left(odd: str):
    assert split_reply(odd).text.split() == odd.split()


def test_html_reads_as_a_plain_mail_does():
    html = (
        '<style>p {color: red}</style><p>Hello <b>you</b>,</p><div>see <a href="https://a.example/x">this</a>: '
        '<img src="cid:p1"><ul><li>one<li>\n<p>two</p></ul></div>'
        "<blockquote>What <br>now?<blockquote>Older</blockquote></blockquote>"
    )
    assert text_of_html(html, {"p1": "photo.jpg"}).split("\n") == [
        "Hello you,", "", "see this <https://a.example/x>: [photo.jpg]", "", "- one", "- two", "",
        "> What", "> now?", ">", "> > Older",
    ]  # fmt: skip


@pytest.mark.parametrize("part", ["<td>a", "<td> ", "a</a>", "<!--", "<a b ", "<a b='", "<?"])
def test_a_mail_of_very_many_marks_is_read_at_once(part: str):
    """Not in quadratic time, which took minutes."""
    assert text_of_html(f"<a href='http://x.example'>{part * 60_000}", {}) is not None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<!-- b > c -->d", "ad"), ("a<!-->b", "ab"), ("a<!-- b", "a b"), ("1 < 2", "1 < 2"),
        ("<p>x</p>y <b", "x\n\ny <b"), ("<style><!-- a {} </style>b", "b"), ("<!--[if mso]>a<![endif]-->b", "b"),
    ],
)  # fmt: skip
def test_of_comments_and_unfinished_tags_no_word_is_lost(html: str, text: str):
    assert text_of_html(html, {}) == text

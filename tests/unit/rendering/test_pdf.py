"""PDFs of pages: customers' HTML as nodes, logos of every kind, nothing that breaks Typst."""

import io
import json
import logging
import re

import pytest
from markupsafe import Markup
from PIL import Image
from pypdf import PdfReader

from portal.fields.markup import sanitized
from portal.fields.reader import Reader
from portal.rendering.html_nodes import DEEPEST, html_nodes
from portal.rendering.pdf import draw_pdf
from portal.views.displays import DISPLAYS, LinesShown, Value
from portal.views.records.details import SectionShown
from portal.views.records.record_pdf import PdfPage
from tests.source_code import PORTAL

# Displays of which paper shows only the text, with its link.
AS_TEXT = {
    "empty", "cover", "plain", "count", "channel", "pill", "pills", "tags", "link", "email", "phone", "url", "location",
    "date", "datetime", "rating",
}  # fmt: skip
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/>%s</svg>'


def picture(kind, size=(40, 20)):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, kind)
    return file.getvalue()


def drawn(*values, logo=SVG % b""):
    page = PdfPage(
        portal="Lumen", logo=logo, accent="#ffd400", ink="#665500", language="en", direction="ltr", kind="Order",
        heading="Lamps", about="SO1", aside=(), sections=(SectionShown("", tuple((value,) for value in values)),),
        comments=(), pictures={}, made="Made", total="Total", conversation="Comments", numbering="1",
    )  # fmt: skip
    return PdfReader(io.BytesIO(draw_pdf("record.typ", page, Reader())))


def test_every_display_is_drawn_or_shown_as_its_text():
    template = (PORTAL / "templates/record.typ").read_text("utf-8")
    functions = template.partition("#let displays = (\n")[2].partition("\n)\n")[0]
    known = set(re.findall(r"^  (\w+):", functions, re.MULTILINE))
    assert sorted(DISPLAYS.keys() ^ (known | AS_TEXT)) == [], "templates/record.typ: displays, or AS_TEXT here"


def html(text):
    return Value("Text", "html", html=Markup(sanitized(text)))  # noqa: S704


@pytest.mark.parametrize(("kind", "pictures"), [("PNG", 1), ("JPEG", 1), ("GIF", 1), ("WEBP", 1), ("SVG", 0)])
def test_a_logo_of_every_kind_is_drawn(kind, pictures, caplog):
    pdf = drawn(logo=SVG % b"" if kind == "SVG" else picture(kind))
    assert (len(pdf.pages[0].images), caplog.records) == (pictures, [])


@pytest.mark.parametrize("logo", [b"no picture", b"", b"<svg", picture("ICO", (32, 32))])
def test_without_a_logo_that_can_be_drawn_the_name_alone_stands_there(logo, caplog):
    with caplog.at_level(logging.WARNING):
        assert "Lumen" in drawn(Value("A", text="B"), logo=logo).pages[0].extract_text()
    assert "without logo and pictures" in caplog.text


def test_a_logo_reads_no_files():
    link = b'<image href="file:///etc/passwd"/><image href="/etc/passwd" width="5" height="5"/><text>&xxe;</text>'
    assert "root:" not in drawn(logo=SVG % link.replace(b"&xxe;", b"x")).pages[0].extract_text()


def test_formatted_texts_keep_their_form():
    text = """<h2>Head</h2><p>One <b>bold</b> <i>word</i> &lt;i&gt; #x</p>
    <ul><li>first</li><li>second<ol><li>inner</li></ol></li></ul>
    <table><thead><tr><th>A</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr><tr></tr></tbody></table>
    <pre>  two
    lines</pre><blockquote>Quoted</blockquote><dl><dt>T</dt><dd>D</dd></dl><hr>a<br>b <a href="/secret">here</a>
    <img src="https://x.example/p.png" alt="A picture">"""
    lines = [line.strip() for line in drawn(html(text)).pages[0].extract_text().splitlines()]
    for line in ("Head", "One bold word <i> #x", "• first", "1. inner", "1 2", "Quoted", "b here A picture"):
        assert line in lines, lines


def test_however_deep_elements_stand_within_one_another_they_are_drawn():
    for tag in ("blockquote", "ul><li", "b", "table><tr><td", "div", "sub"):
        closing = "".join(f"</{part.strip('<>')}>" for part in reversed(tag.split(">")))
        pdf = drawn(html(f"<{tag}>" * 60 + "innermost" + closing * 60))
        assert "innermost" in pdf.pages[0].extract_text(), tag
    nodes = html_nodes(Markup("<b>" * 90 + "x" + "</b>" * 90 + "after"))  # noqa: S704
    assert (json.dumps(nodes).count('"tag"'), nodes[-1]) == (DEEPEST, "after")


def test_a_word_that_is_longer_than_the_page_is_broken():
    url, word = f"https://a.example/{'u' * 300}", "w" * 300
    pdf = drawn(Value("A", "url", url, url=url), Value("B", "longtext", word), html(f"<p>{word.upper()}</p>"))
    lines = pdf.pages[0].extract_text().splitlines()
    assert all(sum(letter * 9 in line for line in lines) > 1 for letter in "uwW")


def test_what_is_nearly_empty_is_drawn():
    texts = ("", " ", "<p></p>", "<ul></ul>", "<table></table>", "<table><tr></tr></table>", "a<b> </b>")
    lines = Value("B", "lines", "2 lines", parts=(LinesShown((), ((), ()), ()),))
    assert "2 lines" in drawn(*map(html, texts), Value("A", "json", "1"), lines).pages[0].extract_text()

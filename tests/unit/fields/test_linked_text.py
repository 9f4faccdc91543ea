"""Addresses in plain text become links; nothing that could run a script does."""

import pytest

from portal.fields.linked_text import linked_text


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://a.example/b?c=1&d=2#e.", ["https://a.example/b?c=1&d=2#e"]),
        ("(see http://a.example/b_(c)), or HTTPS://B.example!", ["http://a.example/b_(c)", "HTTPS://B.example"]),
        ("“https://a.example/ä”…", ["https://a.example/ä"]),
        ("write to anna@acme.example.", ["mailto:anna@acme.example"]),
        ("mailto:anna@acme.example?subject=Hello", ["mailto:anna@acme.example?subject=Hello"]),
        ("https://user@a.example:8080/", ["https://user@a.example:8080/"]),
        ("go to www.a.example/b, or (WWW.b.example)", ["https://www.a.example/b", "https://WWW.b.example"]),
        ("詳細はhttps://a.example/b。（anna@acme.exampleへ）", ["https://a.example/b", "mailto:anna@acme.example"]),
        ("two\nhttps://a.example\nlines http://b.example", ["https://a.example", "http://b.example"]),
    ],
)
def test_addresses_are_links(text, links):
    pieces = linked_text(text)
    assert [piece.url for piece in pieces if piece.url] == links
    assert "".join(piece.text for piece in pieces) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>",
        "vbscript:x", "file:///etc/passwd", "xhttps://a.example", "https://", "http:///path", "http://[::1",
        "mailto:", "mailto:@", "//a.example", "www.", "www.a", "xwww.a.example", "@handle", "a@b", "ftp://a.example",
    ],
)  # fmt: skip
def test_nothing_else_is_a_link(text):
    assert [piece.url for piece in linked_text(text) if piece.url] == []


@pytest.mark.parametrize(
    "text", ['https://a.example/"onmouseover="x', "https://a.example/<script>", "https://a.example/\x01x"]
)
def test_a_link_ends_before_what_could_leave_its_attribute(text):
    (url,) = [piece.url for piece in linked_text(text) if piece.url]
    assert url == "https://a.example/"


@pytest.mark.parametrize("text", ["a" * 50_000 + "@", "https://" * 6_000, "http://a.b/" + ")" * 50_000, "a.-" * 16_000])
def test_a_long_text_loses_nothing(text):
    assert "".join(piece.text for piece in linked_text(text)) == text

"""Markdown and HTML that people typed cannot harm their readers."""

import re

import pytest

from portal.fields.base import Field
from portal.fields.reader import PLAIN, Reader

HARMFUL = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/track.gif'>",
    "<img src='//evil.example/track.gif'>",
    "<img src='/\\evil.example/track.gif'>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='https://a.example' onclick='alert(1)' style='position:fixed' target=_blank>x</a>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data=x></object><embed src=x>",
    "<form action='/logout' method=post><input name=a><button>Go</button></form>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'><base href=//evil.example>",
    "<p style='background:url(//evil.example)' class=primary id=main>x</p>",
    "<video src=//evil.example/v poster=//evil.example/p autoplay></video>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<b><script>alert(1)</b></script>",
    "<<script>script>alert(1)<</script>/script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/track.gif)",
    "[x](<javascript:alert(1)> 'y')",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "```html\n<script>alert(1)</script>\n```",
]
BAD = re.compile(
    r"<(script|style|iframe|object|embed|form|input|button|svg|math|link|meta|base|video|noscript)\b"
    r"|<[^>]*\s(on\w+|style|class|id|target)\s*="
    r"|<[^>]*\s(href|src)\s*=\s*[\"']?\s*(javascript|vbscript|data):"
    r"|<[^>]*\ssrc\s*=\s*[\"']?(https?:|//|/\\)",
    re.IGNORECASE,
)


def rich(kind: str) -> Field:
    return Field.types[kind].model_validate({"name": "x", "type": kind})


@pytest.mark.parametrize("typed", HARMFUL)
@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_nothing_harmful_is_shown(kind, typed):
    one = rich(kind)
    value = one.parse(f"before {typed} after", PLAIN)
    assert not BAD.search(one.html(value))
    assert "before" in one.html(value)
    # Content that entered the database by other ways than a form.
    assert not BAD.search(one.html(typed))


@pytest.mark.parametrize("typed", HARMFUL)
def test_html_is_kept_clean(typed):
    value = rich("html").parse(typed, PLAIN)
    assert value is None or not BAD.search(value)
    assert rich("html").parse(value or "", PLAIN) == value, "cleaning twice changes nothing"


def test_what_is_allowed_stays():
    typed = '<h2>T</h2><p>a <strong>b</strong> <em>c</em></p><ul><li>d</li></ul><img src="/articles/1/files/2" alt="e">'
    assert rich("html").parse(typed, PLAIN) == typed
    link = rich("html").parse('<a href="https://a.example/?b=1">x</a>', PLAIN)
    assert link == '<a href="https://a.example/?b=1" rel="noopener">x</a>'


@pytest.mark.parametrize("shown", ["/articles/1/files/2/preview", "/logos/ours.PNG", "/a.b/c.jpeg"])
@pytest.mark.parametrize("loaded", ["/tickets/export.xlsx", "/account/data", "/?a.png", "/?q=/files/1", "/#/files/1"])
def test_a_picture_is_a_file_and_no_page_that_readers_would_load(shown, loaded):
    typed = f'<img src="{shown}"><img src="{loaded}">'
    assert rich("html").html(typed) == f'<img src="{shown}"><img>'
    assert rich("markdown").html(f"![a]({shown})![b]({loaded})").count("src=") == 1


def test_markdown_is_rendered():
    shown = rich("markdown").html(
        "# Title\n\nA **bold** [link](https://a.example)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n1 < 2 & 3"
    )
    for part in (
        "<h1>Title</h1>",
        "<strong>bold</strong>",
        'href="https://a.example" rel="noopener"',
        "<td>1</td>",
        "1 &lt; 2 &amp; 3",
    ):
        assert part in shown


def test_addresses_in_markdown_are_links_but_in_code():
    shown = rich("markdown").html(
        "See https://a.example/x_y_z?b=1&c=2, **www.b.example** or ola@c.example. `https://d.example` [https://e.example](/f)\n\n"
        "    https://g.example"
    )
    assert re.findall('href="([^"]*)"', shown) == [
        "https://a.example/x_y_z?b=1&amp;c=2", "https://www.b.example", "mailto:ola@c.example", "/f",
    ]  # fmt: skip


def test_the_search_gets_words_without_markup():
    markdown, html = rich("markdown"), rich("html")
    assert list(markdown.texts("# Title\n\n[link](https://hidden.example) **bo**ld `x < y`")) == [
        "Title link bold x < y"
    ]
    assert list(html.texts("<p title='hidden'>one</p><p>t<b>w</b>o &lt;3</p>")) == ["one two <3"]
    assert markdown.show("*a* b", Reader()) == "a b"


@pytest.mark.parametrize(
    "pattern",
    [
        "[" * 30_000,
        "*" * 50_000,
        "[a](" * 12_000,
        "> " * 25_000,
        "`" * 50_000,
        "<a " * 16_000,
        "_a_ *" * 10_000,
        "|a" * 25_000,
    ],
)
def test_a_hostile_text_does_not_stop_the_server(pattern):
    for kind in ("markdown", "html"):  # a parser that takes quadratic time would not come back from these
        value = rich(kind).parse(pattern, PLAIN)
        assert len(rich(kind).html(value)) < 50 * len(pattern)


@pytest.mark.parametrize("nested", ["<div>", "<ul><li>", "<dl><dd>", "<pre>", "<b a=1></i>"])
def test_what_is_nested_without_end_is_text(nested):
    """A parser with ten thousand open elements takes seconds, each time that the text is shown."""
    value = rich("html").parse(f"<p>begin</p>{nested * (80_000 // len(nested))}end", PLAIN)
    shown = rich("html").html(value)
    assert shown.count("</") < 300
    assert shown.count("&lt;") > 5_000
    (words,) = rich("html").texts(value)
    assert words.startswith("begin ")
    assert words.endswith("end")


def test_a_long_text_whose_elements_end_is_shown_as_it_is():
    html = "<ul>" + "<li><p>one <b>bold</b> word<br></p></li>" * 1_000 + "</ul>"
    assert rich("html").parse(html, PLAIN) == html
    assert rich("html").html("<p>word<br>" * 1_000).count("<p>") == 1_000
    rows = rich("html").html("<table>" + "<tr><td>a<td>b</tr>" * 1_000 + "</table><ul><li>one<li>two</ul>")
    assert (rows.count("<td>"), rows.count("<li>")) == (2_000, 2)

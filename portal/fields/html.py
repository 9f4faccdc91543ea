"""`html`: rich text. Input is sanitized before it is stored, and again when it is shown."""

from typing import Any, ClassVar, Literal

from portal.fields.longtext import LongTextLike
from portal.lazy import LazyModule
from portal.texts import is_blank

markup = LazyModule("portal.fields.markup")


class Html(LongTextLike):
    """Rich text, edited with a small toolbar."""

    type: Literal["html"]
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "html"
    display: ClassVar[str] = "html"
    holds_html: ClassVar[bool] = True
    sample: ClassVar[dict[str, Any]] = {"max_length": 200}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("<p>one <b>bold</b> word</p><p>two</p>", "<p>one <b>bold</b> word</p><p>two</p>", "one bold word two"),
        ("one\ntwo <a@b.example>\n\n3", "<p>one<br>two &lt;a@b.example&gt;</p><p>3</p>", "one two <a@b.example> 3"),
        ("plain &amp; simple<script>alert(1)</script>", "plain &amp; simple", "plain & simple"),
        ("<p> </p><br>", None, ""),
        ('<p><img src="https://elsewhere.example/a.png"></p>', None, ""),  # a picture that is not shown
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 201, "a\x00b", "a\ud800b")

    def check(self, text: str) -> str | None:
        """The safe part of the HTML; None if nothing in it is visible."""
        clean = markup.sanitized(markup.as_markup(super().check(text) or ""))
        clean = markup.as_markup(clean.strip())  # only text may be left after sanitizing
        return clean if 'src="' in clean or not is_blank(markup.without_markup(clean)) else None

    def html(self, value: str | None) -> str:
        return markup.sanitized(value) if value else ""

    def without_markup(self, value: str) -> str:
        """The words between the tags."""
        return markup.without_markup(value)

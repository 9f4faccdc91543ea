"""`markdown`: CommonMark with tables, stored as it was typed, rendered and sanitized when it is shown."""

from typing import Any, ClassVar, Literal

from portal.fields.longtext import LongTextLike
from portal.lazy import LazyModule

markup = LazyModule("portal.fields.markup")


class Markdown(LongTextLike):
    """Text in Markdown (CommonMark)."""

    verbatim: ClassVar[bool] = True
    type: Literal["markdown"]
    widget: ClassVar[str] = "markdown"
    display: ClassVar[str] = "markdown"
    sample: ClassVar[dict[str, Any]] = {"max_length": 80}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("# A *title*\r\nand **more**", "# A *title*\nand **more**", "A title and more"),
        ("plain", "plain", "plain"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 81, "a\x00b", "a\ud800b")

    def html(self, value: str | None) -> str:
        return markup.sanitized(markup.rendered(value)) if value else ""

    def without_markup(self, value: str) -> str:
        """The visible words."""
        return markup.without_markup(markup.rendered(value))

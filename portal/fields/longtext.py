"""`longtext`: plain text with line breaks. Also the base of markdown and html."""

from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from portal.fields.base import Field
from portal.fields.text import TextLike, at_most


class LongTextLike(TextLike):
    """Multi-line text with the key `max_length`: longtext, markdown, html and json."""

    widget: ClassVar[str] = "textarea"
    long: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    type: str

    max_length: int = Key(100_000, ge=1, le=1_000_000)

    @property
    def length_limit(self) -> int:
        return self.max_length

    def check(self, text: str) -> str | None:
        """The text with uniform line breaks. Raises Refused if it is longer than `max_length`."""
        return at_most("\n".join(text.splitlines()), self.max_length)


class LongText(LongTextLike):
    """Plain text with line breaks."""

    verbatim: ClassVar[bool] = True
    type: Literal["longtext"]
    display: ClassVar[str] = "longtext"
    sample: ClassVar[dict[str, Any]] = {"max_length": 40}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (" one line ", "one line", "one line"),
        ("two\r\n\r\n  lines\r", "two\n\n  lines", "two\n\n  lines"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("x" * 41, "a\x00b", "a\udfffb")

    def takes(self, other: Field) -> bool:
        """Any text, including multi-line text."""
        return other.filter == "text" and not other.by_upload

"""`color`: `#rrggbb`."""

import re
from typing import Any, ClassVar, Literal

from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled
from portal.texts import _

SHORT = re.compile("#([0-9a-f])([0-9a-f])([0-9a-f])")


class Color(Field):
    """A color such as #2457d6."""

    type: Literal["color"]
    searchable: ClassVar[bool] = False  # nobody searches for the digits of a color
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "color"
    input_type: ClassVar[str] = "color"
    filter: ClassVar[str] = "color"
    display: ClassVar[str] = "color"
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("#00ff7f", "#00ff7f", "#00ff7f"),
        (" #2457D6", "#2457d6", "#2457d6"),
        ("#fa0", "#ffaa00", "#ffaa00"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = ("red", "2457d6", "#2457d", "#2457d6; x", "#" + "0" * 100_000)

    def parse(self, text: str, reader: Reader) -> str | None:
        """#2457d6, or #25d for #2255dd, in upper or lower case."""
        color = filled(text).lower()
        if not color:
            return None
        if short := SHORT.fullmatch(color):
            return "#" + "".join(digit * 2 for digit in short.groups())
        if not re.fullmatch("#[0-9a-f]{6}", color):
            raise Refused(_("Enter a color such as #2457d6."))
        return color

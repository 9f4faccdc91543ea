"""Lines of YAML as text, for code that examines files that the parser cannot read."""

import re

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def has_content(line: str) -> bool:
    """Whether a line has more than spaces and a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def indentation(line: str) -> int:
    """How many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))

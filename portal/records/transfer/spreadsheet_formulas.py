"""Cells that a spreadsheet would take for formulas: written with an apostrophe before them, and read back without.

A program may split a line at another separator than ours, so that a formula may begin behind any of SEPARATORS. Text
that has apostrophes there already gets one more, so that nothing is lost on the way.
"""

import re

MARKS = "=+\\-@\t\r\n＝＋－＠"
SEPARATORS = ',;\\t\\r\\n\\|"'
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
RISKY = re.compile(rf"(?:^|(?<=[{SEPARATORS}]))(?='*[{MARKS}])")
PROTECTED = re.compile(rf"(?:^|(?<=[{SEPARATORS}]))'(?='*[{MARKS}])")


def protect_cell(cell: str) -> str:
    """`cell` as no spreadsheet computes it."""
    return cell if NUMBER.fullmatch(cell) else RISKY.sub("'", cell)


def unprotect_cell(cell: str) -> str:
    """The text that `protect_cell` wrote as `cell`."""
    return PROTECTED.sub("", cell)

"""Cells that a spreadsheet would take for formulas: written with a leading apostrophe, which an import removes.

A program may split lines at a different separator than ours, so a formula may begin after any of SEPARATORS. Text that
already has apostrophes there gets one more, so that nothing is lost.
"""

import re

MARKS = "=+\\-@\t\r\n＝＋－＠"
SEPARATORS = ',;\\t\\r\\n\\|"'
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
RISKY = re.compile(rf"(?:^|(?<=[{SEPARATORS}]))(?='*[{MARKS}])")
PROTECTED = re.compile(rf"(?:^|(?<=[{SEPARATORS}]))'(?='*[{MARKS}])")


def protect_cell(cell: str) -> str:
    """`cell` in a form that no spreadsheet evaluates."""
    return cell if NUMBER.fullmatch(cell) else RISKY.sub("'", cell)


def unprotect_cell(cell: str) -> str:
    """The text that `protect_cell` wrote as `cell`."""
    return PROTECTED.sub("", cell)

"""Cells that a spreadsheet would take for formulas: written with an apostrophe before them, and taken back without.

A value that begins with apostrophes before such a mark gets one more, so that nothing is lost on the way.
"""

import re

MARKS = "=+\\-@\t\r\n＝＋－＠"
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
RISKY = re.compile(rf"'*[{MARKS}]")
PROTECTED = re.compile(rf"'+[{MARKS}]")


def protected(cell: str) -> str:
    """`cell` as no spreadsheet computes it."""
    return f"'{cell}" if RISKY.match(cell) and not NUMBER.fullmatch(cell) else cell


def unprotected(cell: str) -> str:
    """What was meant by a cell that `protected` wrote."""
    return cell[1:] if PROTECTED.match(cell) else cell

"""SheetCell: a value with which a spreadsheet can compute. Values without one are written to the cell as text."""

import datetime
from decimal import Decimal
from typing import NamedTuple

MOST_DIGITS = 15  # of a number that a spreadsheet keeps exactly
FIRST_DAY = datetime.date(1900, 3, 1)  # before it, programs disagree about which day a number means
# Formats of every spreadsheet program, which shows them in its user's style, by their numbers in the standard.
DATE, CLOCK, CLOCK_WITH_SECONDS, DATE_AND_TIME, LENGTH_WITH_SECONDS = 14, 20, 21, 22, 46
LENGTH_OF_TIME = "[h]:mm"

SheetValue = bool | int | Decimal | datetime.datetime | datetime.date | datetime.time | datetime.timedelta


class SheetCell(NamedTuple):
    """The value of a cell and its appearance: a spreadsheet format, or the number of a built-in one."""

    value: SheetValue
    number_format: str | int = "General"


def number_cell(value: int | Decimal, number_format: str | int = "General") -> SheetCell | None:
    """The cell of a number; None for one with more digits than a spreadsheet keeps."""
    digits = Decimal(value).normalize().as_tuple().digits
    return SheetCell(value, number_format) if len(digits) <= MOST_DIGITS else None

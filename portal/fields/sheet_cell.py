"""SheetCell: a value as a spreadsheet computes with it. What no type can say so goes into its cell as a text."""

import datetime
from decimal import Decimal
from typing import NamedTuple

MOST_DIGITS = 15  # of a number that a spreadsheet keeps exactly
FIRST_DAY = datetime.date(1900, 3, 1)  # before it, programs disagree about which day a number means
# Formats that every spreadsheet has, and shows in the way of whoever looks at it, by their numbers in the standard.
DATE, CLOCK, CLOCK_WITH_SECONDS, DATE_AND_TIME, LENGTH_WITH_SECONDS = 14, 20, 21, 22, 46
LENGTH_OF_TIME = "[h]:mm"

SheetValue = bool | int | Decimal | datetime.datetime | datetime.date | datetime.time | datetime.timedelta


class SheetCell(NamedTuple):
    """What a cell holds, and how it looks: a format as spreadsheets write them, or the number of a built-in one."""

    value: SheetValue
    number_format: str | int = "General"


def number_cell(value: int | Decimal, number_format: str | int = "General") -> SheetCell | None:
    """The cell of a number; None for one with more digits than a spreadsheet keeps."""
    digits = Decimal(value).normalize().as_tuple().digits
    return SheetCell(value, number_format) if len(digits) <= MOST_DIGITS else None

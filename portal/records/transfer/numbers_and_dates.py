"""How a file writes numbers and dates, if not as machines do: `--decimal`, `--day-first`, `--month-first`,
`--empty`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.texts import _

NUMBER = re.compile(r"\d[\d.,'’\s]*\d|[.,]?\d+[.,]?")
GROUPED = re.compile(r"\d+|\d{1,3}(?P<mark>[.,'’\s])\d{3}(?:(?P=mark)\d{3})*")
# With dots, the day comes first in every language; with slashes and hyphens, the options say what comes first.
YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?\s+(\S.*))?", re.DOTALL)
YEAR_FIRST = re.compile(r"(\d{4})(?:([/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?:,?\s+(\S.*))?", re.DOTALL)
HALF_OF_DAY = re.compile(r"\b(\d{1,2})(:\d\d(?::\d\d)?)\s?([ap])\.?m\.?$", re.IGNORECASE)
# What databases and spreadsheets write after a date without a time.
MIDNIGHT = re.compile(r"(?:T|\s+)0?0:00(?::00(?:\.0+)?)?Z?$")
DECIMAL_COMMA = re.compile(r"\D{0,4}(\d+|\d{1,3}(\.\d{3})+),\d{1,2}\D{0,4}")  # “1.234,5”, “12,50 €”
# “1,234” and “12.50”: with these, commas separate thousands or points decimal places.
OTHER_NOTATION = re.compile(r"\D{0,4}(\d{1,3}(,\d{3})+(\.\d*)?|\d*\.\d{1,2})\D{0,4}")
NUMERIC = ("decimal", "numeric")
LONGEST = 60  # characters; longer texts are neither numbers nor dates


def have_decimal_comma(cells: Iterable[str]) -> bool:
    """Whether some of the numbers have a decimal comma, and none has another notation."""
    numbers = [cell.strip() for cell in cells if len(cell) <= LONGEST]
    return any(map(DECIMAL_COMMA.fullmatch, numbers)) and not any(map(OTHER_NOTATION.fullmatch, numbers))


@dataclass(frozen=True)
class Notation:
    """`decimal`: "," or "." if thousands may be separated, "" for plain numbers like 1234.5; `first`: whether the "day"
    or the "month" comes first in dates like 05/03/2024, "" if there are none."""

    decimal: str = ""
    first: str = ""
    nothing: tuple[str, ...] = ()  # texts that stand for no value

    def filled(self, cell: str) -> str:
        """The text of a cell; "" if it stands for no value."""
        return "" if cell.strip() in self.nothing else cell

    def plain(self, field: Field, text: str) -> str:
        """The `text` of a cell of `field` as machines write it. Raises Refused for a number in another notation."""
        if len(text) > LONGEST or not text.strip():
            return text
        if field.inputmode in NUMERIC:
            return self._plain_number(text)
        if not field.input_type.startswith("date"):
            return text
        date = self._plain_date(text)
        return MIDNIGHT.sub("", date) if field.input_type == "date" else date

    def _plain_number(self, text: str) -> str:
        if not self.decimal:
            return text
        match = NUMBER.search(text)
        if match is None:
            return text
        whole, point, places = match[0].partition(self.decimal)
        grouped = GROUPED.fullmatch(whole) if whole else None
        fits = grouped is None if not whole else grouped is not None and grouped["mark"] != self.decimal
        if not fits or (places and not places.isdecimal()):
            raise Refused(_("“${value}” is not a number.", mapping={"value": text.strip()[:40]}))
        digits = re.sub(r"\D", "", whole) + ("." if point else "") + places
        return text[: match.start()] + digits + text[match.end() :]

    def _plain_date(self, text: str) -> str:
        text = HALF_OF_DAY.sub(_in_24_hours, text.strip())
        if match := YEAR_FIRST.fullmatch(text):
            return _iso(match[1], match[3] or match[5], match[4] or match[6], match[7])
        match = YEAR_LAST.fullmatch(text)
        first = "day" if match and match[2] == "." else self.first
        if match is None or not first:
            return text
        day, month = (match[1], match[3]) if first == "day" else (match[3], match[1])
        return _iso(match[4], month, day, match[5])


def _iso(year: str, month: str, day: str, time: str | None) -> str:
    return f"{year}-{month:0>2}-{day:0>2}" + (f" {time}" if time else "")


def _in_24_hours(clock: re.Match[str]) -> str:
    """`2:30 PM` as 14:30; anything else unchanged."""
    hour = int(clock[1])
    if not 1 <= hour <= 12:
        return clock[0]
    return f"{hour % 12 + (12 if clock[3] in 'pP' else 0):02}{clock[2]}"

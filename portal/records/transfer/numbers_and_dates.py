"""How a file writes numbers and dates, where that is not as machines do: `--decimal`, `--day-first`, `--empty`."""

import re
from dataclasses import dataclass, replace

from portal.fields.base import Field, Refused
from portal.fields.reader import Reader
from portal.texts import _

NUMBER = re.compile(r"\d[\d.,'’\s]*\d|[.,]?\d+[.,]?")
GROUPED = re.compile(r"\d+|\d{1,3}(?P<mark>[.,'’\s])\d{3}(?:(?P=mark)\d{3})*")
# Dots put the day first in every language; slashes and hyphens only where the file says so.
DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?\s+(\S.*))?", re.DOTALL)
NUMERIC = ("decimal", "numeric")
LONGEST = 60  # characters; longer texts are no number and no date


@dataclass(frozen=True)
class Notation:
    """`decimal`: "," or "." where thousands may be separated, "" for plain numbers like 1234.5."""

    decimal: str = ""
    day_first: bool = False
    nothing: tuple[str, ...] = ()  # what the file writes for no value

    def filled(self, cell: str) -> str:
        """What a cell says; "" where that is what the file writes for no value."""
        return "" if cell.strip() in self.nothing else cell

    def plain(self, field: Field, text: str) -> str:
        """`text` of a cell of `field` as machines write it. Raises Refused for a number of another notation."""
        if len(text) > LONGEST or not text.strip():
            return text
        if field.inputmode in NUMERIC:
            return self._plain_number(text)
        return self._plain_date(text) if field.input_type.startswith("date") else text

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
        match = DAY_FIRST.fullmatch(text.strip())
        if match is None or not (self.day_first or match[2] == "."):
            return text
        date = f"{match[4]}-{match[3]:0>2}-{match[1]:0>2}"
        return f"{date} {match[5]}" if match[5] else date


def machine_reader(reader: Reader) -> Reader:
    """The same reader where numbers and dates are written and read as machines do."""
    return replace(reader, language="en", plain=True)

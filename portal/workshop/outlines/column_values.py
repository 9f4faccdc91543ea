"""The type of one column's values: every value is tried with the portal's types, and those that can read all remain.

A type is tried by reading values as an import does, so that a guess is also a promise: the values can be imported.
"""

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from portal.fields.base import Field
from portal.fields.reader import PLAIN
from portal.fields.refused import Refused
from portal.records.transfer.numbers_and_dates import Notation
from portal.texts import fold

MOST_DISTINCT = 200_000  # values remembered per column, to find out whether they are unique
NOTATIONS = [Notation(decimal, first) for first, decimal in itertools.product(("", "day", "month"), ("", ",", "."))]
PLAIN_NOTATION = NOTATIONS[0]
# In the order in which they are chosen: types that fit fewer values come first.
TRIED: dict[str, dict[str, Any]] = {
    "boolean": {},
    "integer": {},
    "decimal": {"places": 8},
    "money": {},
    "percent": {"places": 4},
    "rating": {},
    "date": {},
    "datetime": {},
    "time": {},
    "email": {},
    "url": {},
    "phone": {},
}
BY_NUMBER, BY_DATE = ("integer", "decimal", "money", "percent", "rating"), ("date", "datetime")
NOTHING = ("NULL", "null", "N/A", "n/a", "NaN", "nan", "None", "-", "\\N")  # what files write for no value
PLACES = re.compile(r"\d+")
LEADING_ZERO = re.compile(r"-?0\d")


@dataclass
class ColumnValues:
    """What was seen in one column. `nothing`: the words for no value that it contains."""

    header: str
    rows: int = 0
    filled: int = 0
    longest: int = 0
    has_lines: bool = False
    most_places: int = 0
    lost: set[str] = field(default_factory=set)  # values of rows that cannot be imported
    counts: Counter[str] = field(default_factory=Counter)
    nothing: set[str] = field(default_factory=set)
    fitting: dict[tuple[str, Notation], Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for type_, keys in TRIED.items():
            tried = Field.types[type_].model_validate({"name": "value", "type": type_, **keys})
            # A value without numbers and dates is the same in every notation.
            for notation in NOTATIONS if type_ in BY_NUMBER + BY_DATE else NOTATIONS[:1]:
                if (type_ in BY_NUMBER and notation.first) or (type_ in BY_DATE and notation.decimal):
                    continue
                self.fitting[type_, notation] = tried

    @property
    def is_unique(self) -> bool:
        """Whether no value appears twice, with or without accents and case."""
        known = len(self.counts) == self.filled < MOST_DISTINCT
        return known and self.filled > 1 and len({fold(value) for value in self.counts}) == self.filled

    @property
    def is_complete(self) -> bool:
        """Whether every row has a value."""
        return self.filled == self.rows

    def add(self, text: str) -> None:
        """Adds the column's value in one row."""
        self.rows += 1
        value = text.strip()
        if value in NOTHING:
            self.nothing.add(value)
        if not value or value in NOTHING:
            return
        self.filled += 1
        if value in self.counts or len(self.counts) < MOST_DISTINCT:
            self.counts[value] += 1
            if self.counts[value] > 1:
                return
        self.longest = max(self.longest, len(value))
        self.has_lines = self.has_lines or "\n" in value
        for key, tried in list(self.fitting.items()):
            if not _reads(tried, value, key[1]):
                del self.fitting[key]
        self._note_places(value)

    def fits(self, type_: str, notation: Notation) -> bool:
        """Whether every value can be read as a type, in some notation."""
        if type_ in BY_NUMBER:
            notation = Notation(decimal=notation.decimal)
        elif type_ in BY_DATE:
            notation = Notation(first=notation.first)
        else:
            notation = PLAIN_NOTATION
        return self.filled > 0 and (type_, notation) in self.fitting

    def has_fractions(self, notation: Notation) -> bool:
        """Whether values have decimal places, other than the .0 of a spreadsheet's whole numbers."""
        mark = notation.decimal or "."
        places = (PLACES.match(value.rpartition(mark)[2]) for value in self.counts if mark in value)
        return any(match is not None and match[0] != "0" for match in places)

    def _note_places(self, value: str) -> None:
        for mark in ".,":
            whole, point, places = value.rpartition(mark)
            if point and whole and places.isdigit():
                self.most_places = max(self.most_places, len(places))
                return


def _reads(tried: Field, value: str, notation: Notation) -> bool:
    if tried.type in BY_NUMBER and LEADING_ZERO.match(value):
        return False  # a code, whose zeros would be lost
    try:
        plain = notation.plain(tried, value)
        return tried.read(plain, PLAIN) is not None
    except Refused:
        return False

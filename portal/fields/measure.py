"""Measure: what formulas compute with when they read a field, see arithmetic.py."""

from typing import Literal, NamedTuple

Kind = Literal["number", "percent", "money", "duration", "date", "datetime"]


class Measure(NamedTuple):
    """A percentage is computed with as a fraction, a duration as a length of time.

    `places`: how many a number or percentage has behind the decimal point.
    """

    kind: Kind
    places: int = 0

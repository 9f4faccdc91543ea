"""`duration`: a length of time in seconds, written `1 h 30 min`, `90 min` or `1:30`; a bare number means minutes."""

import datetime
import functools
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from babel import Locale
from babel.units import format_unit

from portal.fields.base import Field
from portal.fields.base_parts import Measure
from portal.fields.numbers import parse_number
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, filled
from portal.fields.sheet_cell import LENGTH_OF_TIME, LENGTH_WITH_SECONDS, SheetCell
from portal.texts import _, fold, is_blank

SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
SYMBOLS = {
    "day": ("d", "day", "days"),
    "hour": ("h", "hr", "hrs", "hour", "hours"),
    "minute": ("m", "min", "mins", "minute", "minutes"),
    "second": ("s", "sec", "secs", "second", "seconds"),
}
LONGEST, MOST = 60, 100_000 * 3600
PART = re.compile(r"\s*(\d[\d.,]*|[.,]\d+)\s*([^\W\d]+)\.?\s*,?")
CLOCK = re.compile(r"(\d{1,6})(?::|\s*h\s*)([0-5]\d)(?::([0-5]\d))?", re.IGNORECASE)  # 1:30, and the common 1h30


def _parse_duration(text: str, reader: Reader) -> int:
    """The seconds of the duration that `text` means. Raises Refused."""
    text = filled(text)
    length = _seconds(text, reader) if len(text) <= LONGEST else None
    if length is None or length != int(length):
        raise Refused(_("Enter a duration such as 1 h 30 min, 90 min or 1:30."))
    if abs(length) > MOST:
        raise Refused(_("This duration is too long."))
    return int(length)


def _seconds(text: str, reader: Reader) -> Decimal | None:
    if match := CLOCK.fullmatch(text):
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        return Decimal(hours * 3600 + minutes * 60 + rest)
    if not re.search(r"[^\W\d]", text):
        return _minutes(text, reader)
    units, total, place = _words(reader.locale), Decimal(0), 0
    while place < len(text):
        match = PART.match(text, place)
        unit = units.get(fold(match[2])) if match else None
        if match is None or unit is None:
            return None
        total, place = total + _figure(match[1], reader) * SECONDS[unit], match.end()
    return total


def _minutes(text: str, reader: Reader) -> Decimal:
    minutes = _figure(text, reader)
    if minutes < 0:
        raise Refused(_("Enter a duration such as 1 h 30 min, 90 min or 1:30."))
    return minutes * 60


def _figure(text: str, reader: Reader) -> Decimal:
    """A number in the reader's format; `1.5 h` is unambiguous and accepted everywhere."""
    try:
        return parse_number(text, reader)
    except Refused:
        return parse_number(text, PLAIN)


@functools.lru_cache(maxsize=64)
def _words(locale: Locale) -> dict[str, str]:
    """The names of the units of a duration in `locale`, folded, besides the symbols that are the same everywhere."""
    words = {word: unit for unit, names in SYMBOLS.items() for word in names}
    for unit in SECONDS:
        for length in ("long", "short", "narrow"):
            for amount in (1, 2, 5):
                word = re.sub(r"[\d\W]", "", fold(format_unit(amount, f"duration-{unit}", length, locale=locale)))
                if word:
                    words.setdefault(word, unit)
    return words


def duration_in_words(value: int, reader: Reader, units: tuple[str, ...], most: int = 3) -> str:
    """A duration of `value` seconds in the reader's language, in at most `most` of the units, largest first."""
    rest, amounts = abs(value), {}
    for unit in units:
        amount, rest = divmod(rest, SECONDS[unit])
        if amount:
            amounts[unit] = amount
        if len(amounts) == most:
            break
    sign = "-" if value < 0 and amounts else ""
    parts = (
        format_unit(amount, f"duration-{unit}", "short", locale=reader.locale)
        for unit, amount in (amounts or {units[-1]: 0}).items()
    )
    return sign + " ".join(part.replace(" ", "\u00a0") for part in parts)  # so narrow columns break between the parts


class LengthOfTime(Field):
    """Seconds, and how they are read and written: the base of `duration` and `elapsed`."""

    filter: ClassVar[str] = "range"
    type: str

    def parse(self, text: str, reader: Reader) -> int | None:
        """`1 h 30 min`, `90 min`, `1:30`, or minutes; also with the words of the reader's language."""
        return _parse_duration(text, reader) if not is_blank(text) else None

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The duration, and one second more and less."""
        return constant - 1, constant, constant + 1

    def write(self, value: Any) -> str:
        """`1 h 30 min`, which forms accept from every reader."""
        return _in_units(value)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """Hours and minutes that can be added up; not below zero, which spreadsheets cannot show."""
        length = datetime.timedelta(seconds=int(value))
        return SheetCell(length, LENGTH_WITH_SECONDS if value % 60 else LENGTH_OF_TIME) if value >= 0 else None

    def constant(self, raw: Any, reader: Reader) -> int:
        """As it is typed; a number of the YAML means minutes."""
        return _parse_duration(str(raw), PLAIN if isinstance(raw, int | float) else reader)


class Duration(LengthOfTime):
    """A length of time, such as 1 h 30 min."""

    type: Literal["duration"]
    comparable: ClassVar[bool] = True
    searched_in_lists: ClassVar[bool] = True
    column_type: ClassVar[Any] = sa.BigInteger
    measure: ClassVar[Measure | None] = Measure("duration")
    sample: ClassVar[Mapping[str, Any]] = {}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("0", 0, "0\u00a0min"),
        ("45 s", 45, "45\u00a0sec"),
        (".5 h", 1800, "30\u00a0min"),
        ("90", 5400, "1\u00a0hr 30\u00a0min"),
        ("1 h 30 min", 5400, "1\u00a0hr 30\u00a0min"),
        ("90 min", 5400, "1\u00a0hr 30\u00a0min"),
        ("1:31", 5460, "1\u00a0hr 31\u00a0min"),
        ("1.5h", 5400, "1\u00a0hr 30\u00a0min"),
        ("1 hr, 30 minutes", 5400, "1\u00a0hr 30\u00a0min"),
        ("2 days", 172_800, "48\u00a0hr"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "long", "1 h 30 parsecs", "-5", "1:60", "h", "1e9", "9999999 h", "5 min\x00", "9" * 100_000,
    )  # fmt: skip

    def show(self, value: Any, reader: Reader) -> str:
        """“1 hr 30 min” in the reader's language, with hours as the largest unit."""
        if value is None:
            return ""
        return duration_in_words(value, reader, ("hour", "minute", "second") if value % 60 else ("hour", "minute"))

    def texts(self, value: Any) -> Iterable[str]:
        """As it is typed, “1 h 30 min”, and as it is shown in English."""
        return () if value is None else (_in_units(value), self.show(value, PLAIN))


def _in_units(value: int | None) -> str:
    """A duration of `value` seconds as it is typed, `1 h 30 min`, with units that forms accept from every reader."""
    if value is None:
        return ""
    hours, rest = divmod(abs(value), 3600)
    parts = [f"{amount} {sign}" for amount, sign in ((hours, "h"), (rest // 60, "min"), (rest % 60, "s")) if amount]
    return ("-" if value < 0 else "") + (" ".join(parts) or "0 min")

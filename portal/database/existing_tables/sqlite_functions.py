"""Our functions that SQLite calls to read existing tables; values.py writes the SQL.

An SQLite column can hold anything, whatever its type. Unreadable values are NULL: the field is empty.
"""

import datetime
import decimal
import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from portal.fields.column_types import SumOfTexts, sortable
from portal.texts import JOINTS, fold, indexed_words

SEPARATOR = "\x1f"  # between the values of a key
BORDER = "\x1e"  # between searched texts: no phrase matches across it
KEY_DIGITS = 13  # hexadecimal: 52 bits, which are exact in JavaScript too
JULIAN_EPOCH = 2_440_587.5  # the day of 1970-01-01 in SQLite's real numbers
SECONDS_OF_A_DAY = 86_400
YES, NO = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n")


def add_functions(connection: sqlite3.Connection) -> None:
    """Registers our functions for existing tables with an SQLite connection."""
    functions: dict[str, tuple[int, Callable[..., Any]]] = {
        "portal_fold": (1, lambda text: None if text is None else fold(str(text))),
        "portal_has_words": (-1, _has_words),
        "portal_number": (1, _number),
        "portal_boolean": (1, _boolean),
        "portal_date": (2, _date),
        "portal_moment": (2, _moment),
        "portal_time": (1, _time),
        "portal_record_id": (-1, _record_id),
    }
    for name, (arguments, function) in functions.items():
        connection.create_function(name, arguments, function, deterministic=True)
    # SQLite calls `step` for each row, and `finalize` at the end of a group.
    connection.create_aggregate("portal_total", 1, SumOfTexts)


def _has_words(text: Any, *needles: str) -> bool:
    """Whether each of `needles` is in the words of `text`, several texts of an existing table separated by BORDER."""
    folded = fold(str(text))
    joined_up = JOINTS.sub("", folded)  # Wi-Fi is found by wifi
    for needle in needles:
        if any(word not in folded and word not in joined_up for word in needle.split()):
            return False  # the result for most rows
    words = []
    for part in str(text).split(BORDER):
        indexed, joined = indexed_words(part)
        words += [*indexed, *joined, "_"]
    line = f" {' '.join(words)} "
    return all(needle in line for needle in needles)


def _number(value: Any) -> str | None:
    try:
        number = decimal.Decimal(str(value).strip())
        return sortable(number) if number.is_finite() else None
    except (decimal.InvalidOperation, ValueError):
        return None


def _boolean(value: Any) -> int | None:
    text = str(value).strip().lower()
    if text in YES:
        return 1
    return 0 if text in NO else None


def _date(value: Any, zone: str) -> str | None:
    moment = _parse_moment(value, ZoneInfo(zone))
    return None if moment is None else moment.date().isoformat()


def _moment(value: Any, zone: str) -> str | None:
    """A moment of an existing table in UTC, as SQLAlchemy writes and reads it."""
    try:
        moment = _parse_moment(value, ZoneInfo(zone))
        if moment is None:
            return None
        return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    except OverflowError:  # the first or the last day that Python supports
        return None


def _time(value: Any) -> str | None:
    try:
        return datetime.time.fromisoformat(str(value).strip()).replace(tzinfo=None).isoformat("microseconds")
    except ValueError:
        return None


def _parse_moment(value: Any, zone: ZoneInfo) -> datetime.datetime | None:
    """A moment of an existing table in `zone`: from an ISO text, seconds since 1970 or a Julian day."""
    try:
        if isinstance(value, int):
            return datetime.datetime.fromtimestamp(value, zone)
        if isinstance(value, float):
            return datetime.datetime.fromtimestamp((value - JULIAN_EPOCH) * SECONDS_OF_A_DAY, zone)
        moment = datetime.datetime.fromisoformat(str(value).strip())
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        return None


def _record_id(*texts: Any) -> int | None:
    if None in texts:
        return None
    key = SEPARATOR.join(map(str, texts)).encode()
    return int(hashlib.md5(key, usedforsecurity=False).hexdigest()[:KEY_DIGITS], 16) + 1

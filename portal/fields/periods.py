"""Periods as a declaration writes them: `15 min`, `4 h`, `7 days`, `2 weeks`; long ones: `18 months`, `2 years`."""

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}  # of long periods
SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SHORT = re.compile(r"(\d{1,5}) ?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)")
_LONG = re.compile(r"(\d{1,3}) ?(days?|weeks?|months?|years?)")
_LONG_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,3} ?(days?|weeks?|months?|years?)\s*$"})
PERIOD = r"^\s*\d{1,5} ?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)\s*$"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_SCHEMA = WithJsonSchema({"type": "string", "pattern": PERIOD})


def read_period(value: Any) -> tuple[int, str]:
    """The number and the unit (a key of SECONDS) of a declared period such as `7 days`. Raises ValueError."""
    match = _SHORT.fullmatch(str(value).strip())
    if match is None or int(match[1]) == 0:
        raise ValueError('must be a period such as "7 days", "4 h" or "15 min"')
    return int(match[1]), match[2][0]


def long_period(value: Any) -> datetime.timedelta:
    """The length of a long period; a month is 30 days. Raises ValueError."""
    match = _LONG.fullmatch(str(value).strip())
    if match is None or int(match[1]) == 0:
        raise ValueError('must be a period such as "90 days", "18 months" or "2 years"')
    return datetime.timedelta(days=int(match[1]) * DAYS[match[2][0]])


def _parse(value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    number, unit = read_period(value)
    return datetime.timedelta(seconds=number * SECONDS[unit])


def _period_or_name(value: Any) -> datetime.timedelta | str:
    return value.strip() if isinstance(value, str) and _NAME.fullmatch(value.strip()) else _parse(value)


def _check_long_period(value: Any) -> str:
    long_period(value)
    return str(value).strip()


def _check_target(value: Any) -> str:
    text = str(value).strip()
    if _PATH.fullmatch(text) is None:
        read_period(text)
    return text


Period = Annotated[datetime.timedelta, BeforeValidator(_parse), _SCHEMA]
# Or the name of a datetime field of the record.
PeriodOrMoment = Annotated[
    datetime.timedelta | str,
    BeforeValidator(_period_or_name),
    WithJsonSchema({"type": "string", "anyOf": [{"pattern": PERIOD}, {"pattern": f"^{_NAME.pattern}$"}]}),
]
# Working time, kept as it was written: the length of a day depends on the hours.
# `contract.answer_time`: the duration in a field of the record, or of one that it links to.
WorkingTarget = Annotated[
    str,
    BeforeValidator(_check_target),
    WithJsonSchema({"type": "string", "anyOf": [{"pattern": PERIOD}, {"pattern": f"^{_PATH.pattern}$"}]}),
]
LongPeriod = Annotated[str, BeforeValidator(_check_long_period), _LONG_SCHEMA]

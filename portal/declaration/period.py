"""Periods as administrators write them: `7 days`, `4 h`, `15 min`."""

import datetime
import re
from typing import Any

SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PERIOD = re.compile(r"(\d{1,5}) ?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)")


def period(written: Any) -> datetime.timedelta:
    """The length of `7 days`; raises ValueError."""
    match = PERIOD.fullmatch(str(written).strip())
    if isinstance(written, datetime.timedelta):
        return written
    if match is None or int(match[1]) == 0:
        raise ValueError('must be a period such as "7 days", "4 h" or "15 min"')
    return datetime.timedelta(seconds=int(match[1]) * SECONDS[match[2][0]])

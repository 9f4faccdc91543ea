"""The types of names, states and periods in shapes; editors offer the names that exist (`workshop/schema/`)."""

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from portal.fields.base_shape import Names, OneOrSeveral

ModuleName = Annotated[str, Names("module")]
ProfileName = Annotated[str, Names("profile")]
ButtonName = Annotated[str, Names("button")]
MenuEntry = Annotated[str, Names("menu entry")]
FieldName = Annotated[str, Names("field")]  # a declared or built-in one
OwnField = Annotated[str, Names("own field")]  # a declared one
FormField = Annotated[str, Names("form field")]  # a declared one, or the attachments
SortField = Annotated[str, Names("sort field")]  # with a minus for the descending order
FieldPath = Annotated[str, Names("path")]  # through links
Link = Annotated[str, Names("link")]
AskedField = Annotated[str, Names("asked field")]  # a declared one, or the comment
State = Annotated[str, Names("state")]
Action = Annotated[str, Names("action")]
Target = Annotated[str, Names("target")]  # a module, or its form

Values = Annotated[dict[str, Any], Names("values")]  # field → value
TabName = Annotated[str, Names("tab")]

SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PERIOD = re.compile(r"(\d{1,5}) ?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)")


def _parse_period(written: Any) -> datetime.timedelta:
    """The length of a period such as `7 days`; raises ValueError."""
    match = PERIOD.fullmatch(str(written).strip())
    if isinstance(written, datetime.timedelta):
        return written
    if match is None or int(match[1]) == 0:
        raise ValueError('must be a period such as "7 days", "4 h" or "15 min"')
    return datetime.timedelta(seconds=int(match[1]) * SECONDS[match[2][0]])


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | bool | int | float) else value


# One field, or several side by side.
Row = FieldName | tuple[FieldName, ...]
FormRow = FormField | tuple[FormField, ...]
StateNames = Annotated[tuple[State, ...], BeforeValidator(_as_list), OneOrSeveral()]
SortFields = Annotated[tuple[SortField, ...], BeforeValidator(_as_list), OneOrSeveral()]
SeveralTexts = Annotated[tuple[str, ...], BeforeValidator(_as_list), OneOrSeveral()]
Period = Annotated[
    datetime.timedelta,
    BeforeValidator(_parse_period),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,5} ?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)\s*$"}),
]

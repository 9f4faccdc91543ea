"""Shape, the base of every part of the declaration, and the small shapes that field types share."""

import datetime
import mimetypes
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.conditions import Condition, ConditionError, parse
from portal.fields.byte_sizes import parse_size
from portal.texts import Text


class Shape(BaseModel):
    """A part of the declaration: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, defer_build=True
    )


@dataclass(frozen=True)
class Names:
    """Marks what a text, or the keys of a mapping, refer to: editors offer those names and underline others
    (`workshop/schema`).

    The checks decide whether the name exists.
    """

    kind: str


def as_list(entry: Any) -> Any:
    """A single item written without brackets, as a list."""
    return [entry] if isinstance(entry, str | bool | int | float | datetime.date) else entry


@dataclass(frozen=True)
class OneOrSeveral:
    """Marks a list that may be written without brackets if it has one item."""


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "minimum": 1, "pattern": r"^\s*[0-9]"}),
]
Tone = Annotated[str, Names("tone")]
Icon = Annotated[str, Names("icon")]
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9._+-]*/(\*|[a-z0-9][a-z0-9._+-]*)")  # RFC 6838, in the case of what files are


def _file_types(value: Any) -> Any:
    entries = [value] if isinstance(value, str) else value
    for entry in entries if isinstance(entries, list | tuple) else ():
        if not MEDIA_TYPE.fullmatch(str(entry)):
            text = str(entry).lower()
            guess = text if MEDIA_TYPE.fullmatch(text) else mimetypes.types_map.get(f".{text.lstrip('*.')}")
            hint = f' (did you mean "{guess}"?)' if guess else ""
            raise ValueError(f'"{entry}" is not a file type like image/* or application/pdf{hint}')
    return entries


FileTypes = Annotated[tuple[str, ...], BeforeValidator(_file_types), OneOrSeveral()]


def _condition(data: Any) -> Any:
    try:
        return parse(data)
    except ConditionError as error:
        # The code that reports the problem appends the path inside the condition to the path of the condition.
        raise PydanticCustomError("condition", "{message}", {"message": error.message, "path": error.path}) from None


Where = Annotated[Condition, BeforeValidator(_condition), Names("condition")]
# A condition on the fields of the same form.
FormWhere = Annotated[Condition, BeforeValidator(_condition), Names("form condition")]


class Option(Shape):
    """The appearance of one option, and when a form offers it."""

    label: Text
    tone: Literal["info", "good", "warn", "bad", "calm", "primary"] | None = None
    help: Text | None = None
    icon: Icon | None = None
    formerly: str | None = None
    show_when: FormWhere | None = None

"""One field of one record → the plain value that displays.pt draws. One function per kind of display."""

import datetime
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from babel.dates import get_timezone_name
from markupsafe import Markup

from portal.fields.base import Field
from portal.fields.datetime import Datetime
from portal.fields.reader import Reader
from portal.views.addresses import record_address
from portal.views.parts import Moment, Value

# Points in time that belong to no field are written as those of one.
MOMENT = Datetime(name="at", type="datetime")
# Built-in fields that a list shows as a mark instead of words.
COUNTS = {"comments": "message-circle", "attachments": "paperclip"}
CHANNELS = {"portal": "monitor", "mail": "mail", "api": "webhook", "import": "file-input"}


Display = Callable[[Field, Any, str, Reader], "Value"]


def shown(field: Field, value: Any, reader: Reader) -> Value:
    """`value` of `field` as its reader sees it on a page."""
    return display_of(field)(field, value, field.show(value, reader), reader)


def display_of(field: Field) -> Display:
    """What makes a Value of a field's value and of what `show` says of it."""
    if field.name in COUNTS:
        return _count
    return _channel if field.name == "channel" else DISPLAYS.get(field.display, _plain)


def _count(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, "icon", str(value or 0), icon=COUNTS[field.name])


def _channel(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, "icon", text, icon=CHANNELS.get(value, "monitor"))


def _plain(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, field.display, text)


def _pill(field: Field, value: Any, text: str, reader: Reader) -> Value:
    option = field.offered.get(value)
    return Value(field.title, "pill", text, tone=(option and option.tone) or "", icon=(option and option.icon) or "")


def _pills(field: Field, value: Any, text: str, reader: Reader) -> Value:
    options = field.offered
    parts = []
    for item in value or ():
        option = options.get(item)
        parts.append(
            Value("", "pill", reader.text(option.label) if option else item, tone=(option and option.tone) or "")
        )
    return Value(field.title, field.display, text, parts=tuple(parts))


def _link(field: Field, value: Any, text: str, reader: Reader) -> Value:
    url = record_address(value.module, value.id) if value and value.visible else ""
    return Value(field.title, "link", text, url=url)


def _links(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(
        field.title, "links", text, parts=tuple(_link(field, each, each.title, reader) for each in value or ())
    )


def _email(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, "email", text, url=f"mailto:{quote(value, safe='@')}" if value else "")


def _phone(field: Field, value: Any, text: str, reader: Reader) -> Value:
    digits = "".join(character for character in value or "" if character in "+0123456789")
    return Value(field.title, "phone", text, url=f"tel:{digits}" if digits else "")


def _url(field: Field, value: Any, text: str, reader: Reader) -> Value:
    # Only what the field type accepts when it is typed, checked once more: imports and old rows may hold anything.
    return Value(
        field.title, "url", text, url=value if value and value.lower().startswith(("http://", "https://")) else ""
    )


def _rich(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, field.display, text, html=Markup(field.html(value)) if value else Markup())  # noqa: S704 sanitised by the field


def _rating(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, "rating", text, number=value or 0, most=field.bounds(reader)[1])


def _datetime(field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, "datetime", text, iso=value.astimezone(reader.time_zone).isoformat() if value else "")


def _address(field: Field, value: Any, text: str, reader: Reader) -> Value:
    lines = value.lines if value else ()
    return Value(field.title, "address", text, parts=tuple(Value("", "plain", line) for line in lines))


DISPLAYS: dict[str, Display] = {
    "pill": _pill,
    "pills": _pills,
    "tags": _pills,
    "link": _link,
    "links": _links,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "markdown": _rich,
    "html": _rich,
    "rating": _rating,
    "datetime": _datetime,
    "address": _address,
}


def moment(at: datetime.datetime, reader: Reader) -> Moment:
    """A point in time for a page, in the reader's zone."""
    local = at.astimezone(reader.time_zone)
    return Moment(local.isoformat(), MOMENT.show(at, reader), get_timezone_name(local, "short", locale=reader.locale))


def initials(name: str) -> str:
    """The letters of an avatar: “Maria Anders” → “MA”."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

"""Turns a field of a record into a plain value that displays.pt draws, and registers all displays.

A new display is an entry of DISPLAYS and a macro of the same name in templates/displays.pt; a field type names it in
its `display`. tests/unit/views/test_displays.py lists every place that is missing.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

from babel.dates import format_time, get_timezone_gmt, get_timezone_name
from markupsafe import Markup

from portal.fields.base import Field
from portal.fields.base_shape import Option
from portal.fields.byte_sizes import shown_size
from portal.fields.dates_and_times import local_iso
from portal.fields.datetime import Datetime
from portal.fields.file import FileField
from portal.fields.lines import Lines, Row
from portal.fields.phone import to_dial
from portal.fields.reader import Reader
from portal.fields.whole_day import WholeDay
from portal.texts import Words
from portal.views.parts import LineHead, Moment
from portal.views.records.json_tree import json_nodes
from portal.web.addresses import record_address

# Times that belong to no field are formatted like those of a field.
MOMENT = Datetime(name="at", type="datetime")
# Built-in fields that are drawn differently from their type: display by name.
BUILT_IN = {"comments": "count", "attachments": "count", "channel": "channel"}
COUNT_ICONS = {"comments": "message-circle", "attachments": "paperclip"}
LONGEST_JSON = 120  # characters in a table
CHANNEL_ICONS = {"portal": "monitor", "mail": "mail", "api": "webhook", "import": "file-input"}


class Value(NamedTuple):
    """The value of a field as pages show it."""

    label: Words = ""
    display: str = "plain"  # a key of DISPLAYS
    text: str = ""  # from `field.show`; if `parts` and `html` are also empty, so is the value
    matches: tuple[tuple[str, bool], ...] = ()  # the text in pieces, and whether each matches the search
    url: str = ""  # its target: a link's record if the reader may see it, mailto:, tel:, a checked web address
    note: str = ""  # next to a title: the field that a search matched; next to the comments: the last commenter
    short: str = ""  # the note in a few letters
    tone: str = ""  # of a pill
    icon: str = ""  # of a pill, a count, a channel
    iso: str = ""  # of a datetime
    html: Markup = Markup()  # sanitized, only for `markdown` and `html`
    parts: tuple[Any, ...] = ()  # of pills, links, tags, files, address (one per line)
    stars: int | Decimal = 0  # of a rating
    most_stars: int = 0  # of a rating

    @property
    def empty(self) -> bool:
        return not (self.text or self.html or self.parts)

    @property
    def macro(self) -> str:
        """The macro of displays.pt."""
        return self.display if self.text or not self.empty else "empty"

    @property
    def reusable(self) -> bool:
        """Whether lists draw it once per kind and fill in the rest, see rendering/cells.py."""
        return DISPLAYS[self.macro].reusable


# The display's name, the field, its value, the text from `field.show`, the reader.
MakeValue = Callable[[str, Any, Any, str, Reader], Value]


def _text_value(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text)


@dataclass(frozen=True)
class Display:
    """A way to draw a value: the macro `name` in displays.pt, and the function that makes its Value."""

    name: str
    make: MakeValue = _text_value
    reusable: bool = False  # the markup depends only on tone, icon, and whether there are url and note
    highlight: bool = False  # draws its text unchanged, so that matches can be marked in it
    few_values: bool = False  # that recur in many rows of a list


def shown(field: Field, value: Any, reader: Reader) -> Value:
    """`value` of `field` as its reader sees it on a page."""
    display = display_of(field)
    return display.make(display.name, field, value, field.show(value, reader), reader)


def display_of(field: Field) -> Display:
    """The display for values of `field`."""
    return DISPLAYS[BUILT_IN.get(field.name, field.display)]


def _count(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text or "0", icon=COUNT_ICONS[field.name])


def _channel(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text, icon=CHANNEL_ICONS.get(value, "monitor"))


def _pill(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    option = field.declared_options.get(value) if value else None
    return Value(field.title, display, text, tone=(option and option.tone) or "", icon=(option and option.icon) or "")


def _pills(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    parts = tuple(_option_pill(field.offered.get(name), name, reader) for name in value or ())
    return Value(field.title, display, text, parts=parts)


def _option_pill(option: Option | None, name: str, reader: Reader) -> Value:
    """An option of a choice; one that is no longer declared is shown by its name."""
    return Value(display="pill", text=reader.text(option.label), tone=option.tone or "") if option else _tag(name)


def _tags(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text, parts=tuple(_tag(word) for word in value or ()))


def _tag(word: str) -> Value:
    return Value(display="pill", text=word)


def _link(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    url = record_address(value.module, value.id) if value and value.visible else ""
    return Value(field.title, display, text, url=url)


def _links(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    parts = tuple(_link("link", field, link, link.title, reader) for link in value or ())
    return Value(field.title, display, text, parts=parts)


def _email(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text, url=f"mailto:{quote(value, safe='@')}" if value else "")


def _phone(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    number = to_dial(value or "")
    return Value(field.title, display, text, url=f"tel:{number}" if number else "")


def _url(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    # The field type accepts nothing else, but imported and old rows may contain anything.
    safe = bool(value) and value.lower().startswith(("http://", "https://"))
    return Value(field.title, display, text, url=value if safe else "")


def _location(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text, url=value.map_address if value else "")


def _rich(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    html = Markup(field.html(value)) if value else Markup()  # noqa: S704 sanitized by the field
    return Value(field.title, display, text, html=html)


def _rating(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    return Value(field.title, display, text, stars=value or 0, most_stars=int(field.bounds(reader)[1]))


def _datetime(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    if isinstance(value, WholeDay):
        return Value(field.title, "date", text)
    return Value(field.title, display, text, iso=local_iso(value, reader.time_zone) if value else "")


def _file(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    url = record_address(value.module, value.record, "files", str(value.id)) if value else ""
    return Value(field.title, display, text, url=url, note=shown_size(value.size, reader) if value else "")


def _files(display: str, field: FileField, value: Any, text: str, reader: Reader) -> Value:
    parts = tuple(
        _file("image" if field.shows_picture(file) else "file", field, file, str(file), reader) for file in value or ()
    )
    return Value(field.title, display, text, parts=parts)


def _address(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    lines = value.lines if value else ()
    return Value(field.title, display, text, parts=tuple(Value(text=line) for line in lines))


class LineValue(NamedTuple):
    """A value in a row, with the header of its column."""

    label: Words
    value: Value
    number: bool


class ColumnTotals(NamedTuple):
    """The totals below a column: one text per currency; none if there is no total."""

    label: Words
    texts: tuple[str, ...]


class LinesShown(NamedTuple):
    """The rows of a `lines` field as a table."""

    heads: tuple[LineHead, ...]
    rows: tuple[tuple[LineValue, ...], ...]
    totals: tuple[ColumnTotals, ...]  # of all columns, or none


def _lines(display: str, field: Lines, value: Any, text: str, reader: Reader) -> Value:
    if not value:
        return Value(field.title, display)
    columns = [column for name, column in field.row_fields.items() if name in value[0].values]
    rows = tuple(tuple(_line_value(column, row, reader) for column in columns) for row in value)
    totals = tuple(ColumnTotals(column.title, _totals(field, column, value, reader)) for column in columns)
    heads = tuple(LineHead(column.title, number=column.has_sum) for column in columns)
    table = LinesShown(heads, rows, totals if any(total.texts for total in totals) else ())
    return Value(field.title, display, field.summary(value, reader), parts=(table,))


def _line_value(column: Field, row: Row, reader: Reader) -> LineValue:
    return LineValue(column.title, shown(column, row.get(column.name), reader), column.has_sum)


def _totals(field: Lines, column: Field, value: Any, reader: Reader) -> tuple[str, ...]:
    if not field.has_total(column.name):
        return ()
    return tuple(column.show(total, reader) for total in field.totals_of(value, column.name))


def _signature(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    if not value:
        return Value(field.title, display)
    facts = [MOMENT.show(value.at, reader) if value.at else "", value.author if value.author != value.name else ""]
    iso = value.at.astimezone(reader.time_zone).isoformat() if value.at else ""
    note = " · ".join(filter(None, facts))
    return Value(field.title, display, text, iso=iso, note=note, parts=(value.drawing,) if value.drawing else ())


def _json(display: str, field: Field, value: Any, text: str, reader: Reader) -> Value:
    short = text if len(text) <= LONGEST_JSON else f"{text[:LONGEST_JSON]}…"
    return Value(field.title, display, text, note=short, parts=json_nodes(value) if value else ())


DISPLAYS = {
    display.name: display
    for display in (
        Display("empty", reusable=True),
        Display("cover", reusable=True, highlight=True),  # the cell with the link to the record
        Display("plain", reusable=True, highlight=True),
        Display("longtext", reusable=True, highlight=True),
        Display("linked_text"),  # for a longtext on its record's page
        Display("count", _count, reusable=True, few_values=True),
        Display("channel", _channel, reusable=True, few_values=True),
        Display("pill", _pill, reusable=True, highlight=True, few_values=True),
        Display("pills", _pills),
        Display("tags", _tags),
        Display("link", _link, reusable=True, highlight=True),
        Display("links", _links),
        Display("email", _email, reusable=True, highlight=True),
        Display("phone", _phone, reusable=True, highlight=True),
        Display("url", _url, reusable=True, highlight=True),
        Display("color", reusable=True),
        Display("location", _location, reusable=True),
        Display("date", reusable=True, highlight=True),
        Display("datetime", _datetime, reusable=True),
        Display("file", _file, reusable=True, highlight=True),
        Display("image", _file, reusable=True),
        Display("files", _files),
        Display("rating", _rating),
        Display("address", _address),
        Display("lines", _lines),
        Display("json", _json),
        Display("signature", _signature),
        Display("markdown", _rich),
        Display("html", _rich),
    )
}


def moment(at: datetime.datetime, reader: Reader) -> Moment:
    """A time as pages display it, in the reader's zone."""
    local = at.astimezone(reader.time_zone)
    zone = get_timezone_name(local, "short", locale=reader.locale)
    if not zone[:1].isalpha():  # the language has no short name for it, and “+0100” means nothing to people
        zone = get_timezone_gmt(local, "long", locale=reader.locale)
    return Moment(local.isoformat(), MOMENT.show(at, reader), zone)


def short_moment(at: datetime.datetime, reader: Reader) -> str:
    """A moment as pages display it in short: only the time for one today, else also the day."""
    local = at.astimezone(reader.time_zone)
    if local.date() == reader.today:
        return format_time(local.time(), "short", locale=reader.locale)
    return MOMENT.show(at, reader)

"""The type of a field from its column's name and values, with the reason, which becomes a comment in the YAML."""

import re
from dataclasses import dataclass, field
from typing import Any

from portal.records.transfer.numbers_and_dates import Notation
from portal.workshop.outlines.column_values import ColumnValues
from portal.workshop.outlines.naming import snake

MOST_OPTIONS, LONGEST_OPTION, ROWS_PER_OPTION = 20, 40, 5
LONGEST_TEXT = 255  # for the type text
MONEY = re.compile(
    r"(^|_)(price|amount|total|subtotal|cost|freight|fee|salary|revenue|balance|budget|paid|rent|deposit|wage|premium)(_|$)"
)
YEAR, IS_YEAR = re.compile(r"(^|_)(year|built|founded|established|vintage)(_|$)"), re.compile(r"1\d{3}|2\d{3}")
PHONE = re.compile(r"(phone|fax|mobile|tel)")
CURRENCY = re.compile(r"[^\d\s.,'+-]")
RATING = re.compile(r"(rating|stars|satisfaction|score)")
PLACE = re.compile(r"(^|_)(city|town|country|region|province|county|address|street|postal|zip|postcode)(_|$)")
KEY = re.compile(r"(^|_)(id|code|number|no|key|sku|uuid|guid|email|slug)$")
STATES = re.compile(r"(^|_)(status|state|stage|priority|type|kind|category|channel|gender|level)$")


@dataclass(frozen=True)
class Guess:
    """The type of a field, its other keys, and why."""

    type: str
    keys: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


def guess(column: ColumnValues, notation: Notation) -> Guess:
    """The type of a column that is known only by its values."""
    name = snake(column.header)
    if not column.filled:
        return Guess("text", reason="empty in every row: is it needed?")
    typed = _by_values(column, notation, name)
    if typed.type not in UNIQUE_TYPES or not is_key(column):
        return typed
    reason = "; ".join(filter(None, (typed.reason, "each value is there once")))
    return Guess(typed.type, {**typed.keys, "unique": True}, reason)


UNIQUE_TYPES = ("text", "integer", "email")


def is_key(column: ColumnValues) -> bool:
    """Whether a column seems to identify its row: its values are unique, and it is named like a key."""
    name = snake(column.header)
    return column.is_unique and bool(KEY.search(name)) and not PLACE.search(name)


def _by_values(column: ColumnValues, notation: Notation, name: str) -> Guess:
    fits = {type_ for type_, _notation in column.fitting if column.fits(type_, notation)}
    values = {value.casefold() for value in column.counts}
    if "boolean" in fits and len(values) == 2:
        return Guess("boolean", reason=f"only {' and '.join(sorted(values))}")
    if "rating" in fits and RATING.search(name) and len(values) > 1:
        return Guess("rating", reason="whole numbers from 1 to 5, and the name")
    if numeric := _number(column, notation, name, fits):
        return numeric
    for type_ in ("time", "date", "datetime"):
        if type_ in fits:
            return Guess(type_, reason=f"every value is a {WRITTEN[type_]}" + _ambiguous(column, notation))
    for type_ in ("email", "url"):
        if type_ in fits:
            return Guess(type_, reason=f"every value is {WRITTEN[type_]}")
    if "phone" in fits and PHONE.search(name):
        return Guess("phone", reason="every value is a phone number, and the name")
    return _text(column, name)


WRITTEN = {
    "time": "time of day",
    "date": "date",
    "datetime": "date with a time",
    "email": "an email address",
    "url": "a web address",
}


def _number(column: ColumnValues, notation: Notation, name: str, fits: set[str]) -> Guess | None:
    is_whole = "integer" in fits and not column.has_fractions(notation)
    if "percent" in fits and all(value.endswith("%") for value in column.counts):
        return Guess("percent", reason="every value ends with %")
    if "money" in fits and MONEY.search(name) and not (is_whole and KEY.search(name)):
        return Guess("money", reason="amounts, by the name; in the currency of the portal")
    if is_whole:
        return year(column) or Guess("integer", reason="whole numbers")
    if "decimal" in fits:
        notation_words = {"": "", ",": " with a decimal comma", ".": " with separated thousands"}[notation.decimal]
        return Guess("decimal", {"places": max(column.most_places, 1)}, f"numbers{notation_words}")
    if "money" in fits and any(CURRENCY.search(value) for value in column.counts):
        return Guess("money", reason="amounts with a currency")
    return None


def year(column: ColumnValues) -> Guess | None:
    """The type of a column of years, which an integer would show with thousands separators; None for other columns."""
    if YEAR.search(snake(column.header)) and all(map(IS_YEAR.fullmatch, column.counts)):
        return Guess("text", reason="years, by the name; an integer would show 1,998")
    return None


def _ambiguous(column: ColumnValues, notation: Notation) -> str:
    slashes = [value for value in column.counts if "/" in value]
    if not notation.first or not slashes:
        return ""
    if notation.first == "month":
        return "; the month comes first"
    if all(value.split("/")[0].isdigit() and int(value.split("/")[0]) <= 12 for value in slashes):
        return "; look whether the day comes first: no day is above 12"
    return "; the day comes first"


def _text(column: ColumnValues, name: str) -> Guess:
    distinct = len(column.counts)
    short = column.longest <= LONGEST_OPTION and not column.has_lines and not is_key(column) and not PLACE.search(name)
    enough = column.filled >= ROWS_PER_OPTION * distinct or bool(STATES.search(name) and column.filled >= 2 * distinct)
    if short and 2 <= distinct <= MOST_OPTIONS and enough:
        return Guess(
            "choice", {"options": list(column.counts)}, f"{distinct} different values in {column.filled:,} rows"
        )
    if column.has_lines or column.longest > LONGEST_TEXT:
        return Guess("longtext", reason="several lines" if column.has_lines else f"up to {column.longest:,} characters")
    return Guess("text", reason="")

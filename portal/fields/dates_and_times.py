"""Shared by date, datetime and time: parsing what people type, and the words by which the general search finds them.

ISO can always be typed, otherwise the order and the words of the reader's language. Readers of any of the portal's
languages find a date by the name of its month, both as lists show it and in its stand-alone form; the index holds each
word once.
"""

import calendar
import datetime
import functools
import re
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format
from pydantic import PrivateAttr

from portal.conditions import RELATIVE, UNITS
from portal.fields.base_shape import Names
from portal.fields.numbers import Bounded
from portal.fields.protocols import Declared
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled
from portal.texts import _, fold, locale_of, words

LONGEST = 60
EXAMPLE = datetime.datetime(2024, 3, 31, 14, 30, tzinfo=datetime.UTC)
TOO_EARLY = _("Choose ${min} or later.")
TOO_LATE = _("Choose ${max} or earlier.")
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
DOTTED = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?(\d{4}|\d{2})\.?")  # day first in any language
PART = re.compile(r"\d+|[^\W\d_]+")
CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2})(\.\d{1,6})?)?\s*([^\d]*)")

ENGLISH = Locale("en")


class Unreadable(Refused):
    """The text is not a date or a time of day; the message has an example."""


def parse_date(text: str, reader: Reader) -> datetime.date:
    """The date that a typed text means to `reader`. Raises Refused."""
    text = filled(text)
    if match := ISO_DATE.fullmatch(text):
        date = _date(int(match[1]), int(match[2]), int(match[3]))
    elif reader.plain or len(text) > LONGEST:
        date = None
    else:
        date = _localized_date(text, reader.locale)
    if date is None:
        raise Unreadable(date_hint(EXAMPLE.date(), reader))
    return date


def date_hint(example: datetime.date, reader: Reader) -> str:
    """The sentence for a typed text that is not a date."""
    shown = example.isoformat() if reader.plain else _numeric(example, reader.locale)
    return _("Enter a date such as ${example}.", mapping={"example": shown})


def _numeric(date: datetime.date, locale: Locale) -> str:
    """A date in figures, with a four-digit year."""
    return format_date(date, re.sub("y+", "y", locale.date_formats["short"].pattern), locale=locale)


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _localized_date(text: str, locale: Locale) -> datetime.date | None:
    names = _months(locale)
    parts = PART.findall(text)
    months = {index: names[fold(part)] for index, part in enumerate(parts) if fold(part) in names}
    spoken = bool(months)
    # “de” in “5 de marzo”: other words are only accepted together with a month's name.
    numbers = [(index, part) for index, part in enumerate(parts) if index in months or part.isdecimal()]
    if len(numbers) != 3 or (not spoken and len(parts) != 3) or len(months) > 1:
        return None
    if DOTTED.fullmatch(text):
        return _full_date(_figures(parts[2]), int(parts[1]), int(parts[0]))
    year_first = len(numbers[0][1]) == 4 and numbers[0][1].isdecimal()
    order = "yMd" if year_first else _order(locale.date_formats["medium" if spoken else "short"].pattern)
    if len(order) != 3:
        return None
    values = {letter: months.get(index) or _figures(part) for letter, (index, part) in zip(order, numbers, strict=True)}
    if spoken and months.get(numbers[order.index("M")][0]) is None:
        # The month is not at its usual place for this language: “5 March 2024” in English.
        figures = [int(part) for index, part in numbers if index not in months]
        values = {"M": next(iter(months.values())), "d": min(figures), "y": max(figures)}
    return _full_date(values["y"], values["M"], values["d"])


def _full_date(year: int, month: int, day: int) -> datetime.date | None:
    """The date; two-digit years are in this century."""
    return _date(year + 2000 if 0 <= year < 100 else year, month, day)


def _order(pattern: str) -> str:
    """The order of year, month and day in the reader's pattern for dates: “dMy”."""
    letters = re.sub("'[^']*'", "", pattern).replace("L", "M")
    return "".join(dict.fromkeys(letter for letter in letters if letter in "yMd"))


def _figures(part: str) -> int:
    return int(part) if part.isdecimal() and len(part) <= 4 else -1


@functools.lru_cache(maxsize=64)
def _months(locale: Locale) -> dict[str, int]:
    return {
        fold(name).rstrip("."): number
        for context in locale.months.values()
        for width in ("abbreviated", "wide")
        for number, name in context.get(width, {}).items()
        if not name.rstrip(".").isdecimal()
    }


def parse_time(text: str, reader: Reader) -> datetime.time:
    """The time of day that `text` means to `reader`: `14:30`, `14.30`, `2:30 PM`. Raises Refused."""
    text = " ".join(filled(text)[: LONGEST + 1].split())
    match = CLOCK.fullmatch(text) if len(text) <= LONGEST else None
    time = _time(match, reader) if match else None
    if time is None:
        raise Unreadable(time_hint(EXAMPLE.time(), reader))
    return time


def time_hint(example: datetime.time, reader: Reader) -> str:
    """The sentence for a typed text that is not a time of day."""
    shown = f"{example:%H:%M}" if reader.plain else format_time(example, "short", locale=reader.locale)
    return _("Enter a time such as ${example}.", mapping={"example": shown})


def _time(match: re.Match[str], reader: Reader) -> datetime.time | None:
    hour, minute, second, fraction, word = match.groups()
    half = _half_of_day(word, reader.locale) if word else ""
    if half is None or (minute is None and not half) or (half and not 1 <= int(hour) <= 12):
        return None
    hours = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    micro = int((fraction or ".0")[1:].ljust(6, "0"))
    try:
        return datetime.time(hours, int(minute or 0), int(second or 0), micro)
    except ValueError:
        return None


def _half_of_day(word: str, locale: Locale) -> str | None:
    """The half of the day that `word` means; None if it means neither."""
    letters = _letters(word)
    for half in ("am", "pm"):
        widths = [width.get(half, "") for context in locale.day_periods.values() for width in context.values()]
        if letters in {half, *(_letters(name) for name in widths if _letters(name))}:
            return half
    return None


def _letters(text: str) -> str:
    return re.sub(r"[\W\d]", "", fold(text))


def day_from_today(raw: Any, reader: Reader) -> datetime.date | None:
    """The day that `today + 30 days` means to `reader`; None for other texts, including hours. Raises Refused."""
    match = RELATIVE.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or _counts_by_clock(match):
        return None
    return _days_later(reader.today, match)


def moment_from_now(raw: Any, reader: Reader) -> datetime.datetime | None:
    """The moment that `now + 4 h` means; days and longer units follow local clocks, so that `now + 1 day` is the same
    hour even if clocks change in between. None for other texts. Raises Refused."""
    match = RELATIVE.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or match["word"] != "now":
        return None
    try:
        if _counts_by_clock(match):
            return reader.now + datetime.timedelta(seconds=_amount(match) * UNITS[match[4][0]])
        here = reader.now.astimezone(reader.time_zone)
        return datetime.datetime.combine(_days_later(here.date(), match), here.timetz()).astimezone(datetime.UTC)
    except OverflowError:
        raise Refused(_("This date is out of range.")) from None


def _counts_by_clock(match: re.Match[str]) -> bool:
    """Whether minutes or hours are added to a date or time in `now + 4 h`, not days."""
    return match[4] is not None and match[4][0] in "mh" and not match[4].startswith("mo")


def _amount(match: re.Match[str]) -> int:
    return int(match[3]) * (-1 if match["sign"] == "-" else 1)


def _days_later(day: datetime.date, match: re.Match[str]) -> datetime.date:
    """The date some days, weeks, months or years later; a month after January 31 is the last day of February."""
    if match[3] is None:
        return day
    amount, unit = _amount(match), match[4][0]
    try:
        if unit in "dw":
            return day + datetime.timedelta(days=amount * (7 if unit == "w" else 1))
        year, month = divmod(day.year * 12 + day.month - 1 + amount * (12 if unit == "y" else 1), 12)
        return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):
        raise Refused(_("This date is out of range.")) from None


class DateOrTime(Bounded):
    """The base of date, datetime and time: has the languages and the time zone of the portal once it is bound."""

    searched_in_lists: ClassVar[bool] = True
    comparable: ClassVar[bool] = True
    indexed_as: ClassVar[tuple[str, ...]] = ("words",)
    filter: ClassVar[str] = "range"
    too_small: ClassVar[Any] = TOO_EARLY
    too_large: ClassVar[Any] = TOO_LATE
    not_less_than: ClassVar[Any] = _("Not before “${field}”.")

    after: Annotated[str, Names("own field")] | None = None

    _locales: tuple[Locale, ...] = PrivateAttr((ENGLISH,))
    _zone: ZoneInfo = PrivateAttr(ZoneInfo("UTC"))

    @property
    def lower_bound_field(self) -> str | None:
        return self.after or self.at_least

    def lower_bound_hint(self, field: str) -> str:
        if not self.after:
            return super().lower_bound_hint(field)
        return _("Must be after “${field}”.", mapping={"field": field})

    def check_lower_bound(self, value: Any, least: Any, reader: Reader) -> None:
        if not self.after:
            super().check_lower_bound(value, least, reader)
        elif value <= least:
            raise Refused(_("This must be after ${moment}.", mapping={"moment": self.show(least, reader)}))

    def bind(self, declaration: Declared, module: Any) -> None:
        """Reads languages and time zone from `portal:`."""
        settings = declaration.settings
        self._locales = tuple(locale_of(language) or ENGLISH for language in settings.languages)
        self._zone = ZoneInfo(settings.time_zone)


@functools.lru_cache(maxsize=5_000)
def day_texts(day: datetime.date, locales: tuple[Locale, ...]) -> tuple[str, ...]:
    """A date in figures, also as one word (for a search for 27-11-2026), and in the words of `locales`."""
    texts = [day.isoformat(), f"{day:%d%m%Y}"]
    for locale in locales:
        spoken = format_date(day, "long", locale=locale)
        texts.append(spoken)
        # The stand-alone form may be a different word: “27 listopada”, but “listopad”; “5 lutego”, but “luty”.
        alone = locale.months["stand-alone"]["wide"][day.month]
        if not any(word.startswith(" ".join(words(alone))) for word in words(spoken)):
            texts.append(alone)
    return tuple(dict.fromkeys(texts))


@functools.lru_cache(maxsize=5_000)
def clock_texts(time: datetime.time, locales: tuple[Locale, ...]) -> tuple[str, ...]:
    """A time of day to the minute, in 24-hour format and as written in `locales`, each as one word."""
    texts = (f"{time:%H:%M}", *(format_time(time.replace(second=0), "short", locale=locale) for locale in locales))
    return tuple(dict.fromkeys(texts))


def utc_text(value: datetime.datetime) -> str:
    """A moment for machines: `2024-03-05T13:30:00Z`."""
    return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


# A list page has fifty moments, and most of them occur repeatedly.
@functools.lru_cache(maxsize=2_000)
def minute_text(value: datetime.datetime, zone: ZoneInfo, locale: str) -> str:
    """A moment to the minute, in the local time of `zone` and as `locale` writes it."""
    here = value.astimezone(zone).replace(tzinfo=None)
    date, time = format_date(here, "medium", locale=locale), format_time(here, "short", locale=locale)
    pattern = str(get_datetime_format("medium", locale=locale))
    return pattern.replace("{1}", date).replace("{0}", time).replace("'", "")


@functools.lru_cache(maxsize=2_000)
def local_iso(value: datetime.datetime, zone: ZoneInfo) -> str:
    """A moment for machines, in the local time of `zone`."""
    return value.astimezone(zone).isoformat()

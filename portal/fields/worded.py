"""Dates and times of day as the general search knows them: in figures, and in the words of the portal's languages.

The base of date, datetime and time. A reader of any language finds a date by the name of its month, as a list shows it
and as it is said alone; the index holds each word once.
"""

import datetime
import functools
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from pydantic import PrivateAttr

from portal.fields.numbers import Bounded
from portal.fields.protocols import Declared
from portal.fields.reader import locale_of
from portal.texts import words

ENGLISH = Locale("en")


class Worded(Bounded):
    """Knows the languages and the zone of the portal once it is bound."""

    _locales: tuple[Locale, ...] = PrivateAttr((ENGLISH,))
    _zone: ZoneInfo = PrivateAttr(ZoneInfo("UTC"))

    def bind(self, declaration: Declared, module: Any) -> None:
        settings = declaration.settings
        self._locales = tuple(locale_of(language) or ENGLISH for language in settings.languages)
        self._zone = ZoneInfo(settings.time_zone)


@functools.lru_cache(maxsize=5_000)
def day_texts(day: datetime.date, locales: tuple[Locale, ...]) -> tuple[str, ...]:
    """A date in figures, the parts also in one piece (27-11-2026 is searched for so), and in the words of `locales`."""
    texts = [day.isoformat(), f"{day:%d%m%Y}"]
    for locale in locales:
        spoken = format_date(day, "long", locale=locale)
        texts.append(spoken)
        # Alone the month may be another word: “27 listopada”, but “listopad”; “5 lutego”, but “luty”.
        alone = locale.months["stand-alone"]["wide"][day.month]
        if not any(word.startswith(" ".join(words(alone))) for word in words(spoken)):
            texts.append(alone)
    return tuple(dict.fromkeys(texts))


@functools.lru_cache(maxsize=5_000)
def clock_texts(time: datetime.time, locales: tuple[Locale, ...]) -> tuple[str, ...]:
    """A time of day to the minute, with 24 hours and as it is written in `locales`; one word is one time of day."""
    written = (f"{time:%H:%M}", *(format_time(time.replace(second=0), "short", locale=locale) for locale in locales))
    return tuple(dict.fromkeys(written))

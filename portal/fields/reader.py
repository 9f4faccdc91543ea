"""Who reads and types: the language, the zone and the moment, and which records are meant by “me”.

A plain value that is handed down to fields, conditions and records; it decides nothing.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from translationstring import TranslationString

from portal.texts import Text, _, locale_of, translate

COMMA = _(", ")  # For translators: between the parts of a list


@dataclass(frozen=True)
class Reader:
    """One person at one moment. `plain` means machine-written values: ISO dates, 1234.5, no locale."""

    language: str = "en"
    region: str = ""  # in which the language is written: "GB"; "" for the usual one of the language
    default_language: str = "en"
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    currency: str = "EUR"
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    plain: bool = False
    chooses_now: bool = True  # whether bounds such as `today` hold: not for what a file brings from other days
    people: str | None = None  # the module whose records are persons
    organizations: str | None = None  # the module whose records are companies
    person: int | None = None  # id of the reader's own record
    companies: tuple[int, ...] = ()  # ids of the reader's companies

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale for dates and numbers: of language and region, of the language alone, or else English."""
        return locale_of(self.language, self.region) or locale_of(self.language) or Locale("en")

    @cached_property
    def locale_name(self) -> str:
        """The identifier of `locale`, for the keys of caches: a Locale works its hash out again and again."""
        return str(self.locale)

    @cached_property
    def today(self) -> datetime.date:
        """The date where the reader is."""
        return self.now.astimezone(self.time_zone).date()

    @cached_property
    def machine(self) -> "Reader":
        """The same person where values are machine-written."""
        return self if self.plain else replace(self, plain=True)

    def text(self, text: Text | str | None) -> str:
        """A declared text or a sentence of the interface, in the reader's language, days as the reader writes them."""
        if not text:
            return ""
        if isinstance(text, Text):
            return text(self.language, self.default_language)
        mapping = text.mapping if isinstance(text, TranslationString) else None
        days = {name: day for name, day in (mapping or {}).items() if type(day) is datetime.date}
        if days:
            text = text % {name: format_date(day, locale=self.locale) for name, day in days.items()}
        return translate(text, self.language)

    def listed(self, texts: Iterable[str]) -> str:
        """Texts with commas between them, as the reader's language writes these."""
        return translate(COMMA, self.language).join(texts)


PLAIN = Reader(plain=True)


def machine_reader(reader: Reader) -> Reader:
    """The same reader where numbers and dates are written and read as machines do, whenever they were chosen."""
    return replace(reader, language="en", plain=True, chooses_now=False)

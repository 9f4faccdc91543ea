"""Who reads and types: the language, the time zone and the moment, and which records “me” means.

A plain value that is passed to fields, conditions and records; it decides nothing.
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
    region: str = ""  # the variant of the language: "GB"; "" for the usual one
    default_language: str = "en"
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    currency: str = "EUR"
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    plain: bool = False
    chooses_now: bool = True  # whether bounds such as `today` apply: not to what a file has from other days
    people: str | None = None  # the module whose records are persons
    organizations: str | None = None  # the module whose records are companies
    person: int | None = None  # id of the reader's own record
    companies: tuple[int, ...] = ()  # ids of the reader's companies

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale for dates and numbers: of language and region, of the language, or else English."""
        return locale_of(self.language, self.region) or locale_of(self.language) or Locale("en")

    @cached_property
    def locale_name(self) -> str:
        """The identifier of `locale`, for cache keys: a Locale computes its hash every time."""
        return str(self.locale)

    @cached_property
    def today(self) -> datetime.date:
        """The date in the reader's time zone."""
        return self.now.astimezone(self.time_zone).date()

    @cached_property
    def machine(self) -> "Reader":
        """The same person, for machine-written values."""
        return self if self.plain else replace(self, plain=True)

    def text(self, text: Text | str | None) -> str:
        """A declared text or a sentence of the interface, in the reader's language and date format."""
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
        """Texts separated by commas in the style of the reader's language."""
        return translate(COMMA, self.language).join(texts)


PLAIN = Reader(plain=True)


def machine_reader(reader: Reader) -> Reader:
    """The same reader, for numbers and dates that machines write and read, on whichever day they were chosen."""
    return replace(reader, language="en", plain=True, chooses_now=False)

"""Public holidays of a country (`IT`) or a region (`DE-BY`), from the package `holidays`.

Loaded when first used: the package imports the modules of all countries, which takes half a second and 17 MB.
"""

import datetime
import functools
from collections.abc import Sequence

from holidays import HolidayBase, country_holidays
from holidays.registry import COUNTRIES

CODES = {code: codes[0] for _class, *codes in COUNTRIES.values() for code in codes}  # by each of their codes
NAMES = {name.replace("_", " "): code for name, (_class, code, *_others) in COUNTRIES.items()}


@functools.lru_cache(maxsize=200)
def public_holidays(place: str, year: int) -> frozenset[datetime.date]:
    """The public holidays of a country or region in a year; none for years that the package does not know."""
    country, _dash, region = place.partition("-")
    return frozenset(_calendar(country, region, year))


def regions_of(country: str) -> Sequence[str]:
    """The regions with their own holidays."""
    regions: Sequence[str] = _calendar(country).subdivisions
    return regions


def _calendar(country: str, region: str = "", year: int | None = None) -> HolidayBase:
    return country_holidays(country, subdiv=region or None, years=year)

"""The language that a browser asks for, and the region in whose way it is written.

There are as many headers as ways to set a browser up, a handful; reading one takes longer than a statement.
"""

import functools
import re

from webob.acceptparse import create_accept_language_header

from portal.fields.reader import locale_of

REGION = re.compile("[A-Za-z]{2}|[0-9]{3}")
MOST_HEADERS = 200  # kept


@functools.lru_cache(MOST_HEADERS)
def accepted_language(header: str | None, languages: tuple[str, ...]) -> str:
    """The one of `languages` that an Accept-Language header asks for; the first where it asks for none of them."""
    return create_accept_language_header(header).lookup(languages, default=languages[0]) or languages[0]


@functools.lru_cache(MOST_HEADERS)
def accepted_region(header: str | None, language: str) -> str:
    """The region that the header names for `language`: GB for English where it asks for en-GB; "" where none."""
    tags = sorted(create_accept_language_header(header).parsed or (), key=lambda entry: -entry[1])
    for tag, weight in tags:
        primary, *subtags = tag.split("-")
        region = next((subtag.upper() for subtag in subtags if REGION.fullmatch(subtag)), "")
        if weight and primary.lower() == language.partition("-")[0] and region and locale_of(language, region):
            return region
    return ""

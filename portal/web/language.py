"""The language of a page: the chosen one, else the one that the browser asks for; and the browser's region.

There are only a handful of different headers; parsing one takes longer than a statement.
"""

import functools
import re

from pyramid.request import Request
from webob.acceptparse import create_accept_language_header

from portal.accounts.accounts import Account
from portal.texts import locale_of
from portal.web.cookies import Cookie, read_cookie

REGION = re.compile("[A-Za-z]{2}|[0-9]{3}")
MOST_HEADERS = 200  # kept


@functools.lru_cache(MOST_HEADERS)
def _accepted_language(header: str | None, languages: tuple[str, ...]) -> str:
    """The one of `languages` that an Accept-Language header asks for; the first if it asks for none of them."""
    return create_accept_language_header(header).lookup(languages, default=languages[0]) or languages[0]


@functools.lru_cache(MOST_HEADERS)
def _accepted_region(header: str | None, language: str) -> str:
    """The header's region for `language`: GB for English if it asks for en-GB; "" if none."""
    tags = sorted(create_accept_language_header(header).parsed or (), key=lambda entry: -entry[1])
    for tag, weight in tags:
        primary, *subtags = tag.split("-")
        region = next((subtag.upper() for subtag in subtags if REGION.fullmatch(subtag)), "")
        if weight and primary.lower() == language.partition("-")[0] and region and locale_of(language, region):
            return region
    return ""


def chosen_language(request: Request, account: Account | None = None) -> str:
    """The one chosen in this browser, else the account's, else the browser's own, else the portal's first."""
    languages = request.portal.declaration.settings.languages
    for choice in (read_cookie(request, Cookie.LANGUAGE), account.language if account else None):
        if choice is not None and choice in languages:
            return choice
    return _accepted_language(request.environ.get("HTTP_ACCEPT_LANGUAGE"), languages)


def region_of(request: Request, language: str) -> str:
    """The browser's region for `language`."""
    return _accepted_region(request.environ.get("HTTP_ACCEPT_LANGUAGE"), language)

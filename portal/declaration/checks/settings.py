"""Checks `portal:`: valid time zones, currencies and languages, an existing logo, existing profiles."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from portal.declaration.checks.deadlines import check_holidays
from portal.declaration.checks.mail import takes_letters
from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.read_modules import environment_variable
from portal.declaration.shapes import MOST_REMEMBERED_DAYS, Settings
from portal.declaration.source.problems import Problem
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.texts import LOCALE, catalog

DEFAULTS = Settings()
TRANSLATED = ("en", *sorted(path.stem for path in LOCALE.glob("*.po")))  # the languages of the interface
IMAGES = (".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif")

# `GMT+1`: the zones with similar names have the opposite sign, and no summer time.
_OFFSET = re.compile(r"(?i)(?:gmt|utc|z)? ?[+-]\d.*")


def check_settings(draft: DeclarationDraft) -> None:
    """Reports what is wrong in `portal:` and replaces it with the default, so that the rest can be checked."""
    settings = draft.settings
    problems = {
        "time_zone": _time_zone(settings.time_zone),
        "currency": _currency(settings.currency),
        "logo": _logo(draft, settings.logo),
        "base_url": _base_url(settings.base_url),
        "support_address": _address(settings.support_address),
    }
    for key, problem in problems.items():
        if problem:
            _report(draft, key, None, problem)
    problems["holidays"] = None if check_holidays(draft) else "unknown"
    problems["languages"] = _check_languages(draft, settings.languages)
    for key in ("administrators", "second_factor"):
        for index, profile in enumerate(getattr(settings, key)):
            if draft.profiles and profile not in {*draft.profiles, *draft.broken_profiles}:
                _report(draft, key, index, f'no profile "{profile}"{suggest(profile, draft.profiles)}')
    draft.settings = settings.model_copy(
        update={key: getattr(DEFAULTS, key) for key, problem in problems.items() if problem}
    )
    for key, sentence in _hardly_meant(draft.settings):
        _report(draft, key, None, sentence, warning=True)


def _check_languages(draft: DeclarationDraft, languages: Sequence[str]) -> str | None:
    """Reports each unusable language; returns the last sentence, or None if all are usable."""
    refused = None
    for index, language in enumerate(languages):
        if problem := _language(language):
            _report(draft, "languages", index, problem)
            refused = problem
        elif language in languages[:index]:
            _report(draft, "languages", index, f'"{language}" appears twice')
        elif language.partition("-")[0] != "en" and not catalog(language).sentences:
            guess = suggest(language.replace("_", "-"), TRANSLATED)
            sentence = f'the interface is not translated into "{language}": its own words appear in English{guess}'
            _report(draft, "languages", index, sentence, warning=True)
    return refused


def _hardly_meant(settings: Settings) -> Iterator[tuple[str, str]]:
    """Keys of `portal:` with a value that works but is probably not intended, and why."""
    if settings.remember_days > MOST_REMEMBERED_DAYS:
        yield "remember_days", f"every session ends after {MOST_REMEMBERED_DAYS} days: a larger number has no effect"
    if set(settings.sign_in) == {"passkey"}:
        yield "sign_in", "passkeys are added after signing in: also name another way, for the first time"
    if urlsplit(settings.base_url or "").path.strip("/"):
        yield "base_url", "the pages of a portal are at the root of its host: with a path, links in emails lead nowhere"


def _report(draft: DeclarationDraft, key: str, index: int | None, message: str, warning: bool = False) -> None:
    if key in draft.overrides:
        draft.problems.append(Problem(environment_variable(key), 1, 1, ("portal", key), message, warning))
        return
    at = draft.at(MODULES, "portal", key)
    at = at if index is None else at[index]
    (at.warn if warning else at.wrong)(message)


def _time_zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if _OFFSET.fullmatch(name):
            return f'no time zone "{name}": name the one of a city, such as Europe/Berlin'
        city = next((zone for zone in sorted(available_timezones()) if zone.endswith(f"/{name}")), None)
        guess = f' (did you mean "{city}"?)' if city else suggest(name, available_timezones())
        return f'no time zone "{name}"{guess}'
    return None


def _currency(code: str) -> str | None:
    codes = get_global("all_currencies")
    return None if code in codes else f'no currency "{code}"{suggest(code, codes)}'


def _language(code: str) -> str | None:
    try:
        right = str(Locale.parse(code.replace("-", "_"))).replace("_", "-")
    except (ValueError, UnknownLocaleError, TypeError):
        guess = next((name for name in TRANSLATED if _is_called(name, code)), None)
        return f'no language "{code}"' + (did_you_mean(guess) or ": use a code such as en, it or pt-BR")
    same = code.replace("_", "-").casefold() == right.casefold()  # else a variant that the locales do not distinguish
    return f'no language "{code}": write "{right}"' if same and code != right else None


def _is_called(language: str, name: str) -> bool:
    """Whether a language for `portal:` has this name, in English or in the language itself."""
    locale = Locale.parse(language)
    return name.casefold() in (str(words).casefold() for words in (locale.english_name, locale.display_name))


def _logo(draft: DeclarationDraft, logo: str | None) -> str | None:
    if logo is None:
        return None
    path = draft.folder / logo
    if PurePath(logo).is_absolute() or ".." in PurePath(logo).parts:
        return "the logo must be in the folder of modules.yaml"
    if "\0" in logo or not path.is_file():
        return f'there is no file "{logo}" in the folder of modules.yaml'
    if not path.resolve().is_relative_to(draft.folder.resolve()):
        return "the logo must be in the folder of modules.yaml"
    return None if path.suffix.lower() in IMAGES else f"must be a picture: {', '.join(IMAGES)}"


def _base_url(url: str | None) -> str | None:
    fits = url is None or (re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url) and _is_readable(url))
    return None if fits else 'must be an address such as "https://care.example.com"'


def _is_readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an IPv6 address, or an invalid port
        return False


def _address(address: str | None) -> str | None:
    fits = address is None or takes_letters(address)
    return None if fits else 'must be an email address such as "help@example.com"'

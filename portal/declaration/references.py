"""Makes references from a module's pattern, such as `TH-{year}-{number:04}`, and parses those that people type."""

import datetime
import functools
import re

BARE_NUMBER = "{number}"  # the pattern if none is declared
PART = re.compile(r"\{(number|year)[^{}]*\}")
DIGITS = {"number": r"\d{1,18}", "year": r"\d{4}"}


def reference(pattern: str, number: int, created: datetime.datetime) -> str:
    """`pattern` with {number}, {number:05} and {year} filled in; `created` is in the portal's time zone."""
    return pattern.format(number=number, year=created.year)


def parse_reference(pattern: str, text: str) -> dict[str, str] | None:
    """The digits of the `number`, and of the `year`, in a reference that `pattern` made; None for any other text."""
    match = _form(pattern).fullmatch(text.strip())
    return match and match.groupdict()


def whole_reference(pattern: str, typed: str) -> str:
    """The reference that `typed` means, even if the zeros of its number are missing: `TH-2026-0001` for `th-2026-1`.
    "" for any other text."""
    parts = parse_reference(pattern, typed)
    return pattern.format(**{name: int(digits) for name, digits in parts.items()}) if parts else ""


@functools.cache
def _form(pattern: str) -> re.Pattern[str]:
    form, end, names = "", 0, set[str]()
    for part in PART.finditer(pattern):
        name = part[1]
        form += re.escape(pattern[end : part.start()])
        form += f"(?P={name})" if name in names else f"(?P<{name}>{DIGITS[name]})"
        end = part.end()
        names.add(name)
    return re.compile(form + re.escape(pattern[end:]), re.IGNORECASE | re.ASCII)

"""A default that is the value of another field: `me.phone`, `my organization.city`, `$caller.company`."""

import functools
import re
from dataclasses import dataclass
from typing import Any

PATTERN = re.compile(r"(?:(?P<who>me|my organization)|\$(?P<link>[a-z][a-z0-9_]*))(?P<path>(?:\.[a-z][a-z0-9_]*)+)")


@dataclass(frozen=True)
class ValuePath:
    """Where the path begins, and the fields along it."""

    who: str  # "me" or "my organization"; "" if it begins at a link
    link: str  # the link of the same form at which it begins
    path: tuple[str, ...]


def value_path(raw: Any) -> ValuePath | None:
    """The path in a `default` of the YAML, if it is one."""
    return _parse(raw) if isinstance(raw, str) else None


@functools.lru_cache(maxsize=10_000)
def _parse(text: str) -> ValuePath | None:
    match = PATTERN.fullmatch(text)
    if match is None:
        return None
    return ValuePath(match["who"] or "", match["link"] or "", tuple(match["path"][1:].split(".")))

"""Sizes in bytes: as administrators write them, `25 MB` is 25,000,000; and as people read them."""

import re
from functools import partial
from typing import Any

from babel.units import format_unit

from portal.fields.reader import Reader

UNITS = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def parse_size(text: Any) -> int:
    """Bytes from `25 MB`, `512 kB` or a bare number of bytes; raises ValueError."""
    match = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,3}))?\s*([kKMG]?B)?", str(text).strip())
    if not match:
        raise ValueError('must be a size such as "25 MB"')
    whole, fraction, unit = match.groups()
    return round(float(f"{whole}.{fraction or 0}") * UNITS[(unit or "").upper()])


def shown_size(size: int, reader: Reader) -> str:
    """A size in bytes as people read it: 84 kB, 1.2 MB."""
    unit, bytes_per_unit, places = ("megabyte", 1_000_000, 1) if size >= 999_500 else ("kilobyte", 1_000, 0)
    number = max(round(size / bytes_per_unit, places), 1 if size else 0)
    return format_unit(number, f"digital-{unit}", "short", locale=reader.locale)


def shown_beyond(size: int, limit: int, reader: Reader) -> tuple[str, str]:
    """A size and the limit that it exceeds, in bytes if both would look the same."""
    shown = shown_size(size, reader), shown_size(limit, reader)
    if shown[0] != shown[1]:
        return shown
    in_bytes = partial(format_unit, measurement_unit="digital-byte", length="long", locale=reader.locale)
    return in_bytes(size), in_bytes(limit)

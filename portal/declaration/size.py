"""Sizes as administrators write them: `25 MB` is 25,000,000 bytes."""

import re
from typing import Any

UNITS = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def size(written: Any) -> int:
    """Bytes from `25 MB`, `512 kB` or a bare number of bytes; raises ValueError."""
    match = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,3}))?\s*([kKMG]?B)?", str(written).strip())
    if not match:
        raise ValueError('must be a size such as "25 MB"')
    whole, fraction, unit = match.groups()
    return round(float(f"{whole}.{fraction or 0}") * UNITS[(unit or "").upper()])

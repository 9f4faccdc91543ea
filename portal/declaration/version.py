"""The version of the declaration language, which `version:` in modules.yaml names."""

from typing import Any

VERSION = 1


def version_complaint(written: Any) -> str | None:
    """Why a folder of this version cannot be used, or None."""
    if isinstance(written, bool) or not isinstance(written, int) or written < 1:
        return f"must be {VERSION}, the version of the language that this portal understands"
    if written > VERSION:
        return (
            f"this folder is written in version {written} of the language, and this portal understands versions up to"
            f" {VERSION}: install a newer portal"
        )
    return None

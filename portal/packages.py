"""Packages by others that add field types and pages, found by the entry points that they declare.

All portals of a process have the same packages. An unusable package is left out, and `left_out` says why: the portal
starts without it. docs/packages.md explains how to write one.
"""

import functools
import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

FIELD_TYPES, PAGES = "portal.field_types", "portal.pages"
WHAT_FOR = {FIELD_TYPES: "field type", PAGES: "page"}


class NotUsableError(Exception):
    """A package does not provide what its entry point promises; the message says how."""


_left_out: dict[EntryPoint, str] = {}
_locale_folders: dict[Path, None] = {}  # in the order the packages were loaded


@functools.cache
def extensions(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of FIELD_TYPES or PAGES, in an order that does not depend on the installation."""
    entries = {(entry.name, entry.value, _package(entry)): entry for entry in entry_points(group=group)}
    return tuple(entries[key] for key in sorted(entries))


def use(entry: EntryPoint, take: Callable[[Any], None]) -> bool:
    """Passes the object of an entry point to `take`. False if either raises anything: the entry point is left out."""
    try:
        module = importlib.import_module(entry.module)
        if module.__file__ and (folder := Path(module.__file__).parent / "locale").is_dir():
            _locale_folders[folder] = None
        # A package that imports us is not fully loaded yet: its classes register themselves when they are defined.
        if not getattr(module.__spec__, "_initializing", False):
            take(entry.load())
    except Exception as error:  # noqa: BLE001 - it is not our code
        leave_out(entry, error)
        return False
    return True


def leave_out(entry: EntryPoint, error: Exception) -> None:
    """Notes why something in a package is not used."""
    reason = str(error) if isinstance(error, NotUsableError) else f"{type(error).__name__}: {error}"
    what = f'{WHAT_FOR[entry.group]} "{entry.name}"'
    _left_out[entry] = f"the package {_package(entry)} cannot be used for its {what}: {' '.join(reason.split())}"


def left_out(field_type: str | None = None) -> tuple[str, ...]:
    """A sentence for administrators about all that is not used of packages; or only the field type of this name."""
    return tuple(
        sentence
        for entry, sentence in _left_out.items()
        if field_type is None or (entry.group, entry.name) == (FIELD_TYPES, field_type)
    )


def installed_packages() -> tuple[str, ...]:
    """The packages that add something, whether it is usable or not: “portal-iban 1.0”."""
    return tuple(sorted({_package(entry) for group in WHAT_FOR for entry in extensions(group)}))


def locale_folders() -> tuple[Path, ...]:
    """The folders with the catalogs of packages."""
    return tuple(_locale_folders)


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value

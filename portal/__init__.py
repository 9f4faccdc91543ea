"""Portal: turns a few YAML files into a customer portal, and runs it. How it starts stands in application.py."""

import importlib
from typing import Any

STARTING = ("main", "make_application")


def __getattr__(name: str) -> Any:
    """`portal.main` and `portal.make_application`, imported when asked for.

    Every import of ours passes here, and `portal check` must not wait for the web's libraries.
    """
    if name in STARTING:
        return getattr(importlib.import_module("portal.application"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

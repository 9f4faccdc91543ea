"""Portal turns a few YAML files into a customer portal and runs it. `application.py` starts it."""

import importlib
from typing import Any

FROM_APPLICATION = ("main", "make_application")


def __getattr__(name: str) -> Any:
    """`portal.main` and `portal.make_application`, imported when first used.

    Importing any module of Portal runs this file, and `portal check` must not wait for the libraries of the web.
    """
    if name in FROM_APPLICATION:
        return getattr(importlib.import_module("portal.application"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Modules of ours that are loaded when they are first used: those that need large libraries which serving pages hardly
ever needs. A serving process has a quarter less memory without them, and `portal check` starts sooner.

Whoever uses one names it here, at the top of the file, as an import would; a file of the same folder, never another's.
"""

import importlib
from typing import Any


class Later:
    """Stands for the module `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)

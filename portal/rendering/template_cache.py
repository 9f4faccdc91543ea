"""Compiled templates, kept on disk by Chameleon's ModuleLoader.

Compiling takes a second and a half and ten megabytes in every process; loading compiled templates takes milliseconds. A
file's name is a hash of everything that determines its content, so no file is ever out of date. What is loaded is
executed: the folder is only used if it belongs to this user and nobody else can write to it. If it is not writable,
templates are compiled in memory.
"""

import hashlib
import logging
import os
import stat
import sys
from pathlib import Path
from typing import Any

from chameleon.loader import MemoryLoader, ModuleLoader

log = logging.getLogger(__name__)

# The last line of every file: a file truncated by a power cut lacks it.
COMPLETE = "# complete\n"


class TemplateCache(ModuleLoader):
    """A loader for Chameleon. `options`: what compiled templates depend on, apart from their text and Chameleon."""

    def __init__(self, options: str) -> None:
        super().__init__(path="")
        self._options = options
        self._memory = MemoryLoader()

    def store_in(self, folder: Path) -> None:
        """Uses `folder` from now on, if it is safe; creates it if it is missing."""
        self.path = str(folder) if _is_private(folder) else ""

    def get(self, filename: str) -> dict[str, Any] | None:
        """The names that a compiled template defines, or None; `filename` has a hash of Chameleon and of the text."""
        name = self._name_of(filename)
        if not self.path or not _is_complete(Path(self.path, name)):
            return None
        try:
            return super().get(name)
        except (OSError, ImportError, EOFError, ValueError, TypeError):  # its bytecode is damaged: write it again
            return None

    def build(self, source: str, filename: str) -> dict[str, Any]:
        """The names that a template defines, from its Python source."""
        if self.path:
            name = self._name_of(filename)
            sys.modules.pop(name.removesuffix(".py"), None)  # a damaged one would be reused
            try:
                return super().build(f"{source}\n{COMPLETE}", name)
            except OSError as error:
                log.info("A compiled template is not stored: %s", error)
        return self._memory.build(source, filename)

    def _name_of(self, filename: str) -> str:
        deciding = "\n".join((filename, self._options, sys.version))
        return f"{Path(filename).stem}_{hashlib.sha256(deciding.encode()).hexdigest()[:16]}.py"


def _is_complete(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-min(len(COMPLETE), path.stat().st_size), os.SEEK_END)
            return file.read() == COMPLETE.encode()
    except OSError:
        return False


def _is_private(folder: Path) -> bool:
    """Whether the `folder` of compiled templates exists, belongs to this user and is not writable by others."""
    try:
        if not folder.parent.exists():
            folder.parent.mkdir(mode=0o700, parents=True)  # `mkdir` does not apply its mode to the parents it creates
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        log.info("Compiled templates are not stored: %s", error)
        return False
    user = os.geteuid() if hasattr(os, "geteuid") else status.st_uid  # Windows has no user ids
    if status.st_uid == user and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    log.warning("Compiled templates are not stored: others may write to %s", folder)
    return False

"""Templates as Chameleon compiled them, kept on disk: compiling takes a second and a half and ten megabytes of every
process, reading them back a few milliseconds.

The name of a file is made of all that decides what is in it, so nothing is ever out of date. What is read back is run:
the folder is as trusted as the code, and is left alone where it is not this user's alone. Where it cannot be written,
templates are compiled as if there were none.
"""

import hashlib
import importlib.util
import logging
import marshal
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class TemplateCache:
    """What Chameleon calls a loader. `options`: what else than its text and Chameleon decides about a template."""

    def __init__(self, options: str) -> None:
        self._options = options
        self._folder: Path | None = None

    def keep_in(self, folder: Path) -> None:
        """From now on; the folder is made where it is missing."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.stat()
        except OSError as error:
            log.info("TemplateCache templates are not kept: %s", error)
            return
        own = getattr(os, "geteuid", lambda: found.st_uid)()  # Windows has none
        ours = found.st_uid == own and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        self._folder = folder if ours else None
        if not ours:
            log.warning("TemplateCache templates are not kept: others may write to %s", folder)

    def get(self, filename: str) -> dict[str, Any] | None:
        """The names that a compiled template defines, or None; `filename` has a hash of Chameleon and of the text."""
        try:
            kept = self._path(filename).read_bytes() if self._folder else b""
        except OSError:
            return None
        sound = hashlib.sha256(kept[32:]).digest() == kept[:32]  # a power cut may leave a part of a file
        return _run(marshal.loads(kept[32:])) if sound else None  # noqa: S302 - written by ourselves, see above

    def build(self, source: str, filename: str) -> dict[str, Any]:
        """The names that a template defines, from Python's source."""
        code = compile(source, filename, "exec")
        if self._folder:
            self._keep(self._path(filename), marshal.dumps(code))
        return _run(code)

    def _path(self, filename: str) -> Path:
        decides = filename.encode() + self._options.encode() + importlib.util.MAGIC_NUMBER
        return self._folder / f"{Path(filename).stem}-{hashlib.sha256(decides).hexdigest()[:32]}"

    def _keep(self, path: Path, code: bytes) -> None:
        """All or nothing: several processes may start at once."""
        name = ""
        try:
            handle, name = tempfile.mkstemp(dir=path.parent)  # for its owner's eyes only
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            Path(name).replace(path)
        except OSError as error:
            log.info("A compiled template is not kept: %s", error)
            if name:
                Path(name).unlink(missing_ok=True)


def _run(code: Any) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - how Chameleon's templates come to be
    return names

"""Writes mended files: each wholly or not at all, with the rights it had, and none that somebody changed meanwhile."""

import os
import tempfile
from pathlib import Path


def save(path: Path, before: bytes, after: bytes) -> bool:
    """Whether `after` now stands in the place of `before`; not where the file holds something else. Raises OSError."""
    path = path.resolve()  # what a link leads to is written, the link stays
    mode = path.stat().st_mode
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)
        if path.read_bytes() != before:
            return False
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    return True

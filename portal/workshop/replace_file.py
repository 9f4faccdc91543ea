"""Writes a file completely or not at all: an editor, or the portal itself, may be reading it."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

NEW_FILE = 0o666  # minus the bits of the process's mask


def replace_file(path: Path, raw: bytes) -> None:
    """Replaces the content of a file with `raw` and keeps its permissions. Raises OSError, also if it is not a regular
    file, but a device or the like."""
    path = path.resolve()  # the target of a link
    mode = NEW_FILE & ~_mask()
    if path.exists():
        if not path.is_file():
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        mode = path.stat().st_mode & 0o7777
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _mask() -> int:
    """The mask of the process for the permissions of a written file, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

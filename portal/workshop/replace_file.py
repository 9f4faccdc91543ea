"""Writes a file of a folder whole or not at all: an editor, or the portal itself, may be reading it."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

NEW_FILE = 0o666  # less what the process's mask takes away


def replace_file(path: Path, raw: bytes) -> None:
    """Puts `raw` in the place of what the file holds, with the rights it had. Raises OSError, also for what is no file,
    such as a device."""
    path = path.resolve()  # of a link, what it leads to
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
    """The mask of the process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

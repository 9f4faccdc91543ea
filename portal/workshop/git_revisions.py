"""A folder of declarations as it was in a git revision, read with the command `git`."""

import contextlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path


class UnknownRevisionError(Exception):
    """There is no such folder and no such revision; the message is git's."""


@contextlib.contextmanager
def folder_at_revision(name: str, beside: Path) -> Iterator[Path]:
    """The folder `name`, or a temporary copy of the folder `beside` as it was in the revision `name`.

    Raises UnknownRevisionError.
    """
    path = Path(name)
    if path.is_dir():
        yield path
        return
    archive = _git(beside, "archive", "--format=tar", _commit(name, beside), ".")
    with tempfile.TemporaryDirectory(prefix="portal-") as temporary:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(temporary, filter="data")
        yield Path(temporary)


def _commit(name: str, beside: Path) -> str:
    """The commit of a revision, which git must not take for an option or a file."""
    try:
        commit = _git(beside, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UnknownRevisionError as error:
        reason = str(error) or f"git knows no revision “{name}”"
        raise UnknownRevisionError(f"there is no folder “{name}”, and {reason}") from None
    return commit.decode().strip()


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the revision was verified
            ["git", *arguments],  # noqa: S607 - the git of whoever calls
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        raise UnknownRevisionError("git is not installed") from None
    except subprocess.CalledProcessError as error:
        raise UnknownRevisionError(error.stderr.decode(errors="replace").strip()) from None
    return done.stdout

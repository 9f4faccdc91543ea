"""The files next to a CSV file: in a folder, or in a zip archive if the name ends in `.zip`.

A file is at `RECORD/FILE/NAME`, with the ids of the portal that exported it; what customers may not have is below
`internal/`. The cells of the CSV file name these paths. Nothing outside of the folder is read or written.
"""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

INTERNAL = "internal"
LONGEST_NAME = 200  # bytes; file systems allow 255


class FileBundle(Protocol):
    """The files next to a CSV file, by their paths."""

    def add(self, path: str, chunks: Iterable[bytes]) -> None:
        """Writes a file. Raises OSError."""

    def size(self, path: str) -> int | None:
        """The size of a file in bytes; None if there is none."""

    def open(self, path: str) -> BinaryIO:
        """A seekable stream. Raises OSError."""


class FolderBundle:
    """A bundle of files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def add(self, path: str, chunks: Iterable[bytes]) -> None:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            file.writelines(chunks)

    def size(self, path: str) -> int | None:
        place = self._place(path)
        return place.stat().st_size if place and place.is_file() else None

    def open(self, path: str) -> BinaryIO:
        place = self._place(path)
        if place is None:
            raise FileNotFoundError(path)
        return place.open("rb")

    def _place(self, path: str) -> Path | None:
        """The location of `path` on disk; None if it leaves the folder."""
        try:
            place = (self._folder / path).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, RuntimeError before Python 3.13; a NUL
            return None
        return place if place.is_relative_to(self._folder) else None


class ZipBundle:
    """A bundle of files in a zip archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, path: str, chunks: Iterable[bytes]) -> None:
        with self._archive.open(path, "w", force_zip64=True) as file:
            file.writelines(chunks)

    def size(self, path: str) -> int | None:
        try:
            return self._archive.getinfo(path).file_size
        except KeyError:
            return None

    def open(self, path: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._archive.open(path))
        except RuntimeError as error:  # encrypted, or compressed in a way that Python does not support
            raise OSError(f"{path} cannot be read from the zip archive: {error}") from None


@contextmanager
def open_bundle(path: Path, write: bool = False) -> Iterator[FileBundle]:
    """The bundle of files at `path`, a folder or an archive. Raises OSError, also for a file that is no archive."""
    if path.suffix.lower() == ".zip":
        try:
            with zipfile.ZipFile(path, "w" if write else "r") as archive:
                yield ZipBundle(archive)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise OSError(f"{path} is not a zip archive, or is damaged: {error}") from None
    elif write or path.is_dir():
        path.mkdir(parents=True, exist_ok=True)  # even for no files, so that every export can be imported
        yield FolderBundle(path)
    else:
        raise OSError(f"{path} is neither a folder nor a zip archive")


def bundled_path(record_id: int, file_id: int, name: str, internal: bool) -> str:
    """The path of a record's file within a bundle."""
    return f"{f'{INTERNAL}/' if internal else ''}{record_id}/{file_id}/{_shortened(name)}"


def is_internal(path: str) -> bool:
    """Whether a file of the bundle is only for staff, by its path."""
    return PurePosixPath(path).parts[:1] == (INTERNAL,)


def _shortened(name: str) -> str:
    """The name of a file in a bundle, short enough for every file system, with its extension."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) < 10 else ""
    return name.encode()[: LONGEST_NAME - len(ending.encode())].decode("utf-8", "ignore") + ending

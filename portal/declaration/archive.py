"""Packs the files of a declaration into one archive and unpacks them: to keep them in the database, for example."""

import contextlib
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """An archive of files, by their paths in the folder; identical for identical files."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    return raw.getvalue()


@contextlib.contextmanager
def unpacked_folder(archive: bytes) -> Iterator[Path]:
    """A temporary folder with the files of an archive. Raises zipfile.BadZipFile and OSError."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder, zipfile.ZipFile(io.BytesIO(archive)) as files:
        files.extractall(folder)
        yield Path(folder)
